import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { streamPhone } from '../../../../src/media/session/phone-stream.ts'

/** Resolves when what was posted before has been delivered. */
const delivered = (port: MessagePort, leg: MessagePort): Promise<void> => new Promise((resolve) => {
  leg.on('message', (m) => m === 'end' && resolve())
  port.postMessage('end')
})

test('what the browser says comes out in frames, what is not sound changes nothing, what is heard goes back', async () => {
  const { port1, port2 } = new MessageChannel()
  const leg = streamPhone({ kind: 'stream', port: port2 }, () => 0)
  const loud = new Int16Array(320).fill(8000)
  for (const m of ['text', new Uint8Array(4), new Int16Array(0), new Int16Array(1921).fill(30_000), loud, loud, loud]) port1.postMessage(m)
  await delivered(port1, port2)
  const out = new Int16Array(320)
  const spoken: number[] = []
  for (let tick = 1; tick <= 4; tick++) if (leg.speak(out, tick * 20)) spoken.push(Math.max(...out))
  assert.ok(spoken.length >= 2 && spoken.every((x) => x <= 8001), spoken.join())
  const heard = new Promise<Int16Array>((resolve) => port1.once('message', resolve))
  const mine = Int16Array.of(1, 2, 3)
  leg.hear(mine, 0)
  mine.fill(9)
  assert.deepEqual(await heard, Int16Array.of(1, 2, 3))
  leg.close()
})
