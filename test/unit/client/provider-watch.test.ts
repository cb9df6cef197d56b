/** What is read off the messages of calls through providers. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { utf8 } from '../../../src/base/bytes.ts'
import { must } from '../../../src/base/result.ts'
import { CallWatch } from '../../../src/client/provider/watch.ts'
import { parseMessage } from '../../../src/protocol/sip/index.ts'

const LEG = 7
const HEADERS = ['From: <sip:anna@192.0.2.1>;tag=a', 'Call-ID: one', 'CSeq: 1 INVITE', 'Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1', 'Max-Forwards: 70', 'Contact: <sip:anna@192.0.2.1>', 'Content-Length: 0', '', '']
const message = (first: string, to: string): Uint8Array => utf8([first, `To: <sip:box@192.0.2.9>${to}`, ...HEADERS].join('\r\n'))
const described = { address: '192.0.2.9', port: 4000, rtcpPort: 4001, receives: true, sends: true, ptimeMs: 20, formats: [{ payloadType: 0, name: 'pcmu', clockHz: 8000, channels: 1 }] } as const

test('a call that is answered with nothing before the 200 is known with its codec, and then as answered', () => {
  const told: string[] = []
  const watch = new CallWatch({ isEmergency: () => false, onCall: (c) => told.push(`call ${c.call} to ${c.number}`), onNews: (call, n) => told.push(`${call} ${n.kind}${n.kind === 'media' ? ` ${n.codec}` : ''}`) })
  const invite = message('INVITE sip:box@192.0.2.9 SIP/2.0', '')
  watch.passing('provider', { k: 'sip-request', id: 1, message: invite }, must(parseMessage(invite, { stream: false })))
  // The provider's half has read the answer before it hands it on.
  watch.onDescribed({ call: LEG, side: 'provider', local: described, far: described })
  assert.deepEqual(told, [])
  const ok = message('SIP/2.0 200 OK', ';tag=b')
  watch.passing('phone', { k: 'sip-response', id: 1, message: ok, streams: { up: LEG, down: LEG } }, must(parseMessage(ok, { stream: false })))
  assert.deepEqual(told, [`call ${LEG} to box`, `${LEG} media pcmu`, `${LEG} answered`])
  watch.onClosed(LEG)
  assert.equal(told.at(-1), `${LEG} over`)
})
