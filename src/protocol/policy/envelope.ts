/**
 * A body with the signature of a certificate's key: `body ‖ algorithm (1) ‖ len‖SubjectPublicKeyInfo ‖ len‖signature`.
 * Who the key belongs to, and whether it may say such things, is up to the reader.
 */
import type { Der } from '../../base/brand.ts'
import { type ByteReader, ByteWriter, toHex } from '../../base/bytes.ts'
import type { FaultCode } from '../../base/faults/index.ts'
import { type Result, err, ok } from '../../base/result.ts'
import type { CryptoPort, SignatureName, Signer } from '../../crypto/port.ts'
import { signedContent } from './signed.ts'

/** Position is the code on the wire. */
const ALGORITHMS: readonly SignatureName[] = ['ed25519', 'ecdsa-p256-sha256', 'ecdsa-p384-sha384', 'ecdsa-p521-sha512', 'rsa-pss-sha256', 'rsa-pss-sha384', 'rsa-pss-sha512']

/** SHA-256 of a SubjectPublicKeyInfo, hex: what people are told apart by. */
export const keyIdOf = (crypto: CryptoPort, spki: Uint8Array): string => toHex(crypto.hash('sha256', spki))

export function signEnvelope(label: string, body: Uint8Array, signer: Signer): Uint8Array {
  return new ByteWriter().put(body).u8(ALGORITHMS.indexOf(signer.algorithm)).vec16(signer.spki).vec16(signer.sign(signedContent(label, body))).finish()
}

/** Verifies the signature that ends what `r` reads, its body having been read; gives the key that made it. */
export function openEnvelope(crypto: CryptoPort, label: string, r: ByteReader, code: FaultCode): Result<string> {
  const body = r.bytes.subarray(0, r.at)
  const algorithm = ALGORITHMS[r.u8()]
  const spki = r.vec16() as Der
  const signature = r.vec16()
  if (!r.done || algorithm === undefined) return err(code, 'malformed')
  if (!crypto.verify(algorithm, spki, signedContent(label, body), signature)) return err(code, 'its signature does not verify')
  return ok(keyIdOf(crypto, spki))
}
