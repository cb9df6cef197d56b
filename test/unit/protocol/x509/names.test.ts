import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Der, unixTime } from '../../../../src/base/brand.ts'
import { utf8 } from '../../../../src/base/bytes.ts'
import { must } from '../../../../src/base/result.ts'
import { displayName } from '../../../../src/model/identity.ts'
import { alternativeNames, basicConstraints, type ConstraintFields, dnsName, emailName, extension, ipName, keyUsage, nameConstraints, subjectName } from '../../../../src/pki/certificate.ts'
import { element, oid, sequence, set, tagged, utf8String } from '../../../../src/pki/der.ts'
import { DerReader, TAG } from '../../../../src/protocol/x509/der.ts'
import { KEY_USAGE } from '../../../../src/protocol/x509/extensions.ts'
import { attributeOf, readName, sameName, withinName } from '../../../../src/protocol/x509/name.ts'
import { makeAnchors, verifyPath } from '../../../../src/protocol/x509/path.ts'
import { decodePem, encodePem } from '../../../../src/protocol/x509/pem.ts'
import type { ShownName } from '../../../../src/model/trust.ts'
import { anchorsOf, crypto, forge, NOW, testCa } from '../../../kit/certificates.ts'

const CN = '2.5.4.3'
const attribute = (type: string, value: Uint8Array) => sequence(oid(type), value)
const cn = (tag: number, bytes: Uint8Array) => sequence(set(attribute(CN, element(tag, bytes))))
const parse = (der: Uint8Array) => {
  const r = new DerReader(der)
  const name = readName(r)
  r.end()
  return r.failure.reason ?? name
}
const named = (der: Uint8Array) => {
  const name = parse(der)
  assert.ok(typeof name !== 'string', String(name))
  return name
}
const ca = testCa()
const identityFor = (subject: Der, ...extensions: Uint8Array[]) =>
  verifyPath(crypto, [forge(ca, { subject, extensions: [basicConstraints(false), keyUsage(KEY_USAGE.digitalSignature), ...extensions] })], anchorsOf(ca), [], NOW)

test('all kinds of strings, and what does not fit them', () => {
  const text = (tag: number, ...octets: number[]) => attributeOf(named(cn(tag, Uint8Array.from(octets))), CN)
  assert.equal(text(TAG.utf8String, ...utf8('Zoë')), 'Zoë')
  assert.equal(text(TAG.bmpString, 0x5c, 0x71, 0x75, 0x30), '山田')
  assert.equal(text(TAG.universalString, 0, 1, 0xf6, 0), '😀')
  assert.equal(text(TAG.t61String, 0x5a, 0xeb), 'Zë')
  assert.equal(text(TAG.printableString, ...utf8('A*b@c')), 'A*b@c')
  assert.equal(text(TAG.integer, 5), undefined)
  for (const [tag, octets] of [[TAG.utf8String, [0xff]], [TAG.bmpString, [0]], [TAG.universalString, [0, 0, 0]], [TAG.universalString, [0, 0x11, 0, 0]], [TAG.printableString, [0xe4]], [TAG.ia5String, [0xe4]]] as const) {
    assert.equal(typeof parse(cn(tag, Uint8Array.from(octets))), 'string')
  }
})

test('structure: empty names, empty sets, many attributes', () => {
  assert.equal(named(sequence()).rdns.length, 0)
  assert.equal(typeof parse(sequence(set())), 'string')
  assert.equal(typeof parse(sequence(set(sequence(oid(CN))))), 'string')
  assert.match(parse(sequence(...Array.from({ length: 65 }, () => set(attribute(CN, utf8String('x')))))) as string, /too many/)
  const two = (a: string, b: string) => named(sequence(set(attribute(CN, utf8String(a)), attribute('2.5.4.10', utf8String(b)))))
  assert.ok(sameName(two('a', 'b'), named(sequence(set(attribute('2.5.4.10', utf8String('B')), attribute(CN, utf8String('A')))))))
  assert.ok(!sameName(two('a', 'b'), two('b', 'a')))
})

test('comparison folds ASCII case and spaces, nothing else', () => {
  const same = (a: string, b: string) => sameName(named(subjectName({ name: a })), named(subjectName({ name: b })))
  assert.ok(same('Ann  EXAMPLE', ' ann example '))
  assert.ok(!same('Ann', 'Anna'))
  assert.ok(!same('Ä', 'ä'))
  assert.ok(!same('ann\u00a0example', 'ann example'))
  const [short, long] = [named(subjectName({ name: 'x', organisation: 'o' })), named(sequence(set(attribute('2.5.4.10', utf8String('o')))))]
  assert.ok(withinName(short, long) && !withinName(long, short))
})

test('a text cannot imitate the structure of another name', () => {
  const plain = named(sequence(set(attribute(CN, utf8String('a')), attribute('2.5.4.10', utf8String('b')))))
  for (const text of ['a","2.5.4.10="b', 'a"', '#0c0161']) assert.ok(!sameName(plain, named(subjectName({ name: text }))))
  assert.ok(!sameName(named(cn(TAG.utf8String, utf8('#020105'))), named(cn(TAG.integer, Uint8Array.of(5)))))
})

test('what a person sees of hostile names', () => {
  const shown = (text: string) => displayName(must(identityFor(subjectName({ name: text }))))
  assert.equal(shown('Ann\u202Egnp.exe'), 'Ann\uFFFDgnp.exe')
  assert.equal(shown('Ann\u0000Bob'), 'Ann\uFFFDBob')
  assert.equal(shown('\u001b[2J\nroot'), '\uFFFD[2J\uFFFDroot')
  assert.equal(shown('שלום'), 'שלום')
  assert.equal(shown('x'.repeat(8000)), `${'x'.repeat(63)}…`)
})

test('without a subject, the alternative name speaks; without both, the key', () => {
  const mail = must(identityFor(sequence(), alternativeNames(emailName('ann@example.org'))))
  assert.equal(mail.subject, '')
  assert.equal(displayName(mail), 'ann@example.org')
  assert.match(displayName(must(identityFor(sequence()))), /^key [0-9a-f]{16}$/)
})

test('the most specific common name counts, mail addresses are collected once', () => {
  const subject = sequence(set(attribute(CN, utf8String('Outer'))), set(attribute(CN, utf8String('Inner'))), set(attribute('1.2.840.113549.1.9.1', element(TAG.ia5String, utf8('a@example.org')))))
  const identity = must(identityFor(subject, alternativeNames(emailName('b@example.org'), emailName('a@example.org'))))
  assert.equal(identity.subject, 'Inner')
  assert.deepEqual(identity.emails, ['b@example.org', 'a@example.org'])
})

test('alternative names with characters that do not belong there are refused', () => {
  for (const name of [emailName('a\u0000@example.org'), dnsName('a.example.org\n'), element(0x82, Uint8Array.of(0xe4)), element(0x9f, utf8('x')), tagged(9, utf8String('x'))]) {
    const r = identityFor(subjectName({ name: 'x' }), alternativeNames(name))
    assert.ok(!r.ok && r.fault.code === 'IDENTITY_CERTIFICATE_MALFORMED', r.ok ? 'accepted' : r.fault.message)
  }
  assert.ok(!identityFor(subjectName({ name: 'x' }), extension('2.5.29.17', sequence())).ok)
})

test('constraints that cannot be judged refuse the names they speak of, and those only', () => {
  const under = (constraints: Uint8Array, names: readonly Uint8Array[]) => {
    const signer = crypto.signer('ecdsa-p256-sha256', ca.pkcs8)
    const top = forge(ca, { subject: ca.subject, spki: signer.spki, extensions: [basicConstraints(true), keyUsage(KEY_USAGE.keyCertSign), constraints] })
    const leaf = forge(ca, { extensions: [basicConstraints(false), keyUsage(KEY_USAGE.digitalSignature), alternativeNames(...names)] })
    const anchors = makeAnchors([top])
    return anchors.ok ? verifyPath(crypto, [leaf], anchors.value, [], NOW) : anchors
  }
  const constraint = (fields: ConstraintFields) => nameConstraints(fields)
  const [uri, other] = [element(0x86, utf8('https://example.org/')), tagged(0, oid('1.2.3'), tagged(0, utf8String('x')))]
  for (const kind of [uri, other, ipName(Uint8Array.of(1, 2, 3, 4, 255, 0, 255, 0)), ipName(Uint8Array.of(1, 2, 3))]) {
    const own = kind[0] === 0x87 ? ipName(Uint8Array.of(1, 2, 3, 4)) : kind
    const refused = under(constraint({ excluded: [kind] }), [own])
    assert.ok(!refused.ok && refused.fault.code === 'IDENTITY_NAME_NOT_ALLOWED', refused.ok ? 'accepted' : refused.fault.message)
    assert.ok(under(constraint({ excluded: [kind] }), [emailName('ann@example.org')]).ok)
  }
  assert.ok(!under(constraint({ permitted: [emailName('example.org')] }), [emailName('nobody')]).ok)
  // minimum and maximum are not of this profile (RFC 5280 §4.2.1.10).
  const odd = under(extension('2.5.29.30', sequence(tagged(0, sequence(emailName('example.org'), element(0x80, Uint8Array.of(1))))), true), [emailName('a@example.org')])
  assert.ok(!odd.ok && odd.fault.code === 'IDENTITY_CERTIFICATE_MALFORMED')
  const many = under(constraint({ excluded: Array.from({ length: 400 }, (_, i) => dnsName(`${i}.example.com`)) }), Array.from({ length: 400 }, (_, i) => dnsName(`${i}.example.org`)))
  assert.ok(!many.ok && /too many/.test(many.fault.message))
})

test('PEM: there and back, and what is not PEM', () => {
  fc.assert(fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), (bytes) => {
    const [block, ...rest] = decodePem(`noise\n${encodePem('CERTIFICATE', bytes)}noise`)
    assert.deepEqual(block?.bytes, bytes)
    assert.equal(rest.length, 0)
  }))
  assert.deepEqual(decodePem(encodePem('A', utf8('a')).replaceAll('\n', '\r\n'))[0]?.bytes, utf8('a'))
  for (const text of ['', '-----BEGIN A-----', '-----BEGIN A-----\nAAAA\n-----END B-----', '-----begin A-----\nAAAA\n-----end A-----']) assert.deepEqual(decodePem(text), [])
  for (const body of ['', 'A', 'AAA', 'A===', '!AAA', 'Proc-Type: 4,ENCRYPTED\n\nAAAA']) assert.equal(decodePem(`-----BEGIN A-----\n${body}\n-----END A-----`)[0]?.bytes, undefined, body)
  assert.equal(decodePem(encodePem('A', utf8('x')).repeat(2000)).length, 1024)
})

test('which field becomes the shown name, as the configuration says', () => {
  const attribute = (type: string, text: string) => set(sequence(oid(type), utf8String(text)))
  const der = forge(ca, {
    subject: sequence(attribute('2.5.4.10', 'Example'), attribute('2.5.4.4', 'Example'), attribute('2.5.4.42', 'Ann'), attribute('0.9.2342.19200300.100.1.1', 'aex'), attribute('2.5.4.3', 'AEXAMPLE01')),
    extensions: [basicConstraints(false), keyUsage(KEY_USAGE.digitalSignature), alternativeNames(emailName('ann@example.org'), tagged(0, oid('1.3.6.1.4.1.311.20.2.3'), tagged(0, utf8String('ann@corp.example\u202e'))))],
  })
  const shown = (...fields: ShownName) => displayName(must(verifyPath(crypto, [der], must(makeAnchors([ca.certificate], fields)), [], NOW)))
  assert.equal(displayName(must(verifyPath(crypto, [der], must(makeAnchors([ca.certificate])), [], NOW))), 'AEXAMPLE01')
  assert.equal(shown('givenNameSurname', 'commonName'), 'Ann Example')
  assert.equal(shown('displayName', 'uid'), 'aex')
  assert.equal(shown('email'), 'ann@example.org')
  assert.equal(shown('organisation'), 'Example')
  assert.equal(shown('host'), 'AEXAMPLE01', 'none of the fields: as if nothing was configured')
  assert.equal(shown('upn'), 'ann@corp.example\ufffd', 'clean, wherever it comes from')
})

test('a certificate of eight kilobytes, names from right to left, with controls and with HTML', () => {
  const hosts = Array.from({ length: 400 }, (_, i) => dnsName(`host-${i}.example.org`))
  const large = forge(ca, { extensions: [basicConstraints(false), keyUsage(KEY_USAGE.digitalSignature), alternativeNames(...hosts)] })
  assert.ok(large.length > 8000)
  assert.equal(must(verifyPath(crypto, [large], anchorsOf(ca), [], NOW)).hosts.length, 64)
  const huge = forge(ca, { extensions: [basicConstraints(false), keyUsage(KEY_USAGE.digitalSignature), alternativeNames(...hosts, ...hosts, ...hosts)] })
  const refused = verifyPath(crypto, [huge], anchorsOf(ca), [], NOW)
  assert.ok(!refused.ok && refused.fault.code === 'IDENTITY_CERTIFICATE_TOO_LARGE')
  const shown = (name: string) => displayName(must(verifyPath(crypto, [forge(ca, { subject: subjectName({ name }) })], anchorsOf(ca), [], NOW)))
  assert.equal(shown('משה כהן'), 'משה כהן')
  assert.equal(shown('Ann\u202egro.elpmaxe'), 'Ann\ufffdgro.elpmaxe')
  assert.equal(shown('Ann\u001b[2J\r\nBob'), 'Ann\ufffd[2J\ufffd\ufffdBob')
  // Markup is text: whoever writes HTML escapes it, a terminal shows it.
  assert.equal(shown('<img src=x onerror=alert(1)>'), '<img src=x onerror=alert(1)>')
})

test('a clock that is a day off: the complaint says which way, and to look at the clock', () => {
  const der = forge(ca)
  const at = (seconds: number) => verifyPath(crypto, [der], anchorsOf(ca), [], unixTime(NOW + seconds))
  const [early, late] = [at(-86_401), at(86_401)]
  assert.ok(at(0).ok)
  assert.ok(!early.ok && early.fault.code === 'IDENTITY_NOT_YET_VALID' && /clock of this machine/.test(early.fault.message))
  assert.ok(!late.ok && late.fault.code === 'IDENTITY_EXPIRED' && /2026-11-22/.test(late.fault.message))
})
