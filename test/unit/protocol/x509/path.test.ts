import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import type { Der } from '../../../../src/base/brand.ts'
import { concat, toHex } from '../../../../src/base/bytes.ts'
import type { FaultCode } from '../../../../src/base/faults/index.ts'
import type { Result } from '../../../../src/base/result.ts'
import { must } from '../../../../src/base/result.ts'
import type { SignatureName } from '../../../../src/crypto/port.ts'
import { createSubordinate } from '../../../../src/pki/authority.ts'
import { basicConstraints, dnsName, extendedKeyUsage, extension, keyUsage, subjectName } from '../../../../src/pki/certificate.ts'
import { octetString, sequence } from '../../../../src/pki/der.ts'
import { EKU, KEY_USAGE } from '../../../../src/protocol/x509/extensions.ts'
import { verifyChain, verifyPath } from '../../../../src/protocol/x509/path.ts'
import { anchorsOf, crypto, DAY_S, forge, issue, later, newSigner, NOW, testCa } from '../../../kit/certificates.ts'

const ca = testCa()
const anchors = anchorsOf(ca)
const refused = (r: Result<unknown>, code: FaultCode, words?: RegExp) => {
  assert.ok(!r.ok, 'accepted')
  assert.equal(r.fault.code, code, r.fault.message)
  if (words !== undefined) assert.match(r.fault.message, words)
}
const verify = (...chain: readonly Der[]) => verifyPath(crypto, chain, anchors, [], NOW)
const good = [basicConstraints(false), keyUsage(KEY_USAGE.digitalSignature)]
const authority = [basicConstraints(true), keyUsage(KEY_USAGE.keyCertSign)]

test('a person\'s certificate gives the identity', () => {
  const { chain } = issue(ca, { organisation: 'Example Org', emails: ['ann@example.org'] })
  const identity = must(verify(...chain))
  assert.equal(identity.subject, 'Ann Example')
  assert.equal(identity.organisation, 'Example Org')
  assert.deepEqual(identity.emails, ['ann@example.org'])
  assert.equal(identity.issuer, 'Test Authority')
  assert.equal(identity.fingerprint, toHex(crypto.hash('sha256', chain[0]!)))
  assert.equal(identity.notAfter, NOW + 365 * DAY_S)
})

test('a renewed certificate for the same key keeps the key identity', () => {
  const { spki } = newSigner()
  const [a, b] = [must(verify(forge(ca, { spki }))), must(verify(forge(ca, { spki })))]
  assert.equal(a.keyId, b.keyId)
  assert.notEqual(a.fingerprint, b.fingerprint)
})

test('a server\'s certificate is one for servers only', () => {
  const { chain } = issue(ca, { kind: 'server', name: 'server', hosts: ['Stc.Example.org', '192.0.2.7', '2001:db8::1'] })
  assert.deepEqual(must(verifyPath(crypto, chain, anchors, [], NOW, 'server')).hosts, ['stc.example.org', '192.0.2.7', '2001:db8::1'])
  refused(verify(...chain), 'IDENTITY_WRONG_PURPOSE')
  refused(verifyPath(crypto, issue(ca).chain, anchors, [], NOW, 'server'), 'IDENTITY_WRONG_PURPOSE')
})

test('dates, to the second, with the date in the sentence', () => {
  const leaf = forge(ca, { notBefore: later(-10), notAfter: later(10) })
  const at = (s: number) => verifyPath(crypto, [leaf], anchors, [], later(s))
  for (const s of [-10, 0, 10]) assert.ok(at(s).ok)
  refused(at(-11), 'IDENTITY_NOT_YET_VALID', /"Forged", valid from 2026-11-21 11:59:50 UTC/)
  refused(at(11), 'IDENTITY_EXPIRED', /"Forged" on 2026-11-21 12:00:10 UTC/)
  const old = testCa({ now: later(-20 * 365 * DAY_S) })
  refused(verifyPath(crypto, [forge(old)], anchorsOf(old), [], NOW), 'IDENTITY_EXPIRED', /Test Authority/)
})

test('strangers: another authority, also of the same name, and self-signed', () => {
  refused(verify(...issue(testCa({ name: 'Other' })).chain), 'IDENTITY_UNKNOWN_ISSUER', /"Ann Example", issued by "Other"/)
  refused(verify(...issue(testCa()).chain), 'IDENTITY_UNKNOWN_ISSUER')
  // The same name without key identifiers: only the signature tells.
  refused(verify(forge(testCa())), 'IDENTITY_BAD_SIGNATURE', /"Forged"/)
  const self = newSigner()
  refused(verify(forge(ca, { issuer: subjectName({ name: 'Forged' }), spki: self.spki }, self)), 'IDENTITY_UNKNOWN_ISSUER', /signed by itself/)
  refused(verify(), 'IDENTITY_CHAIN_EMPTY')
  refused(verify(ca.certificate), 'IDENTITY_IS_AUTHORITY')
})

test('intermediates in any order, the root among them, surplus ones ignored', () => {
  const middle = createSubordinate(ca, { name: 'Middle', now: NOW })
  const low = createSubordinate(middle, { name: 'Low', now: NOW })
  const [leaf, ...above] = issue(low).chain
  assert.equal(above.length, 2)
  const other = issue(testCa({ name: 'Other' })).chain[0]!
  assert.ok(verify(leaf!, ...above).ok)
  assert.ok(verify(leaf!, ca.certificate, ...above.toReversed(), other).ok)
  refused(verify(leaf!, above[1]!), 'IDENTITY_UNKNOWN_ISSUER')
  refused(verify(leaf!, ...above, other, other, other, other), 'IDENTITY_CHAIN_TOO_LONG')
  assert.equal(must(verifyChain(crypto, [leaf!, ...above], anchors, [], NOW)).path.length, 4)
})

test('an anchor may itself be an intermediate', () => {
  const middle = createSubordinate(ca, { name: 'Middle', now: NOW })
  assert.ok(verifyPath(crypto, issue(middle).chain.slice(0, 1), anchorsOf(middle), [], NOW).ok)
  refused(verifyPath(crypto, issue(ca).chain, anchorsOf(middle), [], NOW), 'IDENTITY_UNKNOWN_ISSUER')
})

test('a person cannot issue', () => {
  const { chain, pkcs8 } = issue(ca)
  using signer = crypto.signer('ecdsa-p256-sha256', pkcs8)
  const child = forge(ca, { issuer: subjectName({ name: 'Ann Example' }) }, signer)
  refused(verify(child, ...chain), 'IDENTITY_NOT_AUTHORITY', /"Ann Example"/)
})

test('authorities: key usage and path length', () => {
  const signer = newSigner()
  const subject = subjectName({ name: 'Middle' })
  const under = (...extensions: Uint8Array[]) => verify(forge(ca, { issuer: subject }, signer), forge(ca, { subject, spki: signer.spki, extensions }))
  assert.ok(under(...authority).ok)
  assert.ok(under(basicConstraints(true)).ok, 'absent key usage restricts nothing')
  refused(under(basicConstraints(true), keyUsage(KEY_USAGE.cRLSign)), 'IDENTITY_AUTHORITY_MAY_NOT_SIGN')
  refused(under(keyUsage(KEY_USAGE.keyCertSign)), 'IDENTITY_NOT_AUTHORITY')
  refused(under(...authority, extendedKeyUsage(EKU.serverAuth)), 'IDENTITY_WRONG_PURPOSE')
  assert.ok(under(...authority, extendedKeyUsage(EKU.serverAuth, EKU.clientAuth)).ok)

  const short = testCa({ pathLength: 0 })
  assert.ok(verifyPath(crypto, issue(short).chain, anchorsOf(short), [], NOW).ok)
  const middle = createSubordinate(short, { name: 'Middle', now: NOW })
  refused(verifyPath(crypto, issue(middle).chain, anchorsOf(short), [], NOW), 'IDENTITY_PATH_TOO_LONG', /allows 0, there are 1/)
})

test('end entities: key usage, extended key usage, unknown critical extensions', () => {
  const leaf = (...extensions: Uint8Array[]) => verify(forge(ca, { extensions }))
  assert.ok(leaf(...good).ok)
  assert.ok(leaf(keyUsage(KEY_USAGE.digitalSignature | 0x20), extendedKeyUsage(EKU.serverAuth, EKU.clientAuth)).ok)
  refused(leaf(basicConstraints(false)), 'IDENTITY_NO_DIGITAL_SIGNATURE')
  refused(leaf(keyUsage(0x20)), 'IDENTITY_NO_DIGITAL_SIGNATURE')
  refused(leaf(...good, extendedKeyUsage(EKU.serverAuth)), 'IDENTITY_WRONG_PURPOSE')
  refused(leaf(...good, extendedKeyUsage('2.5.29.37.0')), 'IDENTITY_WRONG_PURPOSE')
  refused(leaf(...good, extension('1.2.3.4', octetString(new Uint8Array(3)), true)), 'IDENTITY_UNKNOWN_CRITICAL', /1\.2\.3\.4/)
  assert.ok(leaf(...good, extension('1.2.3.4', octetString(new Uint8Array(3)))).ok)
  assert.ok(leaf(...good, extension('2.5.29.32', sequence(), true)).ok, 'policies mean nothing here')
  refused(leaf(...good, keyUsage(KEY_USAGE.digitalSignature)), 'IDENTITY_CERTIFICATE_MALFORMED', /twice/)
})

test('every key and signature algorithm', () => {
  const ec = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve }).privateKey
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  const keys = [
    [ec('P-256'), 'ecdsa-p256-', ['sha256', 'sha384', 'sha512']], [ec('P-384'), 'ecdsa-p384-', ['sha256', 'sha384', 'sha512']],
    [ec('P-521'), 'ecdsa-p521-', ['sha256', 'sha384', 'sha512']], [generateKeyPairSync('ed25519').privateKey, 'ed25519', ['']],
    [rsa, 'rsa-pss-', ['sha256', 'sha384', 'sha512']], [rsa, 'rsa-pkcs1-', ['sha256', 'sha384', 'sha512']],
  ] as const
  for (const [key, family, hashes] of keys) for (const hash of hashes) {
    using signer = crypto.signer(`${family}${hash}` as SignatureName, key.export({ format: 'der', type: 'pkcs8' }))
    const subject = subjectName({ name: signer.algorithm })
    const middle = forge(ca, { subject, spki: signer.spki, extensions: authority })
    const leaf = forge(ca, { issuer: subject, spki: signer.spki }, signer)
    assert.ok(verify(leaf, middle).ok, signer.algorithm)
    const flipped = leaf.with(-1, leaf.at(-1)! ^ 1) as Der
    refused(verify(flipped, middle), 'IDENTITY_BAD_SIGNATURE')
  }
})

test('weak and unknown keys, and signatures with broken hashes', () => {
  const spkiOf = (key: { export(o: { format: 'der'; type: 'spki' }): Buffer }) => Uint8Array.from(key.export({ format: 'der', type: 'spki' })) as Der
  refused(verify(forge(ca, { spki: spkiOf(generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey) })), 'IDENTITY_WEAK_KEY', /RSA of 1024 bits/)
  refused(verify(forge(ca, { spki: spkiOf(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey) })), 'IDENTITY_KEY_UNSUPPORTED')
  refused(verify(forge(ca, { spki: spkiOf(generateKeyPairSync('x25519').publicKey) })), 'IDENTITY_KEY_UNSUPPORTED')
  // ecdsa-with-SHA256 becomes ecdsa-with-SHA1 and an unknown one, both inside and outside.
  const renamed = (from: string, to: string) => Uint8Array.from(Buffer.from(toHex(forge(ca)).replaceAll(from, to), 'hex')) as Der
  const sha256 = '300a06082a8648ce3d040302'
  refused(verify(renamed(sha256, '300a06082a8648ce3d040309')), 'IDENTITY_SIGNATURE_UNSUPPORTED')
  const ed25519As = forge(ca, {}, crypto.signer('ed25519', generateKeyPairSync('ed25519').privateKey.export({ format: 'der', type: 'pkcs8' })))
  refused(verify(ed25519As), 'IDENTITY_SIGNATURE_UNSUPPORTED', /1\.3\.101\.112/)
  const sha1Rsa = toHex(forge(ca, {}, crypto.signer('rsa-pkcs1-sha256', generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'der', type: 'pkcs8' })))).replaceAll('06092a864886f70d01010b', '06092a864886f70d010105')
  refused(verify(Uint8Array.from(Buffer.from(sha1Rsa, 'hex')) as Der), 'IDENTITY_WEAK_SIGNATURE', /SHA-1/)
})

test('an altered signed octet anywhere is refused', () => {
  const leaf = forge(ca)
  for (let at = 0; at < leaf.length; at++) {
    const changed = verify(leaf.with(at, leaf[at]! ^ 0x01) as Der)
    assert.ok(!changed.ok, `octet ${at}`)
  }
  refused(verify(concat(leaf, Uint8Array.of(0)) as Der), 'IDENTITY_CERTIFICATE_MALFORMED', /left over/)
})

test('many authorities of one name do not multiply the work without bound', () => {
  const twins = Array.from({ length: 40 }, () => testCa())
  let count = 0
  const verifyAndCount: typeof crypto.verify = (...args) => {
    count += 1
    return crypto.verify(...args)
  }
  refused(verifyPath({ ...crypto, verify: verifyAndCount }, [forge(testCa())], anchorsOf(...twins), [], NOW), 'IDENTITY_BAD_SIGNATURE')
  assert.ok(count <= 32)
})

test('a certificate of more than 16 kB is refused, one of 8 kB is not', () => {
  const names = (count: number) => extension('2.5.29.17', sequence(...Array.from({ length: count }, (_, i) => dnsName(`host-number-${i}.example.org`))))
  const eight = forge(ca, { extensions: [...good, names(270)] })
  assert.ok(eight.length > 8000)
  assert.equal(must(verify(eight)).hosts.length, 64)
  refused(verify(forge(ca, { extensions: [...good, names(600)] })), 'IDENTITY_CERTIFICATE_TOO_LARGE')
})
