/** The code that two people compare once: from both end-entity keys, the same on both screens, and for as long as they keep their keys. */
import { concat, fromHex, utf8 } from '../../base/bytes.ts'
import type { CryptoPort } from '../../crypto/port.ts'

const GROUPS = 6
const OCTETS = 5

/** 30 digits in groups of five. `a`, `b`: `Identity.keyId`. */
export function pairwiseCode(crypto: Pick<CryptoPort, 'hash'>, a: string, b: string): string {
  const [first, second] = [a, b].sort().map((id) => fromHex(id) ?? new Uint8Array(0))
  const hash = crypto.hash('sha512', concat(utf8('stc pairwise code v1'), first!, second!))
  return Array.from({ length: GROUPS }, (_, g) => {
    let n = 0
    for (let i = 0; i < OCTETS; i++) n = n * 256 + hash[g * OCTETS + i]!
    return String(n % 100_000).padStart(5, '0')
  }).join(' ')
}
