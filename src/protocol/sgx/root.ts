/** The root of everything that Intel says about its processors, and chains that lead to it. */
import type { Der, UnixTime } from '../../base/brand.ts'
import { fromHex, fromUtf8, sameBytes } from '../../base/bytes.ts'
import { type Result, err, ok } from '../../base/result.ts'
import type { CryptoPort } from '../../crypto/port.ts'
import { type Certificate, nameText, parseCertificate } from '../x509/certificate.ts'
import type { Evidence } from '../x509/evidence.ts'
import { type VerifiedPath, makeAnchors, verifyChain } from '../x509/path.ts'
import { decodePem } from '../x509/pem.ts'

/** SubjectPublicKeyInfo of a point of P-256 (RFC 5480 §2), x ‖ y. */
const SPKI_PREFIX = fromHex('3059301306072a8648ce3d020106082a8648ce3d03010703420004')!
export const p256Spki = (xy: Uint8Array): Der => Uint8Array.from([...SPKI_PREFIX, ...xy]) as Der

/** Intel SGX Root CA, pinned by its key (its certificate is at certificates.trustedservices.intel.com). */
export const INTEL_ROOT = p256Spki(fromHex(
  '0ba9c4c0c0c86193a3fe23d6b02cda10a8bbd4e88e48b4458561a36e705525f567918e2edc88e40d860bd0cc4ee26aacc988e505a953558c453f6b0904ae7394',
)!)

/**
 * The chain from its first certificate to the pinned root, every certificate below the root covered by a fresh list that its
 * issuer signed.
 */
export function verifyIntelChain(crypto: CryptoPort, pem: Uint8Array | string, root: Der, lists: Evidence, now: UnixTime): Result<VerifiedPath> {
  const text = typeof pem === 'string' ? pem : fromUtf8(pem.at(-1) === 0 ? pem.subarray(0, -1) : pem)
  const ders = text === undefined ? [] : decodePem(text).flatMap((b) => (b.label === 'CERTIFICATE' && b.bytes !== undefined ? [b.bytes as Der] : []))
  if (ders.length < 2 || ders.length > 4) return err('ATTESTATION_CHAIN', `${ders.length} certificates`)
  const anchor = rootAmong(crypto, ders, root)
  if (anchor === undefined) return err('ATTESTATION_CHAIN', 'the root is not Intel\'s')
  const anchors = makeAnchors([anchor.der])
  if (!anchors.ok) return anchors
  const path = verifyChain(crypto, ders, anchors.value, lists, now, 'member', 'required')
  return path.ok ? ok(path.value) : err('ATTESTATION_CHAIN', `${path.fault.code}: ${path.fault.message}`, path.fault)
}

/** Who signs statements about platforms is told from who certifies processors by its name alone (PCS API). */
export function checkSigningCertificate(c: Certificate): Result<void> {
  return nameText(c.subject) === 'Intel SGX TCB Signing' ? ok(undefined) : err('ATTESTATION_COLLATERAL_SIGNATURE', `signed by "${nameText(c.subject)}"`)
}

function rootAmong(crypto: CryptoPort, ders: readonly Der[], root: Der): Certificate | undefined {
  for (const der of ders) {
    const c = parseCertificate(der)
    if (c.ok && sameBytes(c.value.spki, root) && crypto.verify('ecdsa-p256-sha256', root, c.value.tbs, c.value.signature)) return c.value
  }
  return undefined
}

/** r ‖ s as ECDSA-Sig-Value (RFC 3279 §2.2.3). */
export function derSignature(rs: Uint8Array): Uint8Array {
  const integer = (n: Uint8Array): number[] => {
    let at = 0
    while (at < n.length - 1 && n[at] === 0) at++
    const body = [...n.subarray(at)]
    return [2, body.length + (body[0]! >> 7), ...(body[0]! >> 7 === 1 ? [0] : []), ...body]
  }
  const body = [...integer(rs.subarray(0, 32)), ...integer(rs.subarray(32))]
  return Uint8Array.of(0x30, body.length, ...body)
}
