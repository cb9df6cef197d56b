/** Our verdict on certification paths beside that of OpenSSL's command. Where ours differs by decision, the case says why. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import type { Der } from '../../src/base/brand.ts'
import { concat, fromHex, utf8 } from '../../src/base/bytes.ts'
import { must } from '../../src/base/result.ts'
import type { SignatureName, Signer } from '../../src/crypto/port.ts'
import { type Authority, createSubordinate, issueRevocationList } from '../../src/pki/authority.ts'
import {
  alternativeNames, authorityKeyId, basicConstraints, type CertificateFields, type ConstraintFields, crlAddresses, directoryName, dnsName, emailName, extendedKeyUsage, extension,
  ipName, keyUsage, nameConstraints, signRevocationList, subjectKeyId, subjectName, uriName,
} from '../../src/pki/certificate.ts'
import { element, octetString, oid, sequence, set, tagged, utf8String } from '../../src/pki/der.ts'
import { TAG } from '../../src/protocol/x509/der.ts'
import { EKU, KEY_USAGE } from '../../src/protocol/x509/extensions.ts'
import { makeAnchors, verifyPath } from '../../src/protocol/x509/path.ts'
import { encodePem } from '../../src/protocol/x509/pem.ts'
import type { RevocationRule } from '../../src/model/trust.ts'
import { crypto, DAY_S, forge, issue, later, newSigner, NOW, testCa } from '../kit/certificates.ts'

interface Case {
  readonly leaf: Der
  readonly others?: readonly Der[]
  readonly roots?: readonly Der[]
  readonly crls?: readonly Der[]
  readonly purpose?: 'member' | 'server'
  readonly rule?: RevocationRule
  /** Why OpenSSL accepts what we refuse. */
  readonly stricter?: string
  /** Why OpenSSL refuses what we accept. */
  readonly wider?: string
}

const ca = testCa()
const good = [basicConstraints(false), keyUsage(KEY_USAGE.digitalSignature)]
const authority = [basicConstraints(true), keyUsage(KEY_USAGE.keyCertSign | KEY_USAGE.cRLSign)]
const leafWith = (...extensions: Uint8Array[]): Case => ({ leaf: forge(ca, { extensions }) })
const leafOf = (fields: Partial<CertificateFields>): Case => ({ leaf: forge(ca, fields) })

/** A leaf under an intermediate whose certificate has these fields. */
function under(fields: Partial<CertificateFields>, leaf: Partial<CertificateFields> = {}): Case {
  const signer = newSigner()
  const subject = fields.subject ?? subjectName({ name: 'Middle' })
  return { leaf: forge(ca, { issuer: subject, ...leaf }, signer), others: [forge(ca, { subject, spki: signer.spki, extensions: authority, ...fields })] }
}

/** A leaf with these names under an authority with these constraints. */
function named(constraints: ConstraintFields, names: readonly Uint8Array[], subject: Uint8Array = subjectName({ name: 'Ann' })): Case {
  return under({ extensions: [...authority, nameConstraints(constraints)] }, { subject, extensions: [...good, ...(names.length === 0 ? [] : [alternativeNames(...names)])] })
}

function signedBy(algorithm: SignatureName, pkcs8: Uint8Array): Case {
  using signer = crypto.signer(algorithm, pkcs8)
  const subject = subjectName({ name: 'Middle' })
  return { leaf: forge(ca, { issuer: subject }, signer), others: [forge(ca, { subject, spki: signer.spki, extensions: authority })] }
}

const pkcs8 = { format: 'der', type: 'pkcs8' } as const
const rsa = (bits: number) => generateKeyPairSync('rsa', { modulusLength: bits }).privateKey.export(pkcs8)
const ec = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve }).privateKey.export(pkcs8)
const nested = (levels: number, pathLength?: number): Case => {
  const top = testCa(pathLength === undefined ? {} : { pathLength })
  let low: Authority = top
  for (let i = 0; i < levels; i++) low = createSubordinate(low, { name: `Level ${i}`, now: NOW })
  const [leaf, ...others] = issue(low).chain
  return { leaf: leaf!, others, roots: [top.certificate] }
}
const flipped = (der: Der, at: number): Der => der.with(at, der.at(at)! ^ 1) as Der
const rdn = (tag: number, bytes: Uint8Array) => sequence(set(sequence(oid('2.5.4.3'), element(tag, bytes))))
const org = (...names: string[]) => sequence(...names.map((name) => set(sequence(oid('2.5.4.10'), utf8String(name)))))
const revoking = (serial: string, by: Authority = ca): Der => issueRevocationList(by, [{ serial, when: later(-60) }], 1, NOW)
const [free, caught] = [issue(ca), issue(ca)]

const RSA = rsa(2048)
const KINDS = ['RSA 2048', 'RSA 3072', 'RSA 4096', 'P-256', 'P-384', 'P-521', 'Ed25519'] as const
const ALGORITHM: Record<(typeof KINDS)[number], SignatureName> = {
  'RSA 2048': 'rsa-pkcs1-sha256', 'RSA 3072': 'rsa-pss-sha384', 'RSA 4096': 'rsa-pkcs1-sha512', 'P-256': 'ecdsa-p256-sha256', 'P-384': 'ecdsa-p384-sha384', 'P-521': 'ecdsa-p521-sha512', Ed25519: 'ed25519',
}
const made = new Map<string, Signer>()
/** One key of each kind for authorities and one for people; the large ones take a while to make. */
function keyOf(kind: (typeof KINDS)[number], role: string): Signer {
  const known = made.get(`${kind} ${role}`)
  if (known !== undefined) return known
  const key = kind.startsWith('RSA') ? rsa(Number(kind.slice(4))) : kind === 'Ed25519' ? generateKeyPairSync('ed25519').privateKey.export(pkcs8) : ec(kind)
  const signer = crypto.signer(ALGORITHM[kind], key)
  made.set(`${kind} ${role}`, signer)
  return signer
}
function pair(above: (typeof KINDS)[number], below: (typeof KINDS)[number], forged = false): Case {
  const top = keyOf(above, 'authority')
  const subject = subjectName({ name: `Authority of ${above}` })
  const root = forge(ca, { issuer: subject, subject, spki: top.spki, extensions: authority }, top)
  const leaf = forge(ca, { issuer: subject, spki: keyOf(below, 'person').spki }, top)
  return { leaf: forged ? flipped(leaf, -3) : leaf, roots: [root] }
}
const listOf = (scope: Uint8Array | undefined, revoked: readonly string[] = []): Der => signRevocationList(ca.signer, {
  issuer: ca.subject, thisUpdate: later(-60), nextUpdate: later(3600), revoked: revoked.map((serial) => ({ serial: fromHex(serial)!, when: later(-60) })),
  extensions: [authorityKeyId(ca.keyId), ...(scope === undefined ? [] : [extension('2.5.29.28', scope, true)])],
})
const AT = 'http://ca.example.org/list.crl'
const pointed = (...addresses: string[]): Der => forge(ca, { extensions: [...good, authorityKeyId(ca.keyId), crlAddresses(...addresses)] })
const atPoint = (address: string): Uint8Array => sequence(tagged(0, tagged(0, uriName(address))))
const cases: Record<string, () => Case> = {
  'plain': () => ({ leaf: issue(ca).chain[0]! }),
  'plain server': () => ({ leaf: issue(ca, { kind: 'server', hosts: ['a.example.org'] }).chain[0]!, purpose: 'server' }),
  'server as member': () => ({ leaf: issue(ca, { kind: 'server', hosts: ['a.example.org'] }).chain[0]! }),
  'member as server': () => ({ leaf: issue(ca).chain[0]!, purpose: 'server' }),
  'one level': () => nested(1), 'four levels': () => nested(4),
  'path length 0, none between': () => nested(0, 0), 'path length 0, one between': () => nested(1, 0), 'path length 1, two between': () => nested(2, 1), 'path length 2, two between': () => nested(2, 2),
  'missing intermediate': () => ({ ...nested(2), others: [] }),
  'reversed intermediates': () => { const c = nested(3); return { ...c, others: c.others!.toReversed() } },
  'another root': () => ({ ...nested(1), roots: [testCa({ name: 'Other' }).certificate] }),
  'another root of the same name': () => ({ leaf: issue(ca).chain[0]!, roots: [testCa().certificate] }),
  'a twin root beside': () => ({ leaf: issue(ca).chain[0]!, roots: [testCa().certificate, ca.certificate] }),
  'self-signed': () => { const s = newSigner(); return { leaf: forge(ca, { issuer: subjectName({ name: 'Forged' }), spki: s.spki }, s) } },
  'expired': () => leafOf({ notAfter: later(-1) }), 'expires now': () => ({ ...leafOf({ notAfter: NOW }), wider: 'the last second belongs to the validity (RFC 5280 §4.1.2.5)' }), 'not yet': () => leafOf({ notBefore: later(1) }), 'from now': () => leafOf({ notBefore: NOW }),
  'expired between': () => under({ notAfter: later(-1) }),
  'expired root': () => { const old = testCa({ now: later(-20 * 365 * DAY_S) }); return { leaf: forge(old), roots: [old.certificate] } },
  'forever': () => leafOf({ notAfter: later(7900 * 365 * DAY_S) }),
  'flipped signature': () => ({ leaf: flipped(issue(ca).chain[0]!, -1) }),
  'flipped signature between': () => { const c = nested(1); return { ...c, others: [flipped(c.others![0]!, -1)] } },
  'intermediate without CA': () => under({ extensions: good }),
  'intermediate without basic constraints': () => under({ extensions: [keyUsage(KEY_USAGE.keyCertSign)] }),
  'intermediate without keyCertSign': () => under({ extensions: [basicConstraints(true), keyUsage(KEY_USAGE.cRLSign)] }),
  'intermediate without key usage': () => under({ extensions: [basicConstraints(true)] }),
  'intermediate for servers only': () => under({ extensions: [...authority, extendedKeyUsage(EKU.serverAuth)] }),
  'intermediate for both': () => under({ extensions: [...authority, extendedKeyUsage(EKU.serverAuth, EKU.clientAuth)] }),
  'intermediate with unknown critical': () => under({ extensions: [...authority, extension('1.2.3', octetString(utf8('x')), true)] }),
  'leaf without extended usage': () => leafWith(...good),
  'leaf with both usages': () => leafWith(...good, extendedKeyUsage(EKU.clientAuth, EKU.serverAuth)),
  'leaf for mail only': () => leafWith(...good, extendedKeyUsage('1.3.6.1.5.5.7.3.4')),
  'leaf with any usage': () => leafWith(...good, extendedKeyUsage('2.5.29.37.0')),
  'leaf for encipherment': () => leafWith(basicConstraints(false), keyUsage(0x20)),
  'leaf for key agreement': () => ({ ...leafWith(basicConstraints(false), keyUsage(0x08)), stricter: 'digitalSignature is needed, to sign delegations' }),
  'leaf without key usage': () => ({ ...leafWith(basicConstraints(false)), stricter: 'digitalSignature must be named' }),
  'leaf that is a CA': () => ({ ...leafWith(basicConstraints(true), keyUsage(KEY_USAGE.digitalSignature)), stricter: 'an authority is nobody\'s identity' }),
  'unknown critical': () => leafWith(...good, extension('1.2.3', octetString(utf8('x')), true)), 'unknown': () => leafWith(...good, extension('1.2.3', octetString(utf8('x')))),
  'critical policies': () => leafWith(...good, extension('2.5.29.32', sequence(sequence(oid('1.2.3'))), true)),
  'extension twice': () => leafWith(...good, keyUsage(KEY_USAGE.digitalSignature)),
  'authority key id of another': () => leafWith(...good, authorityKeyId(new Uint8Array(20))),
  'weak RSA': () => ({ ...leafOf({ spki: crypto.signer('rsa-pss-sha256', rsa(1024)).spki }), stricter: 'RSA from 2048 bits' }),
  'other curve': () => ({ ...leafOf({ spki: Uint8Array.from(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey.export({ format: 'der', type: 'spki' })) as Der }), stricter: 'three curves' }),
  ...Object.fromEntries((['sha256', 'sha384', 'sha512'] as const).flatMap((hash) => [
    [`PKCS#1 ${hash}`, () => signedBy(`rsa-pkcs1-${hash}`, RSA)], [`PSS ${hash}`, () => signedBy(`rsa-pss-${hash}`, RSA)],
    [`P-256 ${hash}`, () => signedBy(`ecdsa-p256-${hash}`, ec('P-256'))], [`P-384 ${hash}`, () => signedBy(`ecdsa-p384-${hash}`, ec('P-384'))], [`P-521 ${hash}`, () => signedBy(`ecdsa-p521-${hash}`, ec('P-521'))],
  ])),
  // Every kind of key under every kind of authority, honest and with a spoilt signature.
  ...Object.fromEntries(KINDS.flatMap((above) => KINDS.flatMap((below) => [
    [`${below} under ${above}`, () => pair(above, below)], [`${below} under ${above}, forged`, () => pair(above, below, true)],
  ]))),
  'Ed25519': () => signedBy('ed25519', generateKeyPairSync('ed25519').privateKey.export(pkcs8)),

  // Name constraints
  'mail permitted': () => named({ permitted: [emailName('example.org')] }, [emailName('ann@EXAMPLE.org')]), 'mail of a subdomain': () => named({ permitted: [emailName('example.org')] }, [emailName('ann@a.example.org')]),
  'mail below a domain': () => named({ permitted: [emailName('.example.org')] }, [emailName('ann@a.example.org')]), 'mail not below': () => named({ permitted: [emailName('.example.org')] }, [emailName('ann@example.org')]),
  'one mailbox': () => named({ permitted: [emailName('ann@example.org')] }, [emailName('ann@example.org')]), 'another mailbox': () => named({ permitted: [emailName('ann@example.org')] }, [emailName('Ann@example.org')]),
  'mail excluded': () => named({ excluded: [emailName('example.org')] }, [emailName('ann@example.org')]), 'mail elsewhere': () => named({ excluded: [emailName('example.org')] }, [emailName('ann@example.com')]),
  'mail in the subject': () => named({ permitted: [emailName('example.org')] }, [], sequence(set(sequence(oid('1.2.840.113549.1.9.1'), element(TAG.ia5String, utf8('ann@example.com')))))),
  'host permitted': () => named({ permitted: [dnsName('example.org')] }, [dnsName('a.Example.org')]), 'host itself': () => named({ permitted: [dnsName('example.org')] }, [dnsName('example.org')]),
  'host look-alike': () => named({ permitted: [dnsName('example.org')] }, [dnsName('badexample.org')]), 'host below with dot': () => named({ permitted: [dnsName('.example.org')] }, [dnsName('a.example.org')]),
  'host itself with dot': () => named({ permitted: [dnsName('.example.org')] }, [dnsName('example.org')]), 'host excluded': () => named({ excluded: [dnsName('example.org')] }, [dnsName('b.example.org')]),
  'one of two hosts': () => named({ permitted: [dnsName('example.org')] }, [dnsName('example.org'), dnsName('example.com')]), 'host-like common name': () => named({ permitted: [dnsName('example.org')] }, [], subjectName({ name: 'www.example.com' })),
  'permitted and excluded': () => named({ permitted: [dnsName('example.org')], excluded: [dnsName('a.example.org')] }, [dnsName('a.example.org')]), 'other kinds are free': () => named({ permitted: [dnsName('example.org')] }, [emailName('ann@example.com')]),
  'address permitted': () => named({ permitted: [ipName(Uint8Array.of(10, 0, 0, 0, 255, 0, 0, 0))] }, [ipName(Uint8Array.of(10, 1, 2, 3))]), 'address elsewhere': () => named({ permitted: [ipName(Uint8Array.of(10, 0, 0, 0, 255, 0, 0, 0))] }, [ipName(Uint8Array.of(11, 1, 2, 3))]),
  'URI permitted': () => named({ permitted: [uriName('.example.org')] }, [uriName('https://a.example.org/x?y')]), 'URI of the domain itself': () => named({ permitted: [uriName('.example.org')] }, [uriName('https://example.org/')]),
  'URI of one host': () => named({ permitted: [uriName('example.org')] }, [uriName('https://example.org')]), 'URI of a host below': () => named({ permitted: [uriName('example.org')] }, [uriName('https://a.example.org/')]),
  'URI with user and port': () => ({ ...named({ permitted: [uriName('example.org')] }, [uriName('sip://ann@example.org:5060/')]), wider: 'the user part is no part of the host (RFC 3986 §3.2)' }), 'URI with a port': () => named({ permitted: [uriName('example.org')] }, [uriName('https://Example.org:8443/')]),
  'URI excluded': () => named({ excluded: [uriName('example.org')] }, [uriName('https://example.org/')]), 'URI not excluded': () => named({ excluded: [uriName('example.org')] }, [uriName('https://example.com/')]),
  'URI without a host': () => named({ permitted: [uriName('example.org')] }, [uriName('urn:x:y')]),
  'subject permitted': () => named({ permitted: [directoryName(org('Example'))] }, [], concat(subjectName({ organisation: 'EXAMPLE', name: 'Ann' })) as Der), 'subject elsewhere': () => named({ permitted: [directoryName(org('Example'))] }, [], subjectName({ organisation: 'Other', name: 'Ann' })),
  'subject excluded': () => named({ excluded: [directoryName(org('Example'))] }, [], subjectName({ organisation: ' example ', name: 'Ann' })), 'constraints above a self-issued one': () => selfIssued(),
  'constraints two levels up': () => {
    const top = testCa({ constraints: { permitted: [emailName('example.org')] } })
    const [leaf, ...others] = issue(createSubordinate(top, { name: 'Low', now: NOW }), { emails: ['ann@example.com'] }).chain
    return { leaf: leaf!, others, roots: [top.certificate] }
  },

  // Names and strings
  'issuer in another case and kind of string': () => under({ subject: rdn(TAG.printableString, utf8('MIDDLE  one')) }, { issuer: rdn(TAG.utf8String, utf8(' middle one')) }),
  'issuer in BMPString': () => under({ subject: rdn(TAG.bmpString, Uint8Array.of(0, 77, 0, 105)) }, { issuer: rdn(TAG.utf8String, utf8('Mi')) }),
  'issuer in T61String': () => under({ subject: rdn(TAG.t61String, Uint8Array.of(0xe4)) }, { issuer: rdn(TAG.utf8String, utf8('ä')) }),
  'empty subject': () => leafOf({ subject: sequence(), extensions: [...good, extension('2.5.29.17', sequence(emailName('ann@example.org')), true)] }),

  // Revocation
  'revoked': () => ({ leaf: caught.chain[0]!, crls: [revoking(caught.serial)] }), 'not revoked': () => ({ leaf: free.chain[0]!, crls: [revoking(caught.serial)] }),
  'list of one address, that of the certificate': () => ({ leaf: pointed(AT), crls: [listOf(atPoint(AT))] }), 'list of people alone': () => ({ leaf: pointed(AT), crls: [listOf(sequence(element(0x81, Uint8Array.of(0xff))))] }),
  'list with a scope of both kinds': () => ({ leaf: pointed(AT), crls: [listOf(sequence(element(0x81, Uint8Array.of(0xff)), element(0x82, Uint8Array.of(0xff))))] }),
  'indirect list': () => ({ ...{ leaf: pointed(AT), crls: [listOf(sequence(element(0x84, Uint8Array.of(0xff))))] } }),
  'outdated list': () => ({ leaf: free.chain[0]!, crls: [issueRevocationList(ca, [], 1, later(-30 * DAY_S))] }), 'list from the future': () => ({ leaf: free.chain[0]!, crls: [issueRevocationList(ca, [], 1, later(DAY_S))] }),
  'list of another address': () => ({ leaf: pointed(AT), crls: [listOf(atPoint('http://ca.example.org/other.crl'))], rule: 'required' }), 'list of authorities alone': () => ({ leaf: pointed(AT), crls: [listOf(sequence(element(0x82, Uint8Array.of(0xff))))], rule: 'required' }), 'no list although one is needed': () => ({ leaf: pointed(AT), crls: [issueRevocationList(testCa({ name: 'Other' }), [], 1, NOW)], rule: 'required' }),
  'list with a wrong signature': () => ({ leaf: free.chain[0]!, crls: [flipped(revoking(caught.serial), -1)], wider: 'what its issuer did not sign is no list: whoever hands lists on could lock everybody out' }),
  'list with a wrong signature, and one is needed': () => ({ leaf: pointed(AT), crls: [flipped(listOf(atPoint(AT)), -1)], rule: 'required' }),
}

/** A self-issued intermediate is free of its issuer's constraints, its own leaf is not. */
function selfIssued(): Case {
  const top = testCa({ constraints: { permitted: [directoryName(org('Example'))] } })
  const signer = newSigner()
  const keyId = Uint8Array.of(1, 2, 3)
  const middle = forge(top, { subject: top.subject, spki: signer.spki, extensions: [...authority, subjectKeyId(keyId), authorityKeyId(top.keyId)] })
  return { leaf: forge(top, { subject: subjectName({ organisation: 'Example', name: 'Ann' }), extensions: [...good, authorityKeyId(keyId)] }, signer), others: [middle], roots: [top.certificate] }
}

const dir = mkdtempSync(path.join(tmpdir(), 'stc-paths-'))
after(() => rmSync(dir, { recursive: true, force: true }))
const save = (name: string, label: string, ders: readonly Der[]): string => {
  const file = path.join(dir, name)
  writeFileSync(file, ders.map((der) => encodePem(label, der)).join(''))
  return file
}

function opensslSays(c: Case): { accepted: boolean; words: string } {
  const args = ['verify', '-no-CApath', '-no-CAstore', '-attime', String(NOW), '-purpose', c.purpose === 'server' ? 'sslserver' : 'sslclient', '-CAfile', save('roots.pem', 'CERTIFICATE', c.roots ?? [ca.certificate])]
  if (c.others !== undefined && c.others.length > 0) args.push('-untrusted', save('others.pem', 'CERTIFICATE', c.others))
  if (c.crls !== undefined) args.push('-crl_check', '-CRLfile', save('lists.pem', 'X509 CRL', c.crls))
  const run = spawnSync('openssl', [...args, save('leaf.pem', 'CERTIFICATE', [c.leaf])], { encoding: 'utf8' })
  return { accepted: run.status === 0, words: run.stderr.replaceAll('\n', ' ') }
}

function openssl(): string | undefined {
  try {
    return execFileSync('openssl', ['version'], { encoding: 'utf8' })
  } catch {
    return undefined
  }
}

test('verdicts agree', { skip: openssl()?.startsWith('OpenSSL 3') === true ? false : 'no openssl 3 command on this machine' }, async (t) => {
  assert.ok(Object.keys(cases).length >= 200)
  for (const [name, build] of Object.entries(cases)) {
    await t.test(name, () => {
      const c = build()
      const ours = verifyPath(crypto, [c.leaf, ...(c.others ?? [])], must(makeAnchors(c.roots ?? [ca.certificate])), (c.crls ?? []).map((der) => ({ kind: 'crl', der })), NOW, c.purpose, c.rule)
      const theirs = opensslSays(c)
      const why = `ours: ${ours.ok ? 'accepted' : ours.fault.message}; openssl: ${theirs.accepted ? 'accepted' : theirs.words}`
      if (c.stricter !== undefined) assert.deepEqual([ours.ok, theirs.accepted], [false, true], why)
      else if (c.wider !== undefined) assert.deepEqual([ours.ok, theirs.accepted], [true, false], why)
      else assert.equal(ours.ok, theirs.accepted, why)
    })
  }
})
