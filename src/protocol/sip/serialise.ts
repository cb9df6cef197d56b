/** Messages to octets (RFC 3261 §7). */
import { concat, utf8 } from '../../base/bytes.ts'
import type { SipMessage } from './message.ts'

/** Content-Length is always written. Throws where a value holds a line break: that would be our own bug. */
export function serialise(m: SipMessage): Uint8Array {
  const start = m.kind === 'request' ? `${m.method} ${m.uri.text} SIP/2.0` : `SIP/2.0 ${m.status} ${m.reason}`
  const lines = [
    start,
    ...m.via.map((v) => `Via: ${v.text}`),
    ...(m.kind === 'request' ? [`Max-Forwards: ${m.maxForwards}`] : []),
    `From: ${m.from.text}`,
    `To: ${m.to.text}`,
    `Call-ID: ${m.callId}`,
    `CSeq: ${m.cseq.number} ${m.cseq.method}`,
    ...m.headers.map((h) => `${h.name}: ${h.value}`),
    `Content-Length: ${m.body.length}`,
  ]
  if (lines.some((l) => /[\r\n]/.test(l))) throw new Error('line break inside a SIP header field')
  return concat(utf8(`${lines.join('\r\n')}\r\n\r\n`), m.body)
}
