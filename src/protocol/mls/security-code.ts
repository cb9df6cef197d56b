/** The security code of a conference: equal on all screens unless the group was forked or split. */
import { utf8 } from '../../base/bytes.ts'
import type { CryptoPort } from '../../crypto/port.ts'

const GROUPS = 6
const OCTETS = 5

/** 30 digits in groups of five, from the epoch authenticator (RFC 9420 §8.7). */
export function securityCode(crypto: CryptoPort, epochAuthenticator: Uint8Array): string {
  const hash = crypto.hash('sha512', utf8('stc security code v1'), epochAuthenticator)
  return Array.from({ length: GROUPS }, (_, g) => {
    let n = 0
    for (let i = 0; i < OCTETS; i++) n = n * 256 + hash[g * OCTETS + i]!
    return String(n % 100_000).padStart(5, '0')
  }).join(' ')
}
