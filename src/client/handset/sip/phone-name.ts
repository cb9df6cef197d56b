/** What makes two contacts the same phone. */
import type { Uri } from '../../../protocol/sip/index.ts'

/**
 * `user@host:port`. The user part of a Contact is left out: phones make up a new one at each start (baresip), and a
 * phone that crashed and came back must be known again.
 */
export function phoneName(user: string, contact: Uri): string {
  if (contact.kind !== 'sip') return contact.text
  return `${user}@${contact.host.toLowerCase()}:${contact.port ?? (contact.scheme === 'sips' ? 5061 : 5060)}`
}
