/** A provider in several places over UDP (RFC 3263 §4.3), of which one says nothing any more: what moves, what stays, and for how long anybody waits. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SipRequest } from '../../../src/protocol/sip/index.ts'
import { nothingLeft, pbxAt, pbxSdp, relayWorld, uriOf } from '../../kit/relay-world.ts'
import { headerOf, ScriptedPhone, sdpOf } from '../../kit/sip-phone.ts'

const placeAt = (n: number) => ({ address: `10.0.0.${18 + n}`, port: 5060 })

/** A provider in `count` places, the first of them the world's PBX. */
function providerIn(count: number) {
  const otherPlaces = Array.from({ length: count - 1 }, (_, i) => placeAt(i + 1))
  const w = relayWorld({ otherPlaces })
  const others = otherPlaces.map((at) => new ScriptedPhone(w.trunk, w.clock, { ...at, user: 'asterisk' }))
  for (const o of others) o.answer = w.answering
  const another = (port: number) => w.phone({ port, callId: `call-${port}`, user: `user-${port}` })
  return { w, others, another, at: () => w.places!.way().remote }
}
const invites = (p: ScriptedPhone): SipRequest[] => p.requests.filter((r) => r.method === 'INVITE')
/** Retransmissions are one. */
const transactions = (requests: readonly SipRequest[]): number => new Set(requests.map((r) => r.via[0]!.text)).size
const asks = (phone: ScriptedPhone): string => phone.send('REGISTER', { uri: 'sip:pbx.example', to: `<sip:${phone.user}@pbx.example>`, headers: ['Expires: 300'] })

test('what has had no answer for three seconds goes to the next place, as a transaction of its own; its ACK too', () => {
  const { w, others: [other] } = providerIn(2)
  const phone = w.phone()
  w.pbx.answer = () => undefined
  phone.invite({ uri: 'sip:2002@127.0.0.1' })
  w.clock.advanceSync(3100)
  assert.deepEqual(phone.shown(), ['100 INVITE', '200 INVITE'])
  assert.deepEqual([transactions(w.pbx.requests), other!.requests.length], [1, 1])
  assert.notEqual(w.pbx.requests[0]!.via[0]!.text, other!.requests[0]!.via[0]!.text)
  const target = uriOf(headerOf(phone.responses.at(-1)!, 'Contact')!)
  phone.send('ACK', { uri: target })
  w.clock.advanceSync(50)
  assert.equal(other!.requests.at(-1)!.method, 'ACK')
  phone.send('BYE', { uri: target })
  w.clock.advanceSync(400_000)
  assert.deepEqual([w.endpoint.load, w.serverLoad()], [nothingLeft.server, nothingLeft.half])
})

test('calls that ring in a place that says nothing more for a while ring on, both ways', () => {
  const { w, others: [other], another, at } = providerIn(2)
  const [caller, callee, third] = [w.phone(), another(6001), another(6002)]
  const token = w.register(callee)
  w.pbx.answer = (r) => (r.method === 'INVITE' ? { status: 180 } : undefined)
  callee.answer = (r) => (r.method === 'INVITE' ? { status: 180 } : { status: 200 })
  caller.invite({ uri: 'sip:2002@127.0.0.1' })
  w.pbx.invite({ uri: token, to: `<${token}>`, body: pbxSdp })
  w.clock.advanceSync(1000)
  asks(third)
  w.clock.advanceSync(3100)
  assert.deepEqual([at(), third.last.status], [placeAt(1), 200], 'what was silent is asked elsewhere')
  assert.deepEqual([caller.last.status, callee.requests.map((r) => r.method), w.pbx.last.status], [180, ['INVITE'], 180])
  w.pbx.respond(invites(w.pbx)[0]!, 200, [], pbxSdp)
  callee.respond(callee.requests[0]!, 200, [], sdpOf())
  w.clock.advanceSync(50)
  assert.deepEqual([caller.last.status, w.pbx.last.status, invites(other!).length], [200, 200, 0])
})

test('what was asked a moment before the move is not asked twice while it may be answered, and moves when its own time is over', () => {
  const { w, others: [other], another, at } = providerIn(2)
  const [old, young] = [w.phone(), another(6001)]
  w.pbx.answer = () => undefined
  asks(old)
  w.clock.advanceSync(2900)
  young.invite({ uri: 'sip:2002@127.0.0.1' })
  w.clock.advanceSync(200)
  assert.deepEqual([at(), transactions(invites(w.pbx)), invites(other!).length], [placeAt(1), 1, 0])
  w.pbx.answer = w.answering
  w.clock.advanceSync(400)
  assert.deepEqual([young.last.status, transactions(invites(w.pbx)), invites(other!).length], [200, 1, 0], 'its second copy is answered where its first came')

  const dead = providerIn(2)
  dead.w.pbx.gone = true
  const [first, second] = [dead.w.phone(), dead.another(6001)]
  asks(first)
  dead.w.clock.advanceSync(2900)
  second.invite({ uri: 'sip:2002@127.0.0.1' })
  dead.w.clock.advanceSync(2900)
  assert.equal(invites(dead.others[0]!).length, 0)
  dead.w.clock.advanceSync(200)
  assert.deepEqual([second.last.status, invites(dead.others[0]!).length], [200, 1])
})

test('a place that was given up answers after all: that call is acknowledged and ended, and the other goes on', () => {
  const { w, others: [other] } = providerIn(2)
  const phone = w.phone()
  w.pbx.answer = (r) => (r.method === 'INVITE' ? undefined : { status: 200 })
  phone.invite({ uri: 'sip:2002@127.0.0.1' })
  w.clock.advanceSync(3100)
  assert.equal(phone.last.status, 200)
  phone.send('ACK', { uri: uriOf(headerOf(phone.last, 'Contact')!) })
  w.pbx.respond(invites(w.pbx)[0]!, 180)
  w.clock.advanceSync(50)
  assert.equal(transactions(w.pbx.requests), 1)
  w.pbx.respond(invites(w.pbx)[0]!, 200, [], pbxSdp)
  w.clock.advanceSync(50)
  assert.deepEqual(w.pbx.requests.slice(-2).map((r) => r.method), ['ACK', 'BYE'])
  assert.deepEqual([phone.requests, other!.requests.map((r) => r.method), w.serverLoad()?.dialogs], [[], ['INVITE', 'ACK'], 1])
})

test('nobody anywhere: each place is asked once, in turn, and help hears so within its four seconds', () => {
  const { w, others, another } = providerIn(8)
  const all = [w.pbx, ...others]
  const asked = (method: string): number[] => all.map((p) => transactions(p.requests.filter((r) => r.method === method)))
  for (const p of all) p.answer = () => undefined
  const help = w.phone()
  help.invite({ uri: 'sip:112@127.0.0.1' })
  w.clock.advanceSync(3900)
  assert.equal(help.last.status, 100)
  w.clock.advanceSync(200)
  assert.equal(help.last.status, 503)
  assert.deepEqual(asked('INVITE').slice(0, 3), [1, 1, 0], 'what there is time for')
  w.clock.advanceSync(60_000)
  asks(another(6001))
  w.clock.advanceSync(120_000)
  assert.deepEqual(asked('REGISTER'), all.map(() => 1))
  const copies = all.map((p) => p.requests.filter((r) => r.method === 'REGISTER').length).sort((a, b) => a - b)
  assert.deepEqual(copies, [3, 3, 3, 3, 3, 3, 3, 11], 'the last one has all the time that there is')
})

test('what was asked in both places is not asked there again when others go back to the first', () => {
  const { w, others: [other], another, at } = providerIn(2)
  for (const p of [w.pbx, other!]) p.answer = () => undefined
  asks(w.phone())
  w.clock.advanceSync(4000)
  asks(another(6001))
  w.clock.advanceSync(3100)
  assert.deepEqual(at(), pbxAt)
  const of = (p: ScriptedPhone, callId: string): number => transactions(p.requests.filter((r) => r.callId === callId))
  assert.deepEqual([w.pbx, other!].map((p) => [of(p, 'call-6000'), of(p, 'call-6001')]), [[1, 1], [1, 1]])
})

test('a request that nobody answers moves nobody back, and one that has to cross the world moves nobody at all', () => {
  const { w, others: [other], at } = providerIn(2)
  const phone = w.phone()
  w.pbx.answer = (r) => (r.method === 'INVITE' ? { status: 200, body: pbxSdp } : undefined)
  other!.answer = () => undefined
  phone.send('MESSAGE', { uri: 'sip:2002@127.0.0.1', body: 'hello', type: 'text/plain' })
  w.clock.advanceSync(40_000)
  assert.deepEqual([at(), other!.requests.length], [pbxAt, 0])
  asks(phone)
  w.clock.advanceSync(40_000)
  assert.deepEqual([at(), transactions(other!.requests)], [placeAt(1), 1])
})

test('what belongs to a call stays with it, early or standing, whichever place is asked now', () => {
  const { w, others: [other], another, at } = providerIn(2)
  const [phone, early, third] = [w.phone(), another(6001), another(6002)]
  const { target } = w.call(phone)
  w.pbx.answer = (r) => (r.method === 'INVITE' ? { status: 183, headers: ['Require: 100rel', 'RSeq: 7'], body: pbxSdp } : r.method === 'REGISTER' ? undefined : { status: 200 })
  early.invite({ uri: 'sip:2003@127.0.0.1' })
  w.clock.advanceSync(100)
  asks(third)
  w.clock.advanceSync(3100)
  assert.deepEqual(at(), placeAt(1))
  const before = other!.requests.length
  early.send('PRACK', { uri: uriOf(headerOf(early.last, 'Contact')!), to: early.last.to.text, headers: ['RAck: 7 1 INVITE'] })
  phone.send('INVITE', { uri: target, body: sdpOf(['m=audio 4000 RTP/AVP 0', 'a=sendonly']) })
  w.pbx.answer = w.answering
  w.clock.advanceSync(600)
  phone.send('ACK', { uri: target })
  phone.send('BYE', { uri: target })
  w.clock.advanceSync(100)
  assert.deepEqual(w.pbx.requests.filter((r) => ['PRACK', 'BYE'].includes(r.method)).map((r) => r.method), ['PRACK', 'BYE'])
  assert.deepEqual([other!.requests.length, phone.last.status], [before, 200])

  const dead = providerIn(2)
  const inside = dead.w.phone()
  const standing = dead.w.call(inside)
  dead.w.pbx.gone = true
  inside.send('INVITE', { uri: standing.target, body: sdpOf() })
  asks(dead.another(6001))
  dead.w.clock.advanceSync(60_000)
  assert.deepEqual([dead.at(), inside.last.status, invites(dead.others[0]!).length], [placeAt(1), 503, 0], 'the other place knows nothing of it')

  const slow = providerIn(2)
  const talking = slow.w.phone()
  const call = slow.w.call(talking)
  slow.w.pbx.answer = () => undefined
  talking.send('INFO', { uri: call.target })
  asks(slow.another(6001))
  slow.w.clock.advanceSync(3100)
  assert.deepEqual(slow.at(), placeAt(1))
  slow.w.pbx.answer = slow.w.answering
  slow.w.clock.advanceSync(4000)
  assert.deepEqual([talking.last.cseq.method, talking.last.status], ['INFO', 200], 'it is repeated where the call is')
})

test('a subscription is refreshed where it was made', () => {
  const { w, others: [other], another, at } = providerIn(2)
  const phone = w.phone()
  phone.send('SUBSCRIBE', { uri: 'sip:2002@127.0.0.1', headers: ['Event: dialog', 'Expires: 300'] })
  w.clock.advanceSync(50)
  const [first] = phone.responses.slice(-1)
  assert.equal(first!.status, 200)
  w.pbx.answer = (r) => (r.method === 'REGISTER' ? undefined : { status: 200 })
  asks(another(6001))
  w.clock.advanceSync(3100)
  assert.deepEqual(at(), placeAt(1))
  phone.send('SUBSCRIBE', { uri: uriOf(headerOf(first!, 'Contact')!), to: first!.to.text, headers: ['Event: dialog', 'Expires: 300'] })
  w.clock.advanceSync(50)
  assert.deepEqual([phone.last.status, phone.last.cseq.number, w.pbx.requests.at(-1)!.cseq.method], [200, phone.cseq, 'SUBSCRIBE'])
  assert.deepEqual(other!.requests.map((r) => r.method), ['REGISTER'])
})

test('the place before is kept open for calls to us, and one that never said anything is not', () => {
  const { w, others, at } = providerIn(3)
  const phone = w.phone()
  const token = w.register(phone)
  w.pbx.answer = () => undefined
  asks(phone)
  w.clock.advanceSync(3100)
  assert.deepEqual(at(), placeAt(1))
  const before = w.pbx.keptOpen
  w.clock.advanceSync(100_000)
  assert.deepEqual([w.pbx.keptOpen - before, others[0]!.keptOpen, others[1]!.keptOpen], [4, 4, 0])
  phone.answer = () => ({ status: 200, body: sdpOf() })
  w.pbx.invite({ uri: token, to: `<${token}>`, body: pbxSdp })
  w.clock.advanceSync(50)
  assert.equal(w.pbx.last.status, 200)
})
