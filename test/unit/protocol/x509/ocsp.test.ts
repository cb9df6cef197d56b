import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Der } from '../../../../src/base/brand.ts'
import { fromHex, toHex } from '../../../../src/base/bytes.ts'
import type { FaultCode } from '../../../../src/base/faults/index.ts'
import { must } from '../../../../src/base/result.ts'
import { issueRevocationList } from '../../../../src/pki/authority.ts'
import { basicConstraints, type CertificateFields, crlAddresses, extendedKeyUsage, extension, keyUsage, ocspAddress, signRevocationList, subjectName } from '../../../../src/pki/certificate.ts'
import { nothing, octetString } from '../../../../src/pki/der.ts'
import { parseCertificate } from '../../../../src/protocol/x509/certificate.ts'
import { AuthorityBook } from '../../../../src/protocol/x509/authority-book.ts'
import { mergeEvidence, NO_EVIDENCE } from '../../../../src/protocol/x509/evidence.ts'
import { EKU, KEY_USAGE } from '../../../../src/protocol/x509/extensions.ts'
import { parseOcspResponse } from '../../../../src/protocol/x509/ocsp.ts'
import { verifyPath } from '../../../../src/protocol/x509/path.ts'
import type { RevocationProof, RevocationRule } from '../../../../src/model/trust.ts'
import { anchorsOf, crypto, forge, issue, later, newSigner, NOW, testCa } from '../../../kit/certificates.ts'
import { type OcspFields, ocspRefusal, ocspResponse } from '../../../kit/ocsp.ts'

const ca = testCa()
const issuer = must(parseCertificate(ca.certificate))
const chain = issue(ca).chain
const subject = must(parseCertificate(chain[0]!))
const answer = (fields: Partial<OcspFields> = {}, by = ca.signer): Der => ocspResponse(by, { subject, issuer, ...fields })
const verify = (responses: readonly Der[], rule: RevocationRule = 'required', lists: readonly Der[] = []) =>
  verifyPath(crypto, chain, anchorsOf(ca), [...responses.map((der): RevocationProof => ({ kind: 'ocsp', der })), ...lists.map((der): RevocationProof => ({ kind: 'crl', der }))], NOW, 'member', rule)
const refused = (r: ReturnType<typeof verify>, code: FaultCode) => {
  assert.ok(!r.ok, 'accepted')
  assert.equal(r.fault.code, code, r.fault.message)
}

test('good, revoked, unknown; by name and by key', () => {
  assert.ok(verify([answer()]).ok)
  assert.ok(verify([answer({ byKey: true })]).ok)
  refused(verify([answer({ status: 'revoked' })]), 'IDENTITY_REVOKED')
  refused(verify([answer({ status: 'unknown' })]), 'IDENTITY_OCSP_UNKNOWN')
  refused(verify([answer(), answer({ status: 'revoked' })]), 'IDENTITY_REVOKED')
  refused(verify([answer({ status: 'revoked', nextUpdate: later(-1) })]), 'IDENTITY_REVOKED')
})

test('freshness: an hour without nextUpdate, five minutes of a clock ahead', () => {
  refused(verify([answer({ nextUpdate: later(-1) })]), 'IDENTITY_REVOCATION_STALE')
  assert.ok(verify([answer({ thisUpdate: later(299) })]).ok)
  refused(verify([answer({ thisUpdate: later(301) })]), 'IDENTITY_REVOCATION_STALE')
  assert.ok(verify([answer({ thisUpdate: later(-3600), nextUpdate: 'none' })]).ok)
  refused(verify([answer({ thisUpdate: later(-3601), nextUpdate: 'none' })]), 'IDENTITY_REVOCATION_STALE')
})

test('only the issuer, or whom it named for that, may answer', () => {
  const nobody = newSigner()
  refused(verify([answer({}, nobody)]), 'IDENTITY_REVOCATION_BAD_SIGNATURE')
  const responder = (fields: Partial<CertificateFields> = {}, by = ca.signer) => {
    const signer = newSigner()
    const der = forge(ca, { subject: subjectName({ name: 'Responder' }), spki: signer.spki, extensions: [basicConstraints(false), keyUsage(KEY_USAGE.digitalSignature), extendedKeyUsage(EKU.ocspSigning)], ...fields }, by)
    return { signer, der, parsed: must(parseCertificate(der)) }
  }
  const by = (r: ReturnType<typeof responder>) => answer({ responder: r.parsed, certificates: [r.der] }, r.signer)
  const honest = responder()
  assert.ok(verify([by(honest)]).ok)
  refused(verify([answer({ responder: honest.parsed }, honest.signer)]), 'IDENTITY_OCSP_RESPONDER')
  refused(verify([by(responder({ extensions: [basicConstraints(false), keyUsage(KEY_USAGE.digitalSignature)] }))]), 'IDENTITY_OCSP_RESPONDER')
  refused(verify([by(responder({ notAfter: later(-1) }))]), 'IDENTITY_OCSP_RESPONDER')
  refused(verify([by(responder({}, newSigner()))]), 'IDENTITY_OCSP_RESPONDER')
  // Anybody else with a certificate of the same authority: a person.
  const ann = issue(ca, { name: 'Mallory' })
  refused(verify([answer({ responder: must(parseCertificate(ann.chain[0]!)), certificates: [ann.chain[0]!] }, crypto.signer('ecdsa-p256-sha256', ann.pkcs8))]), 'IDENTITY_OCSP_RESPONDER')
  // A revoked responder, unless the authority says that it is not to be checked.
  const revoking = (serial: string) => issueRevocationList(ca, [{ serial, when: NOW }], 1, NOW)
  const partial = (serial: string) => signRevocationList(ca.signer, { issuer: ca.subject, thisUpdate: later(-60), nextUpdate: later(-1), revoked: [{ serial: fromHex(serial)!, when: NOW }], extensions: [] })
  assert.ok(verify([by(honest)], 'required', [partial('01')]).ok)
  refused(verify([by(honest)], 'required', [partial(honest.parsed.serial)]), 'IDENTITY_REVOCATION_STALE')
  const free = responder({ extensions: [basicConstraints(false), keyUsage(KEY_USAGE.digitalSignature), extendedKeyUsage(EKU.ocspSigning), extension('1.3.6.1.5.5.7.48.1.5', nothing())] })
  assert.ok(verify([by(free)], 'required', [revoking(free.parsed.serial)]).ok)
})

test('what a responder said stands when its own certificate has ended: a revocation revokes, and nothing else counts', () => {
  const signer = newSigner()
  const named = (fields: Partial<CertificateFields>) => forge(ca, { subject: subjectName({ name: 'Responder' }), spki: signer.spki, extensions: [basicConstraints(false), keyUsage(KEY_USAGE.digitalSignature), extendedKeyUsage(EKU.ocspSigning)], ...fields })
  const said = (status: 'good' | 'revoked', by = named({ notAfter: later(600) })): RevocationProof => ({ kind: 'ocsp', der: answer({ status, responder: must(parseCertificate(by)), certificates: [by], nextUpdate: later(3600) }, signer) })
  const book = new AuthorityBook(crypto, [issuer])
  const verdict = (proof: RevocationProof, rule: RevocationRule, at: number): string => {
    // As whoever has it keeps it: weighed when it comes, and again later.
    const kept = mergeEvidence(NO_EVIDENCE, [proof], book.at(later(at))).evidence
    const r = verifyPath(crypto, chain, anchorsOf(ca), kept, later(at), 'member', rule)
    return r.ok ? 'accepted' : r.fault.code
  }
  for (const rule of ['given', 'named', 'required'] as const) {
    assert.equal(verdict(said('revoked'), rule, 60), 'IDENTITY_REVOKED')
    assert.equal(verdict(said('revoked'), rule, 700), 'IDENTITY_REVOKED', rule)
    assert.equal(verdict(said('good'), rule, 60), 'accepted')
    assert.equal(verdict(said('good'), rule, 700), 'IDENTITY_OCSP_RESPONDER', rule)
  }
  assert.equal(verdict(said('revoked', named({ notAfter: later(-1) })), 'given', 60), 'accepted', 'it had ended before it said so')
})

test('answers at hand: outlived ones make room for others, and genuine ones for none that nobody vouches for', () => {
  const book = new AuthorityBook(crypto, [issuer])
  const about = (by = ca, fields: Partial<OcspFields> = {}): RevocationProof => {
    const whose = must(parseCertificate(by.certificate))
    return { kind: 'ocsp', der: ocspResponse(by.signer, { subject: { ...subject, serial: toHex(crypto.bytes(16)) }, issuer: whose, ...fields }) }
  }
  const first = Array.from({ length: 512 }, () => about())
  const full = mergeEvidence(NO_EVIDENCE, first, book.at(NOW)).evidence
  assert.equal(full.responses.length, 512)
  const strange = testCa({ name: 'Strange' })
  assert.deepEqual(mergeEvidence(full, [about(strange), about()], book.at(NOW)).refused, Array(2).fill('IDENTITY_REVOCATION_UNSUPPORTED'))
  const strangers = mergeEvidence(NO_EVIDENCE, Array.from({ length: 70 }, () => about(strange)), book.at(NOW)).evidence
  assert.equal(strangers.responses.length, 64, 'what nobody vouches for has less room')
  assert.equal(mergeEvidence(strangers, [about()], book.at(NOW)).evidence.responses.length, 65)
  const fresh = about(ca, { nextUpdate: later(2 * 3600) })
  const after = mergeEvidence(full, [fresh], book.at(later(3601)))
  assert.deepEqual([after.changed, after.refused, after.evidence.responses.length], [true, [], 512])
  assert.ok(after.evidence.proofs.some((p) => p.der === fresh.der))
  const revoked = Array.from({ length: 512 }, () => about(ca, { status: 'revoked' }))
  const kept = mergeEvidence(NO_EVIDENCE, revoked, book.at(NOW)).evidence
  assert.equal(mergeEvidence(kept, [fresh], book.at(later(3601))).changed, false, 'a revocation is not forgotten for it')
})

test('one more answer is one more signature, however many are at hand', () => {
  let verified = 0
  const counting = { ...crypto, verify: (...args: Parameters<typeof crypto.verify>) => ++verified > 0 && crypto.verify(...args) }
  const book = new AuthorityBook(counting, [issuer])
  const about = (): RevocationProof => ({ kind: 'ocsp', der: ocspResponse(ca.signer, { subject: { ...subject, serial: toHex(crypto.bytes(16)) }, issuer }) })
  const twenty = mergeEvidence(NO_EVIDENCE, Array.from({ length: 20 }, about), book.at(NOW)).evidence
  assert.equal(verified, 20)
  const more = mergeEvidence(twenty, [about()], book.at(NOW)).evidence
  assert.deepEqual([verified, more.responses.length], [21, 21])
  // As another object of the same issuer finds it, too.
  assert.ok(verifyPath(crypto, chain, anchorsOf(ca), mergeEvidence(more, [{ kind: 'ocsp', der: answer() }], book.at(NOW)).evidence, NOW, 'member', 'required').ok)
})

test('answers about others, critical extensions, refusals and garbage', () => {
  const other = must(parseCertificate(issue(ca).chain[0]!))
  refused(verify([answer({ subject: other })]), 'IDENTITY_REVOCATION_UNKNOWN')
  refused(verify([answer({ issuer: must(parseCertificate(testCa().certificate)) })]), 'IDENTITY_REVOCATION_UNKNOWN')
  refused(verify([answer({ extensions: [extension('1.2.3', octetString(Uint8Array.of(1)), true)] })]), 'IDENTITY_REVOCATION_UNSUPPORTED')
  assert.ok(verify([answer({ extensions: [extension('1.3.6.1.5.5.7.48.1.2', octetString(Uint8Array.of(1)))] })]).ok, 'a nonce')
  refused(verify([ocspRefusal(3)]), 'IDENTITY_OCSP_REFUSED')
  for (const der of [answer().subarray(1), answer().subarray(0, -1), new Uint8Array(0), new Uint8Array(70_000)]) {
    const r = parseOcspResponse(der)
    assert.ok(!r.ok && r.fault.code === 'IDENTITY_OCSP_MALFORMED')
  }
})

test('the rule for what could not be checked', () => {
  const naming = (...extensions: Uint8Array[]) => [forge(ca, { extensions: [basicConstraints(false), keyUsage(KEY_USAGE.digitalSignature), ...extensions] })]
  const check = (path: readonly Der[], rule?: RevocationRule, proofs: readonly RevocationProof[] = []) => verifyPath(crypto, path, anchorsOf(ca), proofs, NOW, 'member', rule)
  const [silent, list, ldap, ocsp] = [naming(), naming(crlAddresses('http://ca.example.org/list.crl')), naming(crlAddresses('ldap:///CN=Example')), naming(ocspAddress('http://ca.example.org/ocsp'))]
  for (const path of [silent, list, ldap, ocsp]) {
    assert.ok(check(path, 'given').ok)
    refused(check(path, 'required'), 'IDENTITY_REVOCATION_UNKNOWN')
    assert.equal(check(path, 'named').ok, path === silent)
    assert.ok(check(path, 'required', [{ kind: 'crl', der: issueRevocationList(ca, [], 1, NOW) }]).ok)
  }
})
