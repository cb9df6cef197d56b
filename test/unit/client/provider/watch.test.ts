/** What is read off the messages of calls through providers. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { utf8 } from '../../../../src/base/bytes.ts'
import { must } from '../../../../src/base/result.ts'
import { CallWatch } from '../../../../src/client/provider/watch.ts'
import { parseMessage } from '../../../../src/protocol/sip/index.ts'

const LEG = 7
const HEADERS = ['Call-ID: one', 'CSeq: 1 INVITE', 'Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1', 'Max-Forwards: 70', 'Contact: <sip:anna@192.0.2.1>', 'Content-Length: 0', '', '']
const message = (first: string, { from = 'sip:anna@192.0.2.1', tag = '', to = 'sip:box@192.0.2.9' } = {}): Uint8Array => utf8([first, `From: <${from}>;tag=a`, `To: <${to}>${tag}`, ...HEADERS].join('\r\n'))
const parsed = (m: Uint8Array) => must(parseMessage(m, { stream: false }))
type Format = { readonly payloadType: number; readonly name: string; readonly clockHz: number; readonly channels: number }
const PCMU: Format = { payloadType: 0, name: 'pcmu', clockHz: 8000, channels: 1 }
const G722: Format = { payloadType: 9, name: 'g722', clockHz: 8000, channels: 1 }
const EVENTS: Format = { payloadType: 101, name: 'telephone-event', clockHz: 8000, channels: 1 }
const described = (formats: readonly Format[] = [PCMU], receives = true) => ({ address: '192.0.2.9', port: 4000, rtcpPort: 4001, receives, sends: true, ptimeMs: 20, formats }) as const
const INVITE = 'INVITE sip:box@192.0.2.9 SIP/2.0'
const OK = 'SIP/2.0 200 OK'

function world(isEmergency: (n: string) => boolean = () => false) {
  const told: string[] = []
  const watch = new CallWatch({ isEmergency, onCall: (c) => told.push(`${c.outgoing ? 'to' : 'from'} ${c.withheld ? 'nobody ' : ''}${c.number}${c.account === 'one.test' ? '' : ` at ${c.account}`}`), onNews: (_, n) => told.push([n.kind, ...(n.kind === 'media' ? [n.codec, n.payloadType, n.telephoneEvent ?? '-', n.receives] : []), ...(n.kind === 'hold' ? [n.held] : []), ...(n.kind === 'no-codec' ? [...Object.values(n.other ?? {}), n.telephoneEvent ?? '-', n.receives] : [])].join(' ')) })
  return {
    watch, told,
    passes: (towards: 'provider' | 'phone', first: string, o: Parameters<typeof message>[1] & { readonly leg?: number; readonly account?: string } = {}): void => {
      const m = message(first, o)
      watch.passing(towards, { k: first.startsWith('SIP') ? 'sip-response' : 'sip-request', id: 1, message: m, ...(o.leg === undefined ? {} : { streams: { up: o.leg, down: o.leg } }) }, parsed(m), o.account ?? 'one.test')
    },
  }
}

test('a call that is answered with nothing before the 200 is known with its codec, and then as answered', () => {
  const { watch, told, passes } = world()
  passes('provider', INVITE)
  // The provider's half has read the answer before it hands it on.
  watch.onDescribed({ call: LEG, side: 'provider', local: described(), far: described(), answeredBy: 'local' })
  assert.deepEqual(told, [])
  passes('phone', OK, { tag: ';tag=b', leg: LEG })
  assert.deepEqual(told, ['to box', 'media pcmu 0 - true', 'answered'])
  watch.onClosed(LEG)
  assert.equal(told.at(-1), 'over')
})

test('a call to us: who calls is what the network says, the codec is the answer\'s, and our phone answers', () => {
  const { watch, told, passes } = world()
  passes('phone', INVITE, { from: 'sip:+49%2030%201234@192.0.2.1', leg: LEG })
  watch.onDescribed({ call: LEG, side: 'provider', local: described([PCMU, G722, EVENTS]), far: described([G722, EVENTS]), answeredBy: 'far' })
  passes('provider', OK, { tag: ';tag=b' })
  assert.deepEqual(told, ['from +49 30 1234', 'media g722 9 101 true', 'answered'])
})

test('a call is its account\'s; who does not say who calls, or says our own number, is nobody', () => {
  const caller = (from: string, to?: string): string[] => {
    const { told, passes } = world()
    passes('phone', INVITE, { from, leg: LEG, ...(to === undefined ? {} : { to }) })
    return told
  }
  const { told, passes } = world()
  passes('provider', INVITE, { leg: LEG, account: 'two.test' })
  assert.deepEqual(told, ['to box at two.test'])
  for (const user of ['anonymous', 'Anonymous', 'unknown', 'asterisk', 'box', '']) assert.deepEqual(caller(`sip:${user === '' ? '' : `${user}@`}192.0.2.1`), [`from nobody ${user}`])
  assert.deepEqual(caller('sip:4711@anonymous.invalid'), ['from nobody 4711'])
  assert.deepEqual(caller('sip:+49301234567@192.0.2.1', 'sip:0301234567@192.0.2.9'), ['from nobody +49301234567'])
  assert.deepEqual(caller('tel:+49301234567'), ['from +49301234567'])
  const own = world()
  own.passes('provider', 'INVITE sip:anonymous@192.0.2.9 SIP/2.0', { leg: LEG })
  assert.deepEqual(own.told, ['to anonymous'], 'what is dialled is somebody')
})

test('ringing is not answered; a request inside a call begins none', () => {
  const { told, passes } = world()
  passes('provider', INVITE)
  passes('phone', 'SIP/2.0 180 Ringing', { tag: ';tag=b', leg: LEG })
  passes('phone', 'SIP/2.0 486 Busy Here', { tag: ';tag=b', leg: LEG })
  passes('provider', INVITE, { tag: ';tag=b', leg: 9 })
  assert.deepEqual(told, ['to box'])
})

test('an emergency call is nobody\'s business', () => {
  const { watch, told, passes } = world((n) => n === 'box')
  passes('provider', INVITE, { leg: LEG })
  watch.onDescribed({ call: LEG, side: 'provider', local: described(), far: described(), answeredBy: 'local' })
  passes('phone', OK, { tag: ';tag=b', leg: LEG })
  watch.onClosed(LEG)
  assert.deepEqual(told, [])
})

test('hold by our phone is told; the other side\'s is a description like others; a codec that cannot be sealed is said', () => {
  const { watch, told, passes } = world()
  passes('provider', INVITE, { leg: LEG })
  watch.onDescribed({ call: LEG, side: 'phone', local: described([PCMU], false), far: described() })
  watch.onDescribed({ call: LEG, side: 'phone', local: described(), far: described() })
  watch.onDescribed({ call: LEG, side: 'provider', local: described([PCMU], false), far: described(), answeredBy: 'local' })
  watch.onDescribed({ call: LEG, side: 'provider', local: described([{ payloadType: 18, name: 'g729', clockHz: 8000, channels: 1 }]), far: described([{ payloadType: 18, name: 'g729', clockHz: 8000, channels: 1 }]), answeredBy: 'local' })
  assert.deepEqual(told, ['to box', 'hold true', 'hold false', 'media pcmu 0 - false', 'no-codec g729 18 18 - true'])
})

test('keys of a codec that cannot be sealed are known by its clock, and where there is no common codec too', () => {
  const { watch, told, passes } = world()
  passes('provider', INVITE, { leg: LEG })
  const opus: Format = { payloadType: 96, name: 'opus', clockHz: 48_000, channels: 2 }
  const fast: Format = { ...EVENTS, payloadType: 97, clockHz: 48_000 }
  for (const formats of [[opus, EVENTS, fast], [opus, EVENTS], [opus]]) watch.onDescribed({ call: LEG, side: 'provider', local: described(formats), far: described(formats.map((f) => (f === opus ? { ...f, payloadType: 111 } : f))), answeredBy: 'local' })
  watch.onDescribed({ call: LEG, side: 'provider', local: described([EVENTS], false), far: described([PCMU, EVENTS]), answeredBy: 'local' })
  assert.deepEqual(told.slice(1), ['no-codec opus 111 96 97 true', 'no-codec opus 111 96 101 true', 'no-codec opus 111 96 - true', 'no-codec 101 false'])
})

test('one side alone described, a leg of nobody, a call that is over: nothing', () => {
  const { watch, told, passes } = world()
  watch.onDescribed({ call: 3, side: 'phone', local: described(), far: described() })
  watch.onClosed(3)
  passes('provider', INVITE, { leg: LEG })
  watch.onDescribed({ call: LEG, side: 'provider', local: described(), far: undefined, answeredBy: 'local' })
  watch.onClosed(LEG)
  watch.onClosed(LEG)
  assert.deepEqual(told, ['to box', 'over'])
})

test('how the sound of the phone gets here is told with its address, and a hold at no address tells nothing new', () => {
  const legs: unknown[] = []
  const watch = new CallWatch({ isEmergency: () => false, onCall: () => {}, onPhone: (call, { leg, address }) => legs.push([call, address, leg]), onNews: () => {} })
  const m = message(INVITE)
  watch.passing('provider', { k: 'sip-request', id: 1, message: m, streams: { up: LEG, down: LEG } }, parsed(m), 'one.test')
  const key = { tag: 1, suite: 'AEAD_AES_128_GCM', masterKey: new Uint8Array(16), masterSalt: new Uint8Array(12) } as const
  const phone = (address: string, srtp = false): void => watch.onDescribed({ call: LEG, side: 'phone', local: { ...described(), address, ...(srtp ? { srtp: { receive: key, send: key } } : {}) }, far: undefined })
  phone('192.0.2.20')
  phone('192.0.2.20', true)
  phone('127.0.0.1')
  phone('0.0.0.0')
  assert.deepEqual(legs, [[LEG, '192.0.2.20', 'plain-lan'], [LEG, '192.0.2.20', 'encrypted'], [LEG, '127.0.0.1', 'local'], [LEG, '0.0.0.0', undefined]])
})
