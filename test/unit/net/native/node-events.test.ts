import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MessageChannel } from 'node:worker_threads'
import { instant } from '../../../../src/base/brand.ts'
import { must } from '../../../../src/base/result.ts'
import { NativeLoop, watchNode } from '../../../../src/net/native/index.ts'
import { systemCalls } from '../../../../src/net/native/system.ts'

const available = systemCalls()
const skip = available.ok ? false : available.fault.message
/** Before a loop that nothing wakes gives Node a turn by itself. */
const LATE_MS = 3000

/** Runs the loop until `done` has been called. */
async function running(loop: NativeLoop, body: (done: () => void) => void): Promise<void> {
  body(() => loop.stop())
  await loop.run()
  loop.close()
}

test('a message ends the wait of a loop that watches Node, and its listener may post again', { skip }, async () => {
  const loop = must(NativeLoop.open())
  must(await watchNode(loop))
  const { port1, port2 } = new MessageChannel()
  const got: number[] = []
  const before = loop.rounds
  await running(loop, (done) => {
    port2.on('message', (n: number) => {
      got.push(n)
      if (n < 20) port1.postMessage(n + 1)
      else done()
    })
    port1.postMessage(1)
  })
  assert.deepEqual(got, Array.from({ length: 20 }, (_, i) => i + 1))
  assert.ok(loop.rounds - before < 200, `${loop.rounds - before} rounds for 20 messages`)
  port1.close()
})

test('what a timer or a datagram began with promises and microtasks goes on before the next wait', { skip }, async () => {
  const loop = must(NativeLoop.open())
  must(await watchNode(loop))
  const { port1, port2 } = new MessageChannel()
  const seen: string[] = []
  const socket = must(loop.bind({ address: '127.0.0.1', port: 0 }, { bufferOctets: 1 << 16 }))
  await running(loop, (done) => {
    port2.on('message', (m: string) => {
      seen.push(m)
      if (m === 'datagram') done()
      else socket.send(new Uint8Array(5), socket.local)
    })
    socket.onMessage(() => queueMicrotask(() => port1.postMessage('datagram')))
    loop.scheduler.at(instant(loop.exactNow() + LATE_MS), () => seen.push('late'))
    loop.scheduler.at(instant(loop.exactNow() + 5), () => void Promise.resolve().then(() => port1.postMessage('timer')))
  })
  assert.deepEqual(seen, ['timer', 'datagram'])
  socket.close()
  port1.close()
})

test('a quiet loop that watches Node does not come up by itself', { skip }, async () => {
  const loop = must(NativeLoop.open())
  must(await watchNode(loop))
  const { port1, port2 } = new MessageChannel()
  const before = loop.rounds
  await running(loop, (done) => {
    port2.on('message', done)
    loop.scheduler.at(instant(loop.exactNow() + 700), () => port1.postMessage(0))
  })
  // Those to begin with, the timer's, and the message's.
  assert.ok(loop.rounds - before <= 8, `${loop.rounds - before} rounds`)
  port1.close()
})

test('many packets are taken together, while messages and timers are served at once', { skip }, async () => {
  const loop = must(NativeLoop.open({ gatherMs: 400, gatherFrom: 1 }))
  must(await watchNode(loop))
  const { port1, port2 } = new MessageChannel()
  const socket = must(loop.bind({ address: '127.0.0.1', port: 0 }, { bufferOctets: 1 << 16 }))
  const seen: string[] = []
  const later = (ms: number, run: () => void): void => void loop.scheduler.at(instant(loop.exactNow() + ms), run)
  const say = (n: number): void => socket.send(Uint8Array.of(n), socket.local)
  await running(loop, (done) => {
    port2.on('message', (m: string) => seen.push(m))
    // The rate is known after 100 ms; then a packet begins a wait.
    say(0)
    later(150, () => say(1))
    socket.onMessage((data) => {
      seen.push(`packet ${data[0]}`)
      if (data[0] !== 1) return
      say(2)
      later(200, () => {
        seen.push('timer')
        done()
      })
      port1.postMessage('message')
    })
  })
  assert.ok(loop.gathered > 0, 'it waited')
  assert.deepEqual(seen, ['packet 0', 'packet 1', 'packet 2', 'message', 'timer'])
  socket.close()
  port1.close()
})
