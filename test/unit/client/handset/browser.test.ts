import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MessagePort } from 'node:worker_threads'
import { BrowserHandset, type BrowserPhoneState } from '../../../../src/client/handset/browser/handset.ts'
import type { HandsetEvent } from '../../../../src/client/handset/port.ts'

function setUp() {
  const changes: BrowserPhoneState[] = []
  const events: HandsetEvent[] = []
  let heard: (pcm: Int16Array) => void = () => {}
  const sound = new Promise<Int16Array>((resolve) => {
    heard = resolve
  })
  const handset = new BrowserHandset('browser', { change: (s) => changes.push(s), sound: (pcm) => heard(pcm) })
  handset.subscribe((e) => events.push(e))
  return { handset, changes, events, sound }
}
const portOf = (e: HandsetEvent | undefined): MessagePort => (e?.kind === 'dial' && e.media.kind === 'stream' ? (e.media.port as MessagePort) : assert.fail('no stream'))

test('dials with a stream, is answered, talks both ways, hangs up', async () => {
  const { handset, changes, events, sound } = setUp()
  const call = handset.dial('8100')
  const port = portOf(events[0])
  const spoken = new Promise((resolve) => port.once('message', resolve))
  handset.command({ kind: 'answer', call, local: { address: '', port: 0 } })
  handset.speak(Int16Array.of(1, 2, 3))
  assert.deepEqual(await spoken, Int16Array.of(1, 2, 3))
  port.postMessage(Int16Array.of(4, 5))
  assert.deepEqual(await sound, Int16Array.of(4, 5))
  handset.digit('5')
  handset.digit('x')
  handset.hangup()
  assert.deepEqual(changes.map((c) => c.state), ['dialling', 'talking', 'idle'])
  assert.deepEqual(events.map((e) => e.kind), ['dial', 'dtmf', 'ended'])
  port.close()
})

test('a refusal tells why, and what comes for a call before changes nothing', () => {
  const { handset, changes, events } = setUp()
  const first = handset.dial('8100')
  const second = handset.dial('8200')
  handset.command({ kind: 'answer', call: first, local: { address: '', port: 0 } })
  assert.equal(handset.state.state, 'dialling')
  handset.command({ kind: 'refuse', call: second, status: 404, reason: 'leads nowhere' })
  assert.deepEqual(changes.at(-1), { state: 'idle', reason: 'leads nowhere' })
  assert.deepEqual(events.map((e) => e.kind), ['dial', 'ended', 'dial', 'ended'])
  handset[Symbol.dispose]()
})
