/** Fine points of the path policy: constraints on names, self-issued authorities, parameters and sizes. */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import type { Der } from '../../../../src/base/brand.ts'
import { fromHex, toHex } from '../../../../src/base/bytes.ts'
import type { FaultCode } from '../../../../src/base/faults/index.ts'
import { must, type Result } from '../../../../src/base/result.ts'
import { createSubordinate } from '../../../../src/pki/authority.ts'
import { alternativeNames, authorityKeyId, basicConstraints, type ConstraintFields, directoryName, dnsName, emailName, extension, ipName, keyUsage, subjectKeyId, subjectName } from '../../../../src/pki/certificate.ts'
import { bitString, element, integer, nothing, oid, sequence, set, unsigned, utf8String } from '../../../../src/pki/der.ts'
import { KEY_USAGE } from '../../../../src/protocol/x509/extensions.ts'
import { makeAnchors, verifyChain, verifyPath } from '../../../../src/protocol/x509/path.ts'
import { anchorsOf, crypto, DAY_S, forge, issue, later, newSigner, NOW, testCa } from '../../../kit/certificates.ts'

const ca = testCa()
const anchors = anchorsOf(ca)
const good = [basicConstraints(false), keyUsage(KEY_USAGE.digitalSignature)]
const authority = [basicConstraints(true), keyUsage(KEY_USAGE.keyCertSign)]
const verify = (...chain: readonly Der[]) => verifyPath(crypto, chain, anchors, [], NOW)
const refused = (r: Result<unknown>, code: FaultCode, words?: RegExp) => {
  assert.ok(!r.ok, 'accepted')
  assert.equal(r.fault.code, code, r.fault.message)
  if (words !== undefined) assert.match(r.fault.message, words)
}
const edited = (der: Der, from: string, to: string): Der => fromHex(toHex(der).replaceAll(from, to)) as Der

const organisation = (name: string) => sequence(set(sequence(oid('2.5.4.10'), utf8String(name))))
const names: [string, ConstraintFields, Uint8Array[], boolean][] = [
  ['a host below', { permitted: [dnsName('example.org')] }, [dnsName('A.Example.org')], true], ['the host', { permitted: [dnsName('example.org')] }, [dnsName('example.org')], true],
  ['a look-alike', { permitted: [dnsName('example.org')] }, [dnsName('badexample.org')], false], ['below only', { permitted: [dnsName('.example.org')] }, [dnsName('example.org')], false],
  ['below with dot', { permitted: [dnsName('.example.org')] }, [dnsName('a.example.org')], true], ['excluded', { excluded: [dnsName('example.org')] }, [dnsName('a.example.org')], false],
  ['excluded within permitted', { permitted: [dnsName('example.org')], excluded: [dnsName('a.example.org')] }, [dnsName('a.example.org')], false],
  ['one of two', { permitted: [dnsName('example.org')] }, [dnsName('example.org'), dnsName('example.com')], false], ['everything', { permitted: [dnsName('')] }, [dnsName('example.com')], true],
  ['another kind', { permitted: [dnsName('example.org')] }, [emailName('ann@example.com')], true],
  ['mail of the host', { permitted: [emailName('example.org')] }, [emailName('ann@EXAMPLE.org')], true], ['mail below', { permitted: [emailName('example.org')] }, [emailName('ann@a.example.org')], false],
  ['mail below with dot', { permitted: [emailName('.example.org')] }, [emailName('ann@a.example.org')], true], ['one mailbox', { permitted: [emailName('ann@example.org')] }, [emailName('ann@Example.org')], true],
  ['another mailbox', { permitted: [emailName('ann@example.org')] }, [emailName('Ann@example.org')], false], ['any mailbox', { permitted: [emailName('')] }, [emailName('ann@example.org')], true],
  ['an address', { permitted: [ipName(Uint8Array.of(10, 0, 0, 0, 255, 0, 0, 0))] }, [ipName(Uint8Array.of(10, 1, 2, 3))], true], ['another address', { permitted: [ipName(Uint8Array.of(10, 0, 0, 0, 255, 0, 0, 0))] }, [ipName(Uint8Array.of(11, 1, 2, 3))], false],
  ['an address of the other length', { permitted: [ipName(Uint8Array.of(10, 0, 0, 0, 255, 0, 0, 0))] }, [ipName(new Uint8Array(16))], false],
  ['directory', { permitted: [directoryName(organisation('Example'))] }, [directoryName(organisation('EXAMPLE'))], false],
]

test('names under constraints', () => {
  for (const [what, constraints, alternative, allowed] of names) {
    const top = testCa({ constraints })
    const r = verifyPath(crypto, [forge(top, { extensions: [...good, alternativeNames(...alternative)] })], anchorsOf(top), [], NOW)
    assert.equal(r.ok, allowed, `${what}: ${r.ok ? '' : r.fault.message}`)
    if (!r.ok) assert.equal(r.fault.code, 'IDENTITY_NAME_NOT_ALLOWED')
  }
})

test('the subject counts too: its organisation, mail address, and a common name that reads like a host', () => {
  const under = (constraints: ConstraintFields, subject: Der) => {
    const top = testCa({ constraints })
    return verifyPath(crypto, [forge(top, { subject })], anchorsOf(top), [], NOW)
  }
  const inExample = { permitted: [directoryName(organisation('Example'))] }
  assert.ok(under(inExample, subjectName({ organisation: 'EXAMPLE', name: 'Ann' })).ok)
  refused(under(inExample, subjectName({ organisation: 'Other', name: 'Ann' })), 'IDENTITY_NAME_NOT_ALLOWED', /subject/)
  refused(under({ permitted: [dnsName('example.org')] }, subjectName({ name: 'www.example.com' })), 'IDENTITY_NAME_NOT_ALLOWED', /www\.example\.com/)
  assert.ok(under({ permitted: [dnsName('example.org')] }, subjectName({ name: 'Ann Example' })).ok)
  const mail = sequence(set(sequence(oid('1.2.840.113549.1.9.1'), element(0x16, new TextEncoder().encode('ann@example.com')))))
  refused(under({ permitted: [emailName('example.org')] }, mail), 'IDENTITY_NAME_NOT_ALLOWED')
})

test('constraints hold through the levels below', () => {
  const top = testCa({ constraints: { permitted: [emailName('example.org')] } })
  const low = createSubordinate(createSubordinate(top, { name: 'Middle', now: NOW }), { name: 'Low', now: NOW })
  refused(verifyPath(crypto, issue(low, { emails: ['ann@example.com'] }).chain, anchorsOf(top), [], NOW), 'IDENTITY_NAME_NOT_ALLOWED')
  assert.ok(verifyPath(crypto, issue(low, { emails: ['ann@example.org'] }).chain, anchorsOf(top), [], NOW).ok)
})

test('a self-issued authority is free of name constraints and of the path length (RFC 5280 §6.1.3, §6.1.4)', () => {
  const top = testCa({ name: 'Top', pathLength: 0, constraints: { permitted: [directoryName(organisation('Example'))] } })
  const next = newSigner()
  const id = Uint8Array.of(1)
  const rolled = forge(top, { subject: top.subject, spki: next.spki, extensions: [...authority, subjectKeyId(id), authorityKeyId(top.keyId)] })
  const leaf = (org: string) => forge(top, { subject: subjectName({ organisation: org, name: 'Ann' }), extensions: [...good, authorityKeyId(id)] }, next)
  assert.ok(verifyPath(crypto, [leaf('Example'), rolled], anchorsOf(top), [], NOW).ok)
  refused(verifyPath(crypto, [leaf('Other'), rolled], anchorsOf(top), [], NOW), 'IDENTITY_NAME_NOT_ALLOWED')
})

test('an authority key identifier may name the issuer\'s serial number', () => {
  const serial = must(makeAnchors([ca.certificate])).certificates[0]!.serial
  const naming = (hex: string) => verify(forge(ca, { extensions: [...good, extension('2.5.29.35', sequence(element(0x82, unsigned(fromHex(hex)!).subarray(2))))] }))
  assert.ok(naming(serial).ok)
  refused(naming('01'), 'IDENTITY_UNKNOWN_ISSUER')
})

test('the same signature algorithm inside and outside, a serial number of 20 octets, version 3', () => {
  const leaf = toHex(forge(ca))
  const algorithm = '300a06082a8648ce3d040302'
  const at = leaf.lastIndexOf(algorithm)
  refused(verify(fromHex(`${leaf.slice(0, at)}300a06082a8648ce3d040303${leaf.slice(at + algorithm.length)}`) as Der), 'IDENTITY_CERTIFICATE_MALFORMED', /two different/)
  assert.ok(verify(forge(ca, { serial: new Uint8Array(20).fill(0xff) })).ok)
  refused(verify(forge(ca, { serial: new Uint8Array(21).fill(1) })), 'IDENTITY_CERTIFICATE_MALFORMED', /serial/)
  refused(verify(edited(forge(ca), 'a003020102', 'a003020101')), 'IDENTITY_CERTIFICATE_MALFORMED', /version 3/)
})

const rsaSpki = (modulus: Uint8Array, exponent: number, type = '1.2.840.113549.1.1.1') => sequence(sequence(oid(type), ...(type.endsWith('.1.1') ? [nothing()] : [])), bitString(sequence(unsigned(modulus), integer(exponent))))

test('RSA keys: 2048 to 4096 bits, odd exponents', () => {
  const withKey = (octets: number, first: number, exponent = 65537) => verify(forge(ca, { spki: rsaSpki(new Uint8Array(octets).fill(0xff).with(0, first), exponent) }))
  assert.ok(withKey(256, 0x80).ok)
  assert.ok(withKey(512, 0xff).ok)
  refused(withKey(256, 0x7f), 'IDENTITY_WEAK_KEY', /2047 bits/)
  refused(withKey(513, 0x01), 'IDENTITY_KEY_UNSUPPORTED', /4097 bits/)
  for (const exponent of [0, 1, 2, 65536]) refused(withKey(256, 0x80, exponent), 'IDENTITY_KEY_UNSUPPORTED', /exponent/)
})

test('PSS: one hash, its length as salt, and no PKCS#1 v1.5 from a key for PSS', () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const pkcs8 = privateKey.export({ format: 'der', type: 'pkcs8' })
  using pss = crypto.signer('rsa-pss-sha256', pkcs8)
  using pkcs1 = crypto.signer('rsa-pkcs1-sha256', pkcs8)
  const subject = subjectName({ name: 'Middle' })
  const under = (leaf: Der, spki: Der = pss.spki) => verify(leaf, forge(ca, { subject, spki, extensions: authority }))
  const leaf = forge(ca, { issuer: subject }, pss)
  assert.ok(under(leaf).ok)
  refused(under(edited(leaf, 'a203020120', 'a20302011f')), 'IDENTITY_SIGNATURE_UNSUPPORTED')
  const mask = '06092a864886f70d010108300d060960864801650304020'
  refused(under(edited(leaf, `${mask}1`, `${mask}3`)), 'IDENTITY_SIGNATURE_UNSUPPORTED')

  const pssOnly = sequence(sequence(oid('1.2.840.113549.1.1.10')), pss.spki.subarray(-275))
  assert.ok(under(leaf, pssOnly).ok)
  assert.ok(under(forge(ca, { issuer: subject }, pkcs1)).ok)
  refused(under(forge(ca, { issuer: subject }, pkcs1), pssOnly), 'IDENTITY_SIGNATURE_UNSUPPORTED')
})

test('the path is good until its first certificate expires', () => {
  const middle = createSubordinate(ca, { name: 'Middle', now: NOW })
  const short = forge(ca, { subject: middle.subject, spki: middle.signer.spki, notAfter: later(3 * DAY_S), extensions: [...authority, subjectKeyId(middle.keyId)] })
  const leaf = issue(middle).chain[0]!
  assert.equal(must(verifyChain(crypto, [leaf, short], anchors, [], NOW)).validUntil, later(3 * DAY_S))
})
