/** The request of one method in what passes between the two halves; everything else is told by its first octets, and not read. */
import { parseMessage, type SipRequest } from '../../protocol/sip/index.ts'
import type { TunnelMessage } from '../../telephony/relay/index.ts'

export function requestIn(m: Extract<TunnelMessage, { k: 'sip-request' }>, method: string): SipRequest | undefined {
  if (![...`${method} `].every((c, i) => m.message[i] === c.charCodeAt(0))) return undefined
  const parsed = parseMessage(m.message, { stream: true })
  return parsed.ok && parsed.value.kind === 'request' ? parsed.value : undefined
}
