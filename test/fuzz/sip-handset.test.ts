/** Whole conversations with mutated messages: the handset never throws, always ends, and leaves nothing behind. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { nothing, sdpOf, simHandset } from '../kit/sip-phone.ts'

const methods = ['INVITE', 'INVITE', 'ACK', 'BYE', 'CANCEL', 'UPDATE', 'PRACK', 'INFO', 'OPTIONS', 'REGISTER', 'MESSAGE', 'NEW']
const headers = ['Require: 100rel', 'Supported: timer', 'Session-Expires: 90;refresher=uas', 'Session-Expires: 30', 'RAck: 1 1 INVITE', 'Expires: 0', 'Allow: UPDATE', 'Replaces: x', 'Accept: */*', 'Contact: <sip:x@y>']
const bodies = ['', sdpOf(), sdpOf(['m=audio 4000 RTP/AVP 9', 'a=sendonly']), sdpOf(['m=audio 0 RTP/AVP 0']), 'v=0', 'Signal=1']

test('random conversations', () => {
  const move = fc.record({
    method: fc.constantFrom(...methods), headers: fc.subarray(headers, { maxLength: 3 }), body: fc.constantFrom(...bodies), newDialog: fc.boolean(),
    command: fc.constantFrom('', '', 'ringing', 'answer', 'refuse', 'hangup'), wait: fc.constantFrom(0, 1, 600, 40_000), phoneStatus: fc.constantFrom(200, 200, 481, 491, 500, 0),
  })
  fc.assert(fc.property(fc.array(move, { maxLength: 8 }), fc.constantFrom('UDP' as const, 'TCP' as const), (moves, transport) => {
    const s = simHandset({ transport, srtp: 'offered' })
    const p = s.phone()
    for (const m of moves) {
      if (m.newDialog) p.to = '<sip:room@127.0.0.1>'
      p.answer = () => (m.phoneStatus === 0 ? undefined : { status: m.phoneStatus, body: m.body })
      p.send(m.method, { headers: m.headers, body: m.body })
      if (m.command !== '' && s.dials().length > 0) {
        const { call } = s
        if (m.command === 'answer') s.answer()
        else s.handset.command(m.command === 'refuse' ? { kind: 'refuse', call, status: 486, reason: 'x' } : { kind: m.command as 'ringing' | 'hangup', call, reason: 'x' })
      }
      s.clock.advanceSync(m.wait)
    }
    p.gone = true
    for (const d of s.dials()) s.handset.command({ kind: 'hangup', call: d.call, reason: 'end' })
    s.clock.advanceSync(4_000_000)
    assert.deepEqual({ ...s.handset.load, timers: s.clock.pending }, nothing)
    const ended = s.events.filter((e) => e.kind === 'ended').map((e) => e.call)
    assert.deepEqual([...ended].sort(), s.dials().map((d) => d.call).sort(), 'every call ends once')
  }), { numRuns: 150 })
})
