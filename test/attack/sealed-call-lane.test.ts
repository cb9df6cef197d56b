/** Whoever answered the hello in the sound, which is nobody's in particular, beside keys that stand: what it says is never taken for what came under them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { instant } from '../../src/base/brand.ts'
import { ByteWriter } from '../../src/base/bytes.ts'
import { must } from '../../src/base/result.ts'
import { FrameSession } from '../../src/protocol/frameseal/session.ts'
import { InBandCarrier } from '../../src/protocol/keyagreement/in-band/carrier.ts'
import { LANE, Lane } from '../../src/protocol/keyagreement/in-band/lane.ts'
import { CallFrames } from '../../src/vault/inside/call-frames.ts'
import { crypto } from '../kit/certificates.ts'

const now = instant(0)
const silence = (): Uint8Array => new Uint8Array(160).fill(0x54)
/** A lane's payload: what the sender wants next, and a fragment. */
function payload(wanted: number, fragment?: { readonly number: number; readonly last: boolean; readonly data: string }): Uint8Array {
  const w = new ByteWriter().u8(LANE).u16(wanted).u32(0)
  if (fragment === undefined) return w.u8(0).finish()
  const data = new TextEncoder().encode(fragment.data)
  return w.u8(fragment.last ? 3 : 1).u16(fragment.number).u8(data.length).put(data).finish()
}

/** Ann's frames, the other side's keys, and somebody in between who has the in-band lane with her. */
function world() {
  const ann = new CallFrames(crypto, { codec: 'pcmu', inBand: true })
  const says: Uint8Array[] = []
  const mallory = new InBandCarrier(crypto, 'pcmu', { next: () => says.shift(), receive: () => [], push: () => true, idle: true } as unknown as Lane)
  for (let i = 0; i < 200 && !mallory.ready; i++) {
    ann.open(mallory.outgoing(silence(), now), now)
    mallory.incoming(ann.seal(silence(), now) as Uint8Array, now)
  }
  assert.ok(mallory.ready)
  const keys = () => ({ key: crypto.bytes(32), salt: crypto.bytes(12), mask: crypto.bytes(32) })
  const [there, back] = [keys(), keys()]
  must(ann.keys(0, { send: there, receive: back }, now))
  const other = new FrameSession(crypto, { codec: 'pcmu' })
  must(other.addEpoch(0, { send: back, receive: there }, now, true))
  return {
    ann, other,
    /** What Ann is told of after a frame of theirs. */
    fromMallory: (p: Uint8Array) => {
      says.push(p)
      return ann.open(mallory.outgoing(silence(), now), now).news
    },
    fromOther: (p: Uint8Array) => ann.open(must(other.sealControl(p, 160)), now).news,
    /** Control frames among the next ones of Ann's. */
    controls: (): number => Array.from({ length: 3 }, () => other.open(ann.seal(silence(), now) as Uint8Array, now)).filter((o) => o.kind === 'control').length,
  }
}
const messages = (news: ReturnType<CallFrames['open']>['news']): string[] => news.flatMap((n) => (n.kind === 'message' ? [`${n.sealed ? 'sealed' : 'open'} ${new TextDecoder().decode(n.bytes)}`] : []))

test('control: a message of the other side is sealed, one beside the keys is not', () => {
  const w = world()
  assert.deepEqual(messages(w.fromMallory(payload(0, { number: 0, last: true, data: 'beside' }))), ['open beside'])
  assert.deepEqual(messages(w.fromOther(payload(0, { number: 1, last: true, data: 'under' }))), ['sealed under'])
})

test('a message put together of fragments of both is not sealed', () => {
  const w = world()
  assert.deepEqual(messages(w.fromMallory(payload(0, { number: 1, last: true, data: ' and hers' }))), [])
  assert.deepEqual(messages(w.fromOther(payload(0, { number: 0, last: false, data: 'his' }))), ['open his and hers'])
  assert.deepEqual(messages(w.fromMallory(payload(0, { number: 2, last: false, data: 'hers' }))), [])
  assert.deepEqual(messages(w.fromOther(payload(0, { number: 3, last: true, data: ' and his' }))), ['open hers and his'])
})

test('a fragment under the keys takes the place of one beside them, and never the other way', () => {
  const w = world()
  w.fromMallory(payload(0, { number: 1, last: true, data: ' forged' }))
  w.fromOther(payload(0, { number: 1, last: true, data: ' whole' }))
  w.fromMallory(payload(0, { number: 1, last: true, data: ' forged' }))
  assert.deepEqual(messages(w.fromOther(payload(0, { number: 0, last: false, data: 'a' }))), ['sealed a whole'])
})

test('what was said under the keys is not done with because somebody beside them says so', () => {
  const w = world()
  w.fromOther(payload(0))
  w.ann.say(new TextEncoder().encode('hold'))
  w.fromMallory(payload(1000))
  assert.equal(w.controls(), 1)
  w.fromOther(payload(1000))
})

test('a fragment that is cut off anywhere is none, and the message it is of arrives all the same', () => {
  const whole = payload(0, { number: 0, last: true, data: 'a whole message' })
  const lane = new Lane(100)
  for (let octets = 0; octets < whole.length; octets++) assert.deepEqual(lane.receive(whole.subarray(0, octets), true), [], `${octets} octets`)
  assert.equal(lane.next(now), undefined, 'nothing of them is acknowledged')
  assert.deepEqual(lane.receive(whole, true).map((m) => [new TextDecoder().decode(m.bytes), m.sealed]), [['a whole message', true]])
})
