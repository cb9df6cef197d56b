/** Mutated octets into the SIP parser: a result, never an exception, and what is accepted can be written again. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { utf8 } from '../../src/base/bytes.ts'
import { must } from '../../src/base/result.ts'
import { inspectRequest } from '../../src/protocol/sip/inspect.ts'
import { parseMessage } from '../../src/protocol/sip/parse.ts'
import { refuseRaw } from '../../src/protocol/sip/reply.ts'
import { serialise } from '../../src/protocol/sip/serialise.ts'
import { SipStream } from '../../src/protocol/sip/stream.ts'

const invite = utf8([
  'INVITE sip:al%20ice@[2001:db8::1]:5060;transport=tcp SIP/2.0', 'v: SIP/2.0/TCP [2001:db8::2]:5062;branch=z9hG4bKab;rport, SIP/2.0/UDP p.example.com;branch=z9hG4bKcd',
  'From: "A \\"B\\"" <sip:a@example.com>;tag=1', 't: C d <sip:b@example.com;lr?x=y>', 'Call-ID: x@y', 'CSeq: 2 INVITE', 'Max-Forwards: 70', 'm: <sip:a@192.0.2.1>;q=0.1;expires=60',
  'Supported: timer, 100rel', 'Session-Expires: 1800;refresher=uac', 'Route: <sip:p;lr>,', ' <sip:q;lr>', 'Authorization: Digest username="a", nc=00000001', 'Content-Type: application/sdp', 'l: 4', '', 'v=0',
].join('\r\n'))

/** A few octets replaced, removed, doubled or cut out of the valid message. */
const mutated = fc.array(fc.tuple(fc.nat(invite.length - 1), fc.constantFrom('set', 'drop', 'double', 'cut'), fc.oneof(fc.nat(255), fc.constantFrom(13, 10, 34, 60, 62, 44, 59, 58, 32, 64))), { minLength: 1, maxLength: 5 }).map((edits) => {
  let bytes = [...invite]
  for (const [at, kind, value] of edits) {
    if (kind === 'set') bytes[at % bytes.length] = value
    else if (kind === 'drop') bytes.splice(at % bytes.length, 1)
    else if (kind === 'double') bytes.splice(at % bytes.length, 0, ...bytes.slice(at % bytes.length, (at % bytes.length) + value))
    else bytes = bytes.slice(0, Math.max(1, at))
  }
  return new Uint8Array(bytes)
})
const served = { methods: ['INVITE'], extensions: ['timer'], bodies: { INVITE: ['application/sdp'] } }

test('mutated messages', () => {
  fc.assert(fc.property(mutated, (bytes) => {
    refuseRaw(bytes, 400, 'x')
    must(new SipStream().push(new Uint8Array(0)))
    new SipStream().push(bytes)
    const r = parseMessage(bytes)
    if (!r.ok) return
    if (r.value.kind === 'request') inspectRequest(r.value, served)
    assert.deepEqual(must(parseMessage(serialise(r.value))), r.value)
  }), { numRuns: 2500 })
})

test('random octets', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
    parseMessage(bytes)
    refuseRaw(bytes, 400, 'x')
  }), { numRuns: 2000 })
})
