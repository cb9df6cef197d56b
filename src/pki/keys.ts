/** New keys: ECDSA P-256, which every TLS library and card knows and which signs in a fraction of a millisecond. */
import { concat } from '../base/bytes.ts'
import type { CryptoPort } from '../crypto/port.ts'
import { bitString, integer, octetString, oid, sequence, tagged } from './der.ts'

/** PKCS#8 (RFC 5958) of a new P-256 key; `seed` (32 octets) makes it deterministic. */
export function newKey(crypto: CryptoPort, seed?: Uint8Array): Uint8Array {
  const { publicKey, privateKey } = crypto.signatureKeyPair('ecdsa-p256-sha256', seed)
  const algorithm = sequence(oid('1.2.840.10045.2.1'), oid('1.2.840.10045.3.1.7'))
  // ECPrivateKey (RFC 5915 §3); the curve stands in the algorithm.
  const key = sequence(integer(1), octetString(leftPad(privateKey, 32)), tagged(1, bitString(publicKey)))
  return sequence(integer(0), algorithm, octetString(key))
}

const leftPad = (bytes: Uint8Array, length: number): Uint8Array => concat(new Uint8Array(Math.max(0, length - bytes.length)), bytes)
