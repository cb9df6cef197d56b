/** OCSP responses as a responder, or somebody who plays one, would sign them (RFC 6960 §4.2). */
import type { Der, UnixTime } from '../../src/base/brand.ts'
import { fromHex, utf8 } from '../../src/base/bytes.ts'
import type { Signer } from '../../src/crypto/port.ts'
import { signatureAlgorithm } from '../../src/pki/certificate.ts'
import { bitString, element, nothing, octetString, oid, sequence, tagged, unsigned } from '../../src/pki/der.ts'
import { publicKeyBits } from '../../src/protocol/x509/algorithm.ts'
import type { Certificate } from '../../src/protocol/x509/certificate.ts'
import { civilTime } from '../../src/protocol/x509/time.ts'
import { crypto, later, NOW } from './certificates.ts'

export interface OcspFields {
  /** Whose status. */
  readonly subject: Certificate
  readonly issuer: Certificate
  readonly status?: 'good' | 'revoked' | 'unknown'
  readonly thisUpdate?: UnixTime
  readonly nextUpdate?: UnixTime | 'none'
  /** Who says so; the issuer unless given. */
  readonly responder?: Certificate
  /** Enclosed. */
  readonly certificates?: readonly Der[]
  readonly byKey?: boolean
  readonly extensions?: readonly Uint8Array[]
}

const generalized = (t: UnixTime): Der => {
  const c = civilTime(t)
  return element(0x18, utf8(`${c.year}${[c.month, c.day, c.hour, c.minute, c.second].map((n) => String(n).padStart(2, '0')).join('')}Z`))
}

export function ocspResponse(signer: Signer, f: OcspFields): Der {
  const { subject, issuer, status = 'good', thisUpdate = later(-60), nextUpdate = later(3600), responder = issuer, certificates = [], byKey = false, extensions = [] } = f
  const id = sequence(
    sequence(oid('1.3.14.3.2.26'), nothing()), octetString(crypto.hash('sha1', issuer.subject.der)), octetString(crypto.hash('sha1', publicKeyBits(issuer.spki))), unsigned(fromHex(subject.serial)!),
  )
  const said = status === 'good' ? element(0x80) : status === 'unknown' ? element(0x82) : element(0xa1, generalized(later(-30)))
  const answer = sequence(id, said, generalized(thisUpdate), ...(nextUpdate === 'none' ? [] : [tagged(0, generalized(nextUpdate))]))
  const who = byKey ? tagged(2, octetString(crypto.hash('sha1', publicKeyBits(responder.spki)))) : tagged(1, responder.subject.der)
  const tbs = sequence(who, generalized(NOW), sequence(answer), ...(extensions.length === 0 ? [] : [tagged(1, sequence(...extensions))]))
  const basic = sequence(tbs, signatureAlgorithm(signer.algorithm), bitString(signer.sign(tbs)), ...(certificates.length === 0 ? [] : [tagged(0, sequence(...certificates))]))
  return sequence(element(0x0a, Uint8Array.of(0)), tagged(0, sequence(oid('1.3.6.1.5.5.7.48.1.1'), octetString(basic))))
}

export const ocspRefusal = (status: number): Der => sequence(element(0x0a, Uint8Array.of(status)))
