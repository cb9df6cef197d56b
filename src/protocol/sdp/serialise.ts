/** Session descriptions to text (RFC 8866). */
import { utf8 } from '../../base/bytes.ts'
import type { Attribute, SessionDescription } from './session.ts'

const family = (address: string): string => (address.includes(':') ? `IN IP6 ${address}` : `IN IP4 ${address}`)
const attribute = (a: Attribute): string => (a.value === undefined ? `a=${a.name}` : `a=${a.name}:${a.value}`)

export function serialiseSdp(s: SessionDescription): Uint8Array {
  const lines = [
    'v=0',
    `o=${s.origin.user} ${s.origin.sessionId} ${s.origin.version} ${family(s.origin.address)}`,
    's=-',
    ...(s.connection === undefined ? [] : [`c=${family(s.connection)}`]),
    't=0 0',
    ...s.attributes.map(attribute),
    ...s.media.flatMap((m) => [
      `m=${m.kind} ${m.port} ${m.protocol} ${m.formats.join(' ')}`,
      ...(m.connection === undefined ? [] : [`c=${family(m.connection)}`]),
      ...m.attributes.map(attribute),
    ]),
  ]
  return utf8(`${lines.join('\r\n')}\r\n`)
}
