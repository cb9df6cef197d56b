import assert from 'node:assert/strict'
import { X509Certificate, createPrivateKey } from 'node:crypto'
import { test } from 'node:test'
import type { Random } from '../../../src/base/ports.ts'
import { must } from '../../../src/base/result.ts'
import { createCa, issueCertificate, openCa } from '../../../src/pki/authority.ts'
import { ipOctets, unusable } from '../../../src/pki/request.ts'
import { formatIp } from '../../../src/protocol/x509/general-name.ts'
import { verifyPath } from '../../../src/protocol/x509/path.ts'
import { anchorsOf, crypto, issue, later, NOW, testCa } from '../../kit/certificates.ts'

/** Octets that depend on the seed alone. */
function counting(seed: number): Random {
  let n = seed
  return { bytes: (length) => Uint8Array.from({ length }, () => (n = (n * 1103515245 + 12345) % 2147483648) >> 16 & 0x7f) }
}

test('what we issue, another implementation reads the same', () => {
  const ca = testCa({ organisation: 'Example Org' })
  const { chain, pkcs8, serial } = issue(ca, { name: 'Zoë Müller', organisation: 'Example Org', emails: ['zoe@example.org'] })
  const [leaf, root] = [new X509Certificate(chain[0]!), new X509Certificate(ca.certificate)]
  assert.equal(leaf.subject, 'O=Example Org\nCN=Zoë Müller')
  assert.equal(leaf.subjectAltName, 'email:zoe@example.org')
  assert.equal(leaf.serialNumber.toLowerCase(), serial)
  assert.deepEqual(leaf.keyUsage, ['1.3.6.1.5.5.7.3.2'])
  assert.ok(!leaf.ca && root.ca)
  assert.ok(leaf.checkIssued(root) && leaf.verify(root.publicKey) && root.verify(root.publicKey))
  assert.ok(leaf.checkPrivateKey(createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' })))
  assert.equal(root.validToDate.getTime() / 1000, NOW + 3653 * 86400)
})

test('servers get host names and addresses', () => {
  const ca = testCa()
  const leaf = new X509Certificate(issue(ca, { kind: 'server', name: 'server', hosts: ['STC.example.org', '192.0.2.1', '2001:db8::5'] }).chain[0]!)
  assert.equal(leaf.checkHost('stc.example.org'), 'stc.example.org')
  assert.equal(leaf.checkIP('192.0.2.1'), '192.0.2.1')
  assert.equal(leaf.checkIP('2001:db8::5'), '2001:db8::5')
})

test('the same random source gives the same keys and serial numbers', () => {
  const make = () => {
    const ca = createCa(crypto, { name: 'Seeded', now: NOW, random: counting(7) })
    return [ca.pkcs8, ...Object.values(issueCertificate(ca, { name: 'Ann', kind: 'member', now: NOW })).slice(1)]
  }
  assert.deepEqual(make(), make())
})

test('serial numbers differ, dates stay within the authority\'s', () => {
  const ca = testCa({ lifetimeDays: 10 })
  assert.equal(new Set(Array.from({ length: 20 }, () => issue(ca).serial)).size, 20)
  assert.equal(must(verifyPath(crypto, issue(ca).chain, anchorsOf(ca), [], NOW)).notAfter, NOW + 10 * 86400)
})

test('dates beyond 2049 are written as they must be', () => {
  const ca = testCa({ now: later(30 * 365 * 86400) })
  assert.equal(new X509Certificate(ca.certificate).validToDate.getUTCFullYear(), 2066)
  assert.ok(verifyPath(crypto, issue(ca, { now: later(30 * 365 * 86400) }).chain, anchorsOf(ca), [], later(30 * 365 * 86400)).ok)
})

test('an authority is opened with its own key only', () => {
  const [a, b] = [testCa(), testCa()]
  assert.ok(verifyPath(crypto, issue(must(openCa(crypto, a.certificate, a.pkcs8))).chain, anchorsOf(a), [], NOW).ok)
  const crossed = openCa(crypto, a.certificate, b.pkcs8)
  assert.equal(crossed.ok ? '' : crossed.fault.code, 'IDENTITY_KEY_MISMATCH')
  const broken = openCa(crypto, a.certificate, a.pkcs8.subarray(1))
  assert.equal(broken.ok ? '' : broken.fault.code, 'IDENTITY_KEY_UNREADABLE')
})

test('names that cannot stand in a certificate are refused', () => {
  const good = { name: 'Ann', emails: ['a.b+c@example.org'], hosts: ['localhost', 'a-b.example.org', '::1', '10.0.0.1'], sips: ['sip:2001@pbx.example', 'sips:ann.lee@10.0.0.1'] }
  assert.equal(unusable(good), undefined)
  for (const bad of [
    { name: '' }, { name: ' ' }, { name: 'x'.repeat(65) }, { name: 'Ann\u202E' }, { name: 'Ann\nBob' }, { name: 'A  B' }, { name: 'A', organisation: '' },
    { name: 'A', emails: ['nobody'] }, { name: 'A', emails: ['a b@example.org'] }, { name: 'A', emails: ['ä@example.org'] },
    { name: 'A', hosts: ['-x'] }, { name: 'A', hosts: ['a_b'] }, { name: 'A', hosts: ['1.2.3'] }, { name: 'A', hosts: ['256.1.1.1'] }, { name: 'A', hosts: [''] }, { name: 'A', hosts: ['1::2::3'] },
    { name: 'A', sips: ['2001'] }, { name: 'A', sips: ['sip:2001@pbx:5060'] }, { name: 'A', sips: ['sip:a b@pbx'] }, { name: 'A', sips: ['sip:2001@pbx;transport=tls'] }, { name: 'A', sips: ['mailto:a@b'] },
  ]) assert.notEqual(unusable(bad), undefined, JSON.stringify(bad))
  assert.throws(() => issue(testCa(), { name: '' }), RangeError)
})

test('addresses: text to octets and back', () => {
  for (const [text, canonical] of [
    ['0.0.0.0', '0.0.0.0'], ['255.1.2.3', '255.1.2.3'], ['::', '::'], ['::1', '::1'], ['1::', '1::'], ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8'], ['1:0:3:0:0:0:7:8', '1:0:3::7:8'], ['0:1:2:3:4:5:6:0', '0:1:2:3:4:5:6:0'],
  ] as const) assert.equal(formatIp(ipOctets(text)!), canonical)
  for (const bad of ['1.2.3', '01.2.3.4', '1:2', ':::', '1:2:3:4:5:6:7:8:9', '12345::', 'g::']) assert.equal(ipOctets(bad), undefined, bad)
})
