import assert from 'node:assert/strict'
import { test } from 'node:test'
import { instant } from '../../../../src/base/brand.ts'
import type { Instant } from '../../../../src/base/brand.ts'
import { utf8 } from '../../../../src/base/bytes.ts'
import type { Machine } from '../../../../src/base/machine.ts'
import { must } from '../../../../src/base/result.ts'
import type { SipRequest } from '../../../../src/protocol/sip/message.ts'
import { parseMessage } from '../../../../src/protocol/sip/parse.ts'
import { makeReply } from '../../../../src/protocol/sip/reply.ts'
import { InviteClientTransaction } from '../../../../src/protocol/sip/transaction/invite-client.ts'
import { InviteServerTransaction } from '../../../../src/protocol/sip/transaction/invite-server.ts'
import { serverKey } from '../../../../src/protocol/sip/transaction/match.ts'
import { NonInviteClientTransaction } from '../../../../src/protocol/sip/transaction/non-invite-client.ts'
import { NonInviteServerTransaction } from '../../../../src/protocol/sip/transaction/non-invite-server.ts'
import type { ClientIn, ClientOut, ServerIn, ServerOut } from '../../../../src/protocol/sip/transaction/types.ts'

const requestOf = (method: string, branch = 'z9hG4bKx', to = '<sip:b@c>'): SipRequest => must(parseMessage(utf8(
  `${method} sip:b@c SIP/2.0\r\nVia: SIP/2.0/UDP h:5060;branch=${branch}\r\nFrom: <sip:a@c>;tag=1\r\nTo: ${to}\r\nCall-ID: i\r\nCSeq: 7 ${method === 'ACK' ? 'ACK' : method}\r\nRoute: <sip:r;lr>\r\n\r\n`,
))) as SipRequest

/** Steps a machine, then lets its timers run until it sleeps or `untilMs`; what came out, with its time. */
function drive<In, Out>(machine: Machine<In | { kind: 'tick' }, Out>, inputs: readonly [number, In][], untilMs: number, show: (o: Out) => string): string[] {
  const log: string[] = []
  let wakeAt: Instant | undefined
  const queue = [...inputs]
  for (;;) {
    const next = queue[0]?.[0] ?? Number.POSITIVE_INFINITY
    const at = Math.min(next, wakeAt ?? Number.POSITIVE_INFINITY)
    if (at > untilMs) return log
    const step = at === next ? machine.step(queue.shift()![1], instant(at)) : machine.step({ kind: 'tick' }, instant(at))
    for (const o of step.out) log.push(`${at} ${show(o)}`)
    wakeAt = step.wakeAt
  }
}
const showClient = (o: ClientOut): string => (o.kind === 'send' ? o.request.method : o.kind === 'response' ? `up ${o.response.status}` : o.kind === 'failed' ? o.why : 'ended')
const showServer = (o: ServerOut): string => (o.kind === 'send' ? String(o.response.status) : o.kind === 'request' ? `up ${o.request.method}` : o.kind === 'failed' ? o.why : 'ended')
const response = (request: SipRequest, status: number): ClientIn => ({ kind: 'response', response: makeReply(request, status, { tag: 't' }) })
const respond = (request: SipRequest, status: number): ServerIn => ({ kind: 'respond', response: makeReply(request, status, { tag: 't' }) })
const start: ClientIn = { kind: 'start' }

test('INVITE client, unreliable: timer A doubles, timer B ends it after 32 s', () => {
  const log = drive(new InviteClientTransaction(requestOf('INVITE'), false), [[0, start]], 1e6, showClient)
  assert.deepEqual(log, ['0 INVITE', '500 INVITE', '1500 INVITE', '3500 INVITE', '7500 INVITE', '15500 INVITE', '31500 INVITE', '32000 timeout', '32000 ended'])
})

test('INVITE client, reliable: sent once', () => {
  assert.deepEqual(drive(new InviteClientTransaction(requestOf('INVITE'), true), [[0, start]], 1e6, showClient), ['0 INVITE', '32000 timeout', '32000 ended'])
})

test('INVITE client: a provisional response stops retransmission and the timeout', () => {
  const r = requestOf('INVITE')
  assert.deepEqual(drive(new InviteClientTransaction(r, false), [[0, start], [100, response(r, 180)]], 1e6, showClient), ['0 INVITE', '100 up 180'])
})

test('INVITE client: a refusal is acknowledged, again when it comes again, for 32 s', () => {
  const r = requestOf('INVITE')
  const log = drive(new InviteClientTransaction(r, false), [[0, start], [10, response(r, 486)], [600, response(r, 486)], [700, response(r, 180)]], 1e6, showClient)
  assert.deepEqual(log, ['0 INVITE', '10 ACK', '10 up 486', '600 ACK', '32010 ended'])
})

test('INVITE client: the ACK of a refusal has the branch, the Route and the To of the answer', () => {
  const r = requestOf('INVITE')
  const t = new InviteClientTransaction(r, true)
  t.step(start, instant(0))
  const out = t.step(response(r, 404), instant(1)).out
  assert.ok(out[0]?.kind === 'send')
  const ack = out[0].request
  assert.deepEqual([ack.via[0]!.text, ack.to.text, ack.cseq, ack.headers], [r.via[0]!.text, '<sip:b@c>;tag=t', { number: 7, method: 'ACK' }, [{ name: 'Route', value: '<sip:r;lr>' }]])
})

test('INVITE client: every 2xx goes up until timer M (RFC 6026)', () => {
  const r = requestOf('INVITE')
  const log = drive(new InviteClientTransaction(r, false), [[0, start], [10, response(r, 200)], [510, response(r, 200)], [600, response(r, 486)]], 1e6, showClient)
  assert.deepEqual(log, ['0 INVITE', '10 up 200', '510 up 200', '32010 ended'])
})

test('non-INVITE client: E doubles to T2, F ends, K absorbs', () => {
  const r = requestOf('OPTIONS')
  const sends = drive(new NonInviteClientTransaction(r, false), [[0, start]], 1e6, showClient)
  assert.deepEqual(sends.slice(0, 6), ['0 OPTIONS', '500 OPTIONS', '1500 OPTIONS', '3500 OPTIONS', '7500 OPTIONS', '11500 OPTIONS'])
  assert.deepEqual(sends.slice(-2), ['32000 timeout', '32000 ended'])
  const answered = drive(new NonInviteClientTransaction(r, false), [[0, start], [50, response(r, 200)], [60, response(r, 200)]], 1e6, showClient)
  assert.deepEqual(answered, ['0 OPTIONS', '50 up 200', '5050 ended'])
  const slow = drive(new NonInviteClientTransaction(r, false), [[0, start], [50, response(r, 100)]], 9000, showClient)
  assert.deepEqual(slow, ['0 OPTIONS', '50 up 100', '500 OPTIONS', '4500 OPTIONS', '8500 OPTIONS'])
  assert.deepEqual(drive(new NonInviteClientTransaction(r, true), [[0, start], [9, { kind: 'unreachable' }]], 1e6, showClient), ['0 OPTIONS', '9 unreachable', '9 ended'])
})

test('INVITE server: 100 at once, retransmissions get the last response, timer G and H without ACK', () => {
  const r = requestOf('INVITE')
  const again: ServerIn = { kind: 'request', request: r }
  const log = drive(new InviteServerTransaction(false), [[0, again], [1, again], [2, respond(r, 180)], [3, again], [10, respond(r, 486)], [20, again]], 1e6, showServer)
  assert.deepEqual(log.slice(0, 6), ['0 100', '0 up INVITE', '1 100', '2 180', '3 180', '10 486'])
  assert.deepEqual(log.slice(6, 11), ['20 486', '510 486', '1510 486', '3510 486', '7510 486'])
  assert.deepEqual(log.slice(-2), ['32010 timeout', '32010 ended'])
})

test('INVITE server: ACK confirms a refusal, timer I absorbs the next', () => {
  const r = requestOf('INVITE')
  const ack: ServerIn = { kind: 'request', request: requestOf('ACK') }
  const log = drive(new InviteServerTransaction(false), [[0, { kind: 'request', request: r }], [10, respond(r, 486)], [20, ack], [30, ack]], 1e6, showServer)
  assert.deepEqual(log, ['0 100', '0 up INVITE', '10 486', '5020 ended'])
})

test('INVITE server: after 2xx retransmitted INVITEs are absorbed, 2xx may be repeated by the user, ACK goes up', () => {
  const r = requestOf('INVITE')
  const again: ServerIn = { kind: 'request', request: r }
  const log = drive(new InviteServerTransaction(false), [[0, again], [10, respond(r, 200)], [20, again], [510, respond(r, 200)], [520, respond(r, 486)], [530, { kind: 'request', request: requestOf('ACK') }]], 1e6, showServer)
  assert.deepEqual(log, ['0 100', '0 up INVITE', '10 200', '510 200', '530 up ACK', '32010 ended'])
})

test('non-INVITE server: nothing until answered, then the answer again, until timer J', () => {
  const r = requestOf('BYE')
  const again: ServerIn = { kind: 'request', request: r }
  const log = drive(new NonInviteServerTransaction(false), [[0, again], [5, again], [10, respond(r, 200)], [20, again], [30, respond(r, 500)]], 1e6, showServer)
  assert.deepEqual(log, ['0 up BYE', '10 200', '20 200', '32010 ended'])
  assert.deepEqual(drive(new NonInviteServerTransaction(true), [[0, again], [10, respond(r, 200)]], 1e6, showServer), ['0 up BYE', '10 200', '10 ended'])
  assert.deepEqual(drive(new NonInviteServerTransaction(true), [[0, again]], 1e6, showServer), ['0 up BYE', '32000 ended'], 'a request that nobody answers is forgotten')
})

test('keys: ACK matches its INVITE, CANCEL does when asked, RFC 2543 branches too', () => {
  assert.equal(serverKey(requestOf('ACK')), serverKey(requestOf('INVITE')))
  assert.notEqual(serverKey(requestOf('CANCEL')), serverKey(requestOf('INVITE')))
  assert.equal(serverKey(requestOf('CANCEL'), 'INVITE'), serverKey(requestOf('INVITE')))
  assert.equal(serverKey(requestOf('ACK', '1', '<sip:b@c>;tag=t')), serverKey(requestOf('INVITE', '1')))
  assert.notEqual(serverKey(requestOf('INVITE', 'z9hG4bKy')), serverKey(requestOf('INVITE')))
})
