/** Certificates for tests: an authority, people, and whatever a hostile or careless one would sign. */
import type { Der, UnixTime } from '../../src/base/brand.ts'
import { unixTime } from '../../src/base/brand.ts'
import { must } from '../../src/base/result.ts'
import { createNodeCrypto } from '../../src/crypto/node/index.ts'
import type { Signer } from '../../src/crypto/port.ts'
import type { Authority, AuthorityOptions, CertificateRequest } from '../../src/pki/authority.ts'
import { createCa, issueCertificate } from '../../src/pki/authority.ts'
import type { CertificateFields } from '../../src/pki/certificate.ts'
import { basicConstraints, keyUsage, signCertificate, subjectName } from '../../src/pki/certificate.ts'
import { newKey } from '../../src/pki/keys.ts'
import { KEY_USAGE } from '../../src/protocol/x509/extensions.ts'
import type { Anchors } from '../../src/protocol/x509/path.ts'
import { makeAnchors } from '../../src/protocol/x509/path.ts'

export const crypto = createNodeCrypto()
/** 2026-11-21 12:00:00 UTC. */
export const NOW = unixTime(1795262400)
export const DAY_S = 86400
export const later = (seconds: number): UnixTime => unixTime(NOW + seconds)

export const testCa = (options: Partial<AuthorityOptions> = {}): Authority => createCa(crypto, { name: 'Test Authority', now: NOW, ...options })
export const anchorsOf = (...authorities: readonly Authority[]): Anchors => must(makeAnchors(authorities.map((a) => a.certificate)))
export const issue = (ca: Authority, request: Partial<CertificateRequest> = {}) => issueCertificate(ca, { name: 'Ann Example', kind: 'member', now: NOW, ...request })
export const newSigner = (): Signer => crypto.signer('ecdsa-p256-sha256', newKey(crypto))

/** A certificate of `ca` with any field replaced; without `extensions`, a minimal good one. */
export function forge(ca: Authority, fields: Partial<CertificateFields> = {}, signer: Signer = ca.signer): Der {
  return signCertificate(signer, {
    serial: crypto.bytes(16), issuer: ca.subject, subject: subjectName({ name: 'Forged' }), notBefore: later(-DAY_S), notAfter: later(DAY_S),
    spki: fields.spki ?? newSigner().spki, extensions: [basicConstraints(false), keyUsage(KEY_USAGE.digitalSignature)], ...fields,
  })
}
