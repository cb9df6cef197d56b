/** Credentials (docs/protocol: credentials) in the hands of somebody hostile: every alteration and every other use is refused. */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { type Der, unixTime } from '../../src/base/brand.ts'
import { concat } from '../../src/base/bytes.ts'
import type { FaultCode } from '../../src/base/faults/index.ts'
import { must } from '../../src/base/result.ts'
import type { SignatureName } from '../../src/crypto/port.ts'
import { certify, createSubordinate, issueRevocationList } from '../../src/pki/authority.ts'
import { parseCertificate } from '../../src/protocol/x509/certificate.ts'
import { type CredentialContext, decodeCredential, encodeCredential, type RevocationHint, verifyCredential } from '../../src/protocol/x509/credential.ts'
import { type Delegation, delegationMessage, encodeDelegation, issueDelegation } from '../../src/protocol/x509/delegation.ts'
import { anchorsOf, crypto, DAY_S, issue, later, newSigner, NOW, testCa } from '../kit/certificates.ts'
import { type OcspFields, ocspResponse } from '../kit/ocsp.ts'

const ca = testCa()
const middle = createSubordinate(ca, { name: 'Middle', now: NOW })
const person = issue(middle, { name: 'Ann Example' })
const endEntity = person.chain[0]!
const signer = crypto.signer('ecdsa-p256-sha256', person.pkcs8)
const lent = crypto.signatureKeyPair('ed25519').publicKey

const context: CredentialContext = { anchors: anchorsOf(ca), realm: 'example.org', suite: 1, purpose: 'conference', now: NOW, signaturePublicKey: lent }
const honest: Delegation = {
  purpose: 'conference', realm: 'example.org', notBefore: later(-60), notAfter: later(3600), suite: 1, signaturePublicKey: lent,
  kind: 'member', keyProtection: 'process', algorithm: 'ecdsa-p256-sha256',
}
const signed = (d: Delegation, by = signer, certificate: Der = endEntity) => {
  const body = encodeDelegation(d)
  return { body, signature: by.sign(delegationMessage(certificate, body)) }
}
const credential = (changes: Partial<Delegation> = {}) => must(encodeCredential(person.chain, signed({ ...honest, ...changes })))
const refused = (bytes: Uint8Array, code: FaultCode, changes: Partial<CredentialContext> = {}) => {
  const r = verifyCredential(crypto, bytes, { ...context, ...changes })
  assert.ok(!r.ok, 'accepted')
  assert.equal(r.fault.code, code, r.fault.message)
}

test('an honest credential says who, and until when', () => {
  const delegation = must(issueDelegation(signer, endEntity, { purpose: 'conference', realm: 'example.org', suite: 1, signaturePublicKey: lent, kind: 'gateway', keyProtection: 'process', now: NOW }))
  const verified = must(verifyCredential(crypto, must(encodeCredential(person.chain, delegation)), context))
  assert.equal(verified.identity.subject, 'Ann Example')
  assert.equal(verified.delegation.kind, 'gateway')
  assert.equal(verified.delegation.notAfter - verified.delegation.notBefore, DAY_S)
  assert.equal(verified.notAfter, verified.delegation.notAfter)
  const shortLived = issue(ca, { lifetimeDays: 0.01 })
  const short = must(encodeCredential(shortLived.chain, signed(honest, crypto.signer('ecdsa-p256-sha256', shortLived.pkcs8), shortLived.chain[0]!)))
  assert.equal(must(verifyCredential(crypto, short, context)).notAfter, NOW + 864)
})

test('every flipped octet is refused', () => {
  const bytes = credential()
  for (let at = 0; at < bytes.length; at++) {
    for (const mask of [0x01, 0x80]) assert.ok(!verifyCredential(crypto, bytes.with(at, bytes[at]! ^ mask), context).ok, `octet ${at}`)
  }
})

test('a flipped field under the old signature is refused', () => {
  const { signature } = signed(honest)
  const others: Partial<Delegation>[] = [
    { purpose: 'call' }, { realm: 'example.com' }, { notBefore: later(-61) }, { notAfter: later(3601) }, { suite: 2 },
    { signaturePublicKey: crypto.signatureKeyPair('ed25519').publicKey }, { kind: 'gateway' }, { keyProtection: 'enclave' }, { measurement: 'ab'.repeat(32) },
  ]
  for (const changes of others) {
    const body = encodeDelegation({ ...honest, ...changes })
    refused(must(encodeCredential(person.chain, { body, signature })), 'IDENTITY_DELEGATION_SIGNATURE')
  }
})

test('another use than it was made for is refused', () => {
  refused(credential(), 'IDENTITY_DELEGATION_PURPOSE', { purpose: 'call' })
  refused(credential(), 'IDENTITY_DELEGATION_REALM', { realm: 'example.com' })
  refused(credential(), 'IDENTITY_DELEGATION_SUITE', { suite: 83 })
  refused(credential(), 'IDENTITY_DELEGATION_KEY', { signaturePublicKey: crypto.signatureKeyPair('ed25519').publicKey })
  refused(credential({ purpose: 'call' }), 'IDENTITY_DELEGATION_PURPOSE')
})

test('times: a day at most, not before, not after', () => {
  refused(credential({ notBefore: later(-60), notAfter: later(DAY_S - 59) }), 'IDENTITY_DELEGATION_TOO_LONG')
  assert.ok(verifyCredential(crypto, credential({ notAfter: later(DAY_S - 60) }), context).ok)
  refused(credential(), 'IDENTITY_DELEGATION_EXPIRED', { now: later(3601) })
  refused(credential(), 'IDENTITY_DELEGATION_NOT_YET_VALID', { now: later(-61) })
  refused(credential({ notBefore: later(10), notAfter: later(5) }), 'IDENTITY_CREDENTIAL_MALFORMED')
  refused(credential(), 'IDENTITY_EXPIRED', { now: later(400 * DAY_S) })
  assert.equal(errorOf(issueDelegation(signer, endEntity, { ...honest, now: NOW, lifetime: DAY_S })), 'IDENTITY_DELEGATION_TOO_LONG')
})

const errorOf = (r: ReturnType<typeof issueDelegation>) => (r.ok ? 'issued' : r.fault.code)

test('somebody else\'s certificate, key or chain is refused', () => {
  const other = issue(middle, { name: 'Bob Example' })
  const otherSigner = crypto.signer('ecdsa-p256-sha256', other.pkcs8)
  refused(must(encodeCredential(other.chain, signed(honest))), 'IDENTITY_DELEGATION_SIGNATURE')
  refused(must(encodeCredential(person.chain, signed(honest, otherSigner))), 'IDENTITY_DELEGATION_SIGNATURE')
  // The same key under another certificate: the signature names the certificate.
  const renewed = certify(middle, signer.spki, { name: 'Chief Executive', kind: 'member', now: NOW })
  refused(must(encodeCredential(renewed, signed(honest))), 'IDENTITY_DELEGATION_SIGNATURE')
  refused(credential(), 'IDENTITY_UNKNOWN_ISSUER', { anchors: anchorsOf(testCa()) })
  refused(must(encodeCredential([...person.chain, other.chain[0]!], signed(honest))), 'IDENTITY_CREDENTIAL_SURPLUS')
  refused(must(encodeCredential([...person.chain, person.chain[1]!], signed(honest))), 'IDENTITY_CREDENTIAL_SURPLUS')
  assert.equal(errorOf(issueDelegation(otherSigner, endEntity, { ...honest, now: NOW })), 'IDENTITY_KEY_MISMATCH')
  const server = issue(ca, { kind: 'server', hosts: ['stc.example.org'] })
  refused(must(encodeCredential(server.chain, signed(honest, crypto.signer('ecdsa-p256-sha256', server.pkcs8), server.chain[0]!))), 'IDENTITY_WRONG_PURPOSE')
})

test('every algorithm of the list, and no PKCS#1 v1.5', () => {
  const export8 = { format: 'der', type: 'pkcs8' } as const
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export(export8)
  const ec = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve }).privateKey.export(export8)
  const keys: [SignatureName, Uint8Array][] = [
    ['ed25519', generateKeyPairSync('ed25519').privateKey.export(export8)], ['ecdsa-p256-sha256', ec('P-256')], ['ecdsa-p384-sha384', ec('P-384')],
    ['ecdsa-p521-sha512', ec('P-521')], ['rsa-pss-sha256', rsa], ['rsa-pss-sha384', rsa], ['rsa-pss-sha512', rsa],
  ]
  for (const [algorithm, pkcs8] of keys) {
    using by = crypto.signer(algorithm, pkcs8)
    const chain = certify(ca, by.spki, { name: 'Ann Example', kind: 'member', now: NOW })
    const bytes = must(encodeCredential(chain, signed({ ...honest, algorithm }, by, chain[0]!)))
    assert.ok(verifyCredential(crypto, bytes, context).ok, algorithm)
    const misnamed = algorithm === 'ed25519' ? 'ecdsa-p256-sha256' : 'ed25519'
    refused(must(encodeCredential(chain, signed({ ...honest, algorithm: misnamed }, by, chain[0]!))), 'IDENTITY_DELEGATION_ALGORITHM')
  }
  using weak = crypto.signer('rsa-pkcs1-sha256', rsa)
  const chain = certify(ca, weak.spki, { name: 'Ann Example', kind: 'member', now: NOW })
  assert.equal(errorOf(issueDelegation(weak, chain[0]!, { ...honest, now: NOW })), 'IDENTITY_DELEGATION_ALGORITHM')
  assert.throws(() => encodeDelegation({ ...honest, algorithm: 'rsa-pkcs1-sha256' }), RangeError)
  refused(must(encodeCredential(chain, signed({ ...honest, algorithm: 'rsa-pss-sha256' }, weak, chain[0]!))), 'IDENTITY_DELEGATION_SIGNATURE')
  const beyond = encodeDelegation(honest)
  beyond[beyond.length - 1] = 8
  refused(must(encodeCredential(person.chain, { body: beyond, signature: signer.sign(delegationMessage(endEntity, beyond)) })), 'IDENTITY_CREDENTIAL_MALFORMED')
})

test('revocation hints: one encoding each, and no statement is taken unchecked', () => {
  const hinted = (hint: RevocationHint) => encodeCredential(person.chain, signed(honest), hint)
  const crl = must(hinted({ kind: 'crl', address: 'http://ca.example.org/list.crl' }))
  assert.deepEqual(must(decodeCredential(crl)).revocation, { kind: 'crl', address: 'http://ca.example.org/list.crl' })
  assert.ok(verifyCredential(crypto, crl, context).ok)
  assert.ok(!hinted({ kind: 'crl', address: 'file:///etc/passwd' }).ok)
  assert.ok(!hinted({ kind: 'crl', address: 'http://ca.example.org/a b' }).ok)
  refused(must(hinted({ kind: 'ocsp', response: new Uint8Array(8) })), 'IDENTITY_OCSP_MALFORMED')
  const [endEntity_, issuer] = [must(parseCertificate(endEntity)), must(parseCertificate(middle.certificate))]
  const stapled = (answer: Partial<OcspFields>, by = middle.signer) => must(hinted({ kind: 'ocsp', response: ocspResponse(by, { subject: endEntity_, issuer, ...answer }) }))
  const strict: Partial<CredentialContext> = { rule: 'required', proofs: [{ kind: 'crl', der: issueRevocationList(ca, [], 1, NOW) }] }
  assert.ok(verifyCredential(crypto, stapled({}), { ...context, ...strict }).ok)
  refused(credential(), 'IDENTITY_REVOCATION_UNKNOWN', strict)
  refused(stapled({ status: 'revoked' }), 'IDENTITY_REVOKED', strict)
  refused(stapled({ status: 'unknown' }), 'IDENTITY_OCSP_UNKNOWN', strict)
  refused(stapled({ thisUpdate: later(-7200), nextUpdate: later(-1) }), 'IDENTITY_REVOCATION_STALE', strict)
  refused(stapled({}, newSigner()), 'IDENTITY_REVOCATION_BAD_SIGNATURE', strict)
  refused(stapled({ subject: issuer, issuer: must(parseCertificate(ca.certificate)) }, ca.signer), 'IDENTITY_REVOCATION_UNKNOWN', strict)
})

test('a quote comes with what it must have been made for, and changes nothing of who somebody is', () => {
  const quote = new Uint8Array(4600).fill(7)
  const quoted = must(encodeCredential(person.chain, signed(honest), { kind: 'none' }, quote))
  const verified = must(verifyCredential(crypto, quoted, context))
  assert.deepEqual(verified.quote, { bytes: quote, reportData: crypto.hash('sha512', encodeDelegation(honest)) })
  assert.deepEqual(verified.identity, must(verifyCredential(crypto, credential(), context)).identity)
  assert.equal(must(verifyCredential(crypto, credential(), context)).quote, undefined)
  for (const length of [0, 16 * 1024 + 1]) assert.ok(!encodeCredential(person.chain, signed(honest), { kind: 'none' }, new Uint8Array(length)).ok)
  refused(concat(quoted, Uint8Array.of(0)), 'IDENTITY_CREDENTIAL_MALFORMED')
  refused(quoted.subarray(0, -1), 'IDENTITY_CREDENTIAL_MALFORMED')
  refused(concat(Uint8Array.of(1), quoted.subarray(1)), 'IDENTITY_CREDENTIAL_MALFORMED')
  refused(concat(Uint8Array.of(2), credential().subarray(1)), 'IDENTITY_CREDENTIAL_MALFORMED')
  refused(concat(Uint8Array.of(2), credential().subarray(1), Uint8Array.of(0, 0)), 'IDENTITY_CREDENTIAL_MALFORMED')
})

test('sizes and leftovers', () => {
  refused(concat(credential(), Uint8Array.of(0)), 'IDENTITY_CREDENTIAL_MALFORMED')
  refused(credential().subarray(0, -1), 'IDENTITY_CREDENTIAL_MALFORMED')
  refused(new Uint8Array(0), 'IDENTITY_CREDENTIAL_MALFORMED')
  refused(new Uint8Array(25 * 1024), 'IDENTITY_CREDENTIAL_MALFORMED')
  refused(concat(Uint8Array.of(1, 7), new Uint8Array(14)), 'IDENTITY_CREDENTIAL_MALFORMED')
  assert.throws(() => encodeDelegation({ ...honest, realm: '' }), RangeError)
  assert.throws(() => encodeDelegation({ ...honest, realm: 'x'.repeat(256) }), RangeError)
  assert.equal(must(decodeCredential(credential({ notBefore: unixTime(0), notAfter: unixTime(0) }))).chain.length, 2)
})
