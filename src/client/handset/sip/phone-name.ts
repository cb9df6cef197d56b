/** What makes two contacts the same phone. */
import { type Address, paramOf, unquote } from '../../../protocol/sip/index.ts'
import type { SipFlow } from '../../../telephony/index.ts'

/**
 * `user@host:port`. The user part of a Contact is left out: phones make up a new one at each start (baresip), and a
 * phone that crashed and came back must be known again. For the same reason the port of a connection that the phone
 * opened says nothing; there the phone's instance identifier stands (RFC 5626 §4.1), if it has one.
 */
export function phoneName(user: string, contact: Address, flow: SipFlow): string {
  const { uri } = contact
  if (uri.kind !== 'sip') return uri.text
  const host = uri.host.toLowerCase()
  const port = uri.port ?? (uri.scheme === 'sips' ? 5061 : 5060)
  if (flow.transport === 'UDP' || port !== flow.remote.port) return `${user}@${host}:${port}`
  const instance = unquote(paramOf(contact.params, '+sip.instance') ?? '').replace(/[<>]/g, '')
  return instance === '' ? `${user}@${host}` : `${user}@${host}/${instance}`
}
