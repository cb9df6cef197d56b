/** `stc identity` and `stc doctor pki` as their users run them, with an authority that issues as AD CS does: CSR, certificate, revocation list in the directory alone. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { promisify } from 'node:util'
import { stringify } from 'yaml'
import { type Der, unixTime } from '../../../src/base/brand.ts'
import { must } from '../../../src/base/result.ts'
import { createCa, issueRevocationList } from '../../../src/pki/authority.ts'
import { basicConstraints, crlAddresses, crlNumber, extendedKeyUsage, extension, keyUsage, signCertificate, signRevocationList, subjectName } from '../../../src/pki/certificate.ts'
import { parseCertificate } from '../../../src/protocol/x509/certificate.ts'
import { verifyCertificationRequest } from '../../../src/protocol/x509/certification-request.ts'
import { KEY_USAGE } from '../../../src/protocol/x509/extensions.ts'
import { decodePem, encodePem } from '../../../src/protocol/x509/pem.ts'
import { crypto } from '../../kit/certificates.ts'

const dir = mkdtempSync(path.join(tmpdir(), 'stc-pki-'))
after(() => rmSync(dir, { recursive: true, force: true }))
const file = (name: string): string => path.join(dir, name)
const runner = file('runner.ts')
const source = (f: string): string => new URL(`../../../${f}`, import.meta.url).href
writeFileSync(runner, `import { Command } from '${import.meta.resolve('commander')}'\nimport { registerIdentity } from '${source('src/cli/identity.ts')}'\nimport { registerDoctor } from '${source('src/cli/doctor.ts')}'\nimport { registerDoctorPki } from '${source('src/cli/doctor-pki.ts')}'\nconst program = new Command()\nregisterIdentity(program)\nregisterDoctorPki(registerDoctor(program))\nprogram.parse()\n`)

async function stc(...args: string[]): Promise<{ code: number; out: string }> {
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [runner, ...args], { cwd: dir })
    return { code: 0, out: stdout + stderr }
  } catch (e) {
    const { code, stdout, stderr } = e as { code: number; stdout: string; stderr: string }
    assert.doesNotMatch(stderr, /\n\s+at /, 'a stack trace is no sentence')
    return { code, out: stdout + stderr }
  }
}

const now = unixTime(Math.floor(Date.now() / 1000))
const ca = createCa(crypto, { name: 'Corp Issuing CA 1', now: unixTime(now - 86_400) })
const LDAP = 'ldap:///CN=Corp%20Issuing%20CA%201,CN=pki1,CN=CDP,CN=Public%20Key%20Services,CN=Services,CN=Configuration,DC=corp,DC=example?certificateRevocationList?base?objectClass=cRLDistributionPoint'
/** The template's name, as AD CS writes it (szOID_ENROLL_CERTTYPE_EXTENSION, BMPString). */
const template = extension('1.3.6.1.4.1.311.20.2', Uint8Array.of(0x1e, 6, 0, 0x53, 0, 0x74, 0, 0x63))

/** As the authority answers a request: the name of its own choosing, for the request's key. */
function answer(csr: Uint8Array, options: { readonly list?: string; readonly days?: number } = {}): Der {
  const { spki } = must(verifyCertificationRequest(crypto, csr))
  return signCertificate(ca.signer, {
    serial: crypto.bytes(16), issuer: ca.subject, subject: subjectName({ name: 'Ann Example', organisation: 'Corp' }), notBefore: unixTime(now - 600), notAfter: unixTime(now + (options.days ?? 200) * 86_400), spki,
    extensions: [basicConstraints(false), keyUsage(KEY_USAGE.digitalSignature), extendedKeyUsage('1.3.6.1.5.5.7.3.2'), template, ...(options.list === undefined ? [] : [crlAddresses(options.list)])],
  }) as Der
}
const csrOf = (name: string): Uint8Array => decodePem(readFileSync(file(name), 'latin1'))[0]!.bytes!
function configured(name: string, certificate: Der, more: object = {}): string {
  writeFileSync(file(`${name}.pem`), encodePem('CERTIFICATE', certificate))
  writeFileSync(file('root.pem'), encodePem('CERTIFICATE', ca.certificate))
  writeFileSync(file(`${name}.yaml`), stringify({ server: { host: 'stc.example.org' }, identity: { certificate: `${name}.pem`, key: 'ann-example.key', anchors: ['root.pem'], ...more }, phones: [{ line: 'x' }] }))
  return `${name}.yaml`
}

test('a request, the authority\'s answer, taken in: the key stays, the chain is checked, a second answer overwrites nothing', async () => {
  const made = await stc('identity', 'request', 'Ann Example', '--csr', '--org', 'Corp', '--email', 'ann@corp.example', '--template', 'StcUser')
  assert.equal(made.code, 0, made.out)
  assert.match(made.out, /Wrote ann-example\.csr, to take to the authority, and ann-example\.key, which stays here/)
  if (process.platform !== 'win32') assert.equal(statSync(file('ann-example.key')).mode & 0o777, 0o600)
  assert.ok(Buffer.from(csrOf('ann-example.csr')).includes(Buffer.from('StcUser', 'utf16le').swap16()) || Buffer.from(csrOf('ann-example.csr')).includes('StcUser'), 'the template stands in the request')
  // DER, as "certreq -submit" leaves it.
  writeFileSync(file('ann.cer'), answer(csrOf('ann-example.csr'), { list: LDAP }))
  writeFileSync(file('root.pem'), encodePem('CERTIFICATE', ca.certificate))
  const taken = await stc('identity', 'import', 'ann.cer', '--key', 'ann-example.key', '--anchor', 'root.pem')
  assert.equal(taken.code, 0, taken.out)
  assert.match(taken.out, /Ann Example/)
  assert.ok(existsSync(file('ann.pem')))
  assert.match((await stc('identity', 'import', 'ann.cer', '--key', 'ann-example.key')).out, /IDENTITY_OUTPUT_EXISTS/)
  const shown = await stc('identity', 'show', 'ann.pem', '--anchor', 'root.pem')
  assert.match(shown.out, /name shown +Ann Example/)
})

test('an answer for another key, or of another authority: named, nothing written', async () => {
  await stc('identity', 'request', 'Eve', '--out', 'eve')
  writeFileSync(file('foreign.cer'), answer(csrOf('eve.csr')))
  const other = await stc('identity', 'import', 'foreign.cer', '--key', 'ann-example.key')
  assert.notEqual(other.code, 0)
  assert.match(other.out, /IDENTITY_KEY_MISMATCH/)
  assert.ok(!existsSync(file('foreign.pem')))
})

test('the revocation list stands in the directory alone: doctor names it, with what to change at the authority', async () => {
  const r = await stc('doctor', 'pki', '--config', configured('ldap', answer(csrOf('ann-example.csr'), { list: LDAP })))
  assert.notEqual(r.code, 0)
  assert.match(r.out, /WRONG .*directory alone \(ldap:\/\/\/CN=Corp/)
  assert.match(r.out, /CRL Distribution Point.*http:\/\/HOST\/CertEnroll.*Include in the CDP extension of issued certificates.*certutil -CRL/)
  assert.match(r.out, /revocation\.lists/)
  assert.match(r.out, /IDENTITY_REVOCATION_UNKNOWN.*under the rule "named"/s)
  // The list as a file is the other way out.
  writeFileSync(file('corp.crl'), issueRevocationList(ca, [], 1, now))
  const withFile = await stc('doctor', 'pki', '--config', configured('file', answer(csrOf('ann-example.csr'), { list: LDAP }), { revocation: { lists: ['corp.crl'] } }))
  assert.match(withFile.out, /accepted under the rule "named"/)
})

test('a list that is fetched, one that cannot be, a certificate that it revokes, one that ends soon, one of a stranger', async () => {
  const certificate = answer(csrOf('ann-example.csr'), { list: 'http://127.0.0.1:9/nothing.crl' })
  const closed = await stc('doctor', 'pki', '--config', configured('closed', certificate))
  assert.notEqual(closed.code, 0)
  assert.match(closed.out, /WRONG .*127\.0\.0\.1:9/)
  assert.match((await stc('doctor', 'pki', '--offline', '--config', 'closed.yaml')).out, /not asked/)

  let list: Uint8Array = new Uint8Array(0)
  const http = createServer((_, response) => void response.writeHead(200, { 'content-type': 'application/pkix-crl' }).end(list))
  await new Promise<void>((listening) => http.listen(0, '127.0.0.1', () => listening()))
  after(() => http.close())
  const address = `http://127.0.0.1:${(http.address() as AddressInfo).port}/corp.crl`
  const served = answer(csrOf('ann-example.csr'), { list: address, days: 7 })
  list = issueRevocationList(ca, [], 1, now)
  const good = await stc('doctor', 'pki', '--config', configured('served', served))
  assert.equal(good.code, 0, good.out)
  assert.match(good.out, /risky +the path ends on/)
  assert.match(good.out, /accepted under the rule "named"/)
  list = issueRevocationList(ca, [{ serial: must(parseCertificate(served)).serial, when: now }], 2, now)
  const revoked = await stc('doctor', 'pki', '--config', 'served.yaml')
  assert.notEqual(revoked.code, 0)
  assert.match(revoked.out, /WRONG .*revoked.*IDENTITY_REVOKED/s)
  list = signRevocationList(ca.signer, { issuer: ca.subject, thisUpdate: unixTime(now - 20 * 86_400), nextUpdate: unixTime(now - 86_400), revoked: [], extensions: [crlNumber(3)] })
  assert.match((await stc('doctor', 'pki', '--config', 'served.yaml')).out, /IDENTITY_REVOCATION_STALE/)

  const stranger = createCa(crypto, { name: 'Elsewhere', now: unixTime(now - 86_400) })
  writeFileSync(file('elsewhere.pem'), encodePem('CERTIFICATE', stranger.certificate))
  const foreign = await stc('doctor', 'pki', '--config', configured('foreign', served, { anchors: ['elsewhere.pem'] }))
  assert.notEqual(foreign.code, 0)
  assert.match(foreign.out, /WRONG .*\n +→ stc explain IDENTITY_/)
})
