/** Several providers behind one set of phones: who gets what, and whose answer is whose. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { utf8 } from '../../../../src/base/bytes.ts'
import { InsideCalls } from '../../../../src/client/provider/inside-calls.ts'
import type { Provider } from '../../../../src/client/provider/provider.ts'
import { Providers } from '../../../../src/client/provider/providers.ts'
import type { TunnelMessage } from '../../../../src/telephony/relay/index.ts'
import { crypto } from '../../../kit/certificates.ts'

class Stub {
  up = true
  readonly got: TunnelMessage[] = []
  closed = 0
  receive(m: TunnelMessage): void {
    this.got.push(m)
  }
  close(): void {
    this.closed++
  }
  get ids(): number[] {
    return this.got.map((m) => ('id' in m ? m.id : -1))
  }
}
const asProvider = (s: Stub): Provider => s as unknown as Provider
const text = (start: string, from: string, callId: string, cseq: string, to = '<sip:x@example.org>'): Uint8Array =>
  utf8([start, 'Via: SIP/2.0/TLS stc.invalid;branch=z9hG4bKstc', `From: <sip:anna@${from}>;tag=a`, `To: ${to}`, `Call-ID: ${callId}`, `CSeq: ${cseq}`, 'Max-Forwards: 70', 'Content-Length: 0', '', ''].join('\r\n'))
const request = (id: number, from: string, callId = `call-${id}`, method = 'INVITE'): TunnelMessage => ({ k: 'sip-request', id, message: text(`${method} sip:x@example.org SIP/2.0`, from, callId, `1 ${method}`) })
const response = (id: number, status: number, callId = `call-${id}`): TunnelMessage => ({ k: 'sip-response', id, message: text(`SIP/2.0 ${status} X`, 'one.test', callId, '1 INVITE', '<sip:x@example.org>;tag=b') })

function world() {
  const [one, two] = [new Stub(), new Stub()]
  const passed: string[] = []
  const accounts: string[] = []
  const all = new Providers([{ domains: ['one.test'], provider: asProvider(one) }, { domains: ['two.test', 'zwei.test'], provider: asProvider(two) }], (towards, m, _, account) => {
    passed.push(`${towards} ${m.k}`)
    accounts.push(account)
  })
  return { one, two, all, passed, accounts }
}

test('each request goes to the provider whose account it uses; of no domain that is named, to the first', () => {
  const { one, two, all } = world()
  for (const [id, domain] of [[1, 'one.test'], [2, 'TWO.test'], [3, 'zwei.test'], [4, 'elsewhere.test']] as const) assert.ok(all.send(request(id, domain)).ok)
  assert.deepEqual([one.got.length, two.got.length], [2, 2])
})

test('a call is known by the domain of its account: the provider\'s, or of several the one that it names', () => {
  const { one, two, all, accounts } = world()
  for (const [id, domain] of [[1, 'one.test'], [2, 'TWO.test'], [3, 'zwei.test'], [4, 'elsewhere.test']] as const) all.send(request(id, domain))
  all.from(asProvider(one), request(1, '192.0.2.1', 'from-one'))
  all.from(asProvider(two), request(1, '192.0.2.1', 'from-two'))
  all.from(asProvider(two), request(2, 'zwei.test', 'from-zwei'))
  assert.deepEqual(accounts, ['one.test', 'two.test', 'zwei.test', 'one.test', 'one.test', '', 'zwei.test'])
})

test('what follows in a call goes where the call is, whatever it is written from', () => {
  const { one, two, all } = world()
  all.send(request(1, 'two.test', 'running'))
  all.send(request(2, 'one.test', 'running', 'BYE'))
  all.send({ k: 'sip-ack', message: text('ACK sip:x@example.org SIP/2.0', 'one.test', 'running', '1 ACK') })
  assert.deepEqual([one.got.length, two.got.map((m) => m.k)], [0, ['sip-request', 'sip-request', 'sip-ack']])
})

test('a provider that cannot be reached is said at once, and the other is not bothered', () => {
  const { one, two, all } = world()
  two.up = false
  const done = all.send(request(1, 'two.test'))
  assert.deepEqual([done.ok, !done.ok && done.fault.code], [false, 'RELAY_DOWN'])
  assert.deepEqual([one.got, two.got, all.up], [[], [], true])
  one.up = false
  assert.equal(all.up, false)
})

test('answers carry the number of the phones\' half, also where both providers count alike', () => {
  const { one, two, all } = world()
  all.send(request(70, 'one.test'))
  all.send(request(71, 'two.test'))
  assert.notEqual(one.ids[0], two.ids[0])
  const back = [[two, 71], [one, 70]] as const
  for (const [stub, id] of back) assert.deepEqual((all.from(asProvider(stub), response(stub.ids[0]!, 180, `call-${id}`)) as { readonly id: number }).id, id)
  // A number that nobody was asked under is nobody's answer.
  assert.equal(all.from(asProvider(one), response(999, 200)), undefined)
})

test('a cancel reaches the provider that was asked, under the number that it knows', () => {
  const { one, two, all } = world()
  all.send(request(5, 'two.test'))
  all.send({ k: 'sip-cancel', id: 5 } as TunnelMessage)
  all.send({ k: 'sip-cancel', id: 6 } as TunnelMessage)
  assert.deepEqual([one.got.length, two.got.map((m) => m.k), new Set(two.ids).size], [0, ['sip-request', 'sip-cancel'], 1])
})

test('requests of two providers under one number are two for the phones, and each gets its own answer', () => {
  const { one, two, all } = world()
  const given = [one, two].map((s) => (all.from(asProvider(s), request(1, 'one.test', s === one ? 'a' : 'b')) as { readonly id: number }).id)
  assert.equal(new Set(given).size, 2)
  all.send(response(given[1]!, 200, 'b'))
  all.send(response(given[0]!, 486, 'a'))
  assert.deepEqual([one.ids, two.ids], [[1], [1]])
  assert.equal((all.from(asProvider(two), { k: 'sip-cancel', id: 1 } as TunnelMessage) as { readonly id: number }).id, given[1])
  all.send(response(12345, 200))
  assert.deepEqual([one.got.length, two.got.length], [1, 1], 'an answer to nothing goes nowhere')
})

test('what passes is seen by whoever watches; octets that are no SIP pass to nobody', () => {
  const { one, two, all, passed } = world()
  all.send(request(1, 'one.test'))
  all.from(asProvider(one), response(one.ids[0]!, 200, 'call-1'))
  assert.deepEqual(passed, ['provider sip-request', 'phone sip-response'])
  const bad = all.send({ k: 'sip-request', id: 2, message: utf8('no SIP') })
  assert.deepEqual([bad.ok, one.got.length, two.got.length], [false, 1, 0])
})

test('what is ours inside a call gets its answer, and the phones never see it', () => {
  const [one] = [new Stub()]
  const inside = new InsideCalls({ random: crypto, onNews: () => {} })
  const all = new Providers([{ domains: ['one.test'], provider: asProvider(one) }], () => {}, inside)
  all.send({ ...request(1, 'one.test', 'ours'), streams: { up: 5, down: 5 } } as TunnelMessage)
  const answered = { k: 'sip-response', id: one.ids[0]!, message: utf8(['SIP/2.0 200 OK', 'Via: SIP/2.0/TLS stc.invalid;branch=z9hG4bKstc', 'From: <sip:anna@one.test>;tag=a', 'To: <sip:x@example.org>;tag=b', 'Call-ID: ours', 'CSeq: 1 INVITE', 'Contact: <sip:x@192.0.2.7>', 'Content-Length: 0', '', ''].join('\r\n')) } as TunnelMessage
  assert.ok(all.from(asProvider(one), answered) !== undefined)
  all.send({ k: 'sip-ack', message: text('ACK sip:x@example.org SIP/2.0', 'one.test', 'ours', '1 ACK', '<sip:x@example.org>;tag=b') })
  inside.probe(5)
  const [probe] = one.got.slice(-1)
  assert.equal(probe!.k, 'sip-request')
  const { id } = probe as { readonly id: number }
  assert.equal(all.from(asProvider(one), response(id, 100, 'ours')), undefined)
  assert.equal(all.from(asProvider(one), response(id, 200, 'ours')), undefined)
  assert.equal(all.from(asProvider(one), response(id, 200, 'ours')), undefined, 'once')
  all.close()
  assert.equal(one.closed, 1)
})
