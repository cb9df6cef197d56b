/** Files and answers that OpenSSL's command makes, taken in by us, and requests of ours read by it. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Der, unixTime } from '../../src/base/brand.ts'
import { must } from '../../src/base/result.ts'
import { createSubordinate } from '../../src/pki/authority.ts'
import { makeCsr } from '../../src/pki/csr.ts'
import { ocspRequest } from '../../src/pki/fetch.ts'
import { parseCertificate } from '../../src/protocol/x509/certificate.ts'
import { verifyCertificationRequest } from '../../src/protocol/x509/certification-request.ts'
import { verifyPath } from '../../src/protocol/x509/path.ts'
import { encodePem } from '../../src/protocol/x509/pem.ts'
import { importIdentity } from '../../src/store/import-identity.ts'
import { anchorsOf, crypto, issue, testCa } from '../kit/certificates.ts'

const version = spawnSync('openssl', ['version'], { encoding: 'utf8' }).stdout
const skip = version?.startsWith('OpenSSL 3') === true ? false : 'no openssl 3 command on this machine'
const program = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const dir = mkdtempSync(path.join(tmpdir(), 'stc-files-'))
after(() => rmSync(dir, { recursive: true, force: true }))
const at = (name: string) => path.join(dir, name)
const save = (name: string, label: string, ...ders: readonly Uint8Array[]): string => {
  writeFileSync(at(name), ders.map((der) => encodePem(label, der)).join(''))
  return at(name)
}
const openssl = (...args: string[]): string => execFileSync('openssl', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })

// The responder goes by the clock of this machine.
const now = unixTime(Math.floor(Date.now() / 1000))
const ca = testCa({ now })
const middle = createSubordinate(ca, { name: 'Middle', now })
const person = issue(middle, { emails: ['ann@example.org'], now })

test('PKCS#12, as it is written today and as it was for twenty years', { skip }, async (t) => {
  const [key, leaf, chain] = [save('key.pem', 'PRIVATE KEY', person.pkcs8), save('leaf.pem', 'CERTIFICATE', person.chain[0]!), save('chain.pem', 'CERTIFICATE', person.chain[1]!, ca.certificate)]
  const legacy = spawnSync('openssl', ['list', '-providers', '-provider', 'legacy']).status === 0 ? ['-legacy'] : []
  const forms: Record<string, string[]> = {
    'AES-256 and SHA-256': [], 'AES-128': ['-keypbe', 'AES-128-CBC', '-certpbe', 'AES-128-CBC'], '3DES, SHA-1 seal': ['-keypbe', 'PBE-SHA1-3DES', '-certpbe', 'PBE-SHA1-3DES', '-macalg', 'SHA1'],
    '3DES in PBES2': ['-keypbe', 'DES-EDE3-CBC', '-certpbe', 'DES-EDE3-CBC'], 'certificates in the clear': ['-certpbe', 'NONE'], 'no seal': ['-nomac'], 'SHA-512 seal': ['-macalg', 'SHA512'],
    ...(legacy.length === 0 ? {} : { 'RC2 of 40 bits, as Windows wrote it': [...legacy], 'RC2 of 128 bits': [...legacy, '-certpbe', 'PBE-SHA1-RC2-128'] }),
  }
  for (const [name, args] of Object.entries(forms)) {
    await t.test(name, () => {
      openssl('pkcs12', '-export', '-inkey', key, '-in', leaf, '-certfile', chain, '-name', 'Ann', '-passout', 'pass:pässwörd', '-out', at('a.p12'), ...args)
      const read = must(importIdentity(crypto, at('a.p12'), { password: 'pässwörd' }))
      assert.deepEqual(read.chain, person.chain)
      assert.deepEqual(read.root, ca.certificate)
      using signer = crypto.signer('ecdsa-p256-sha256', read.pkcs8)
      assert.deepEqual(signer.spki, must(parseCertificate(person.chain[0]!)).spki)
      const wrong = importIdentity(crypto, at('a.p12'), { password: 'password' })
      assert.ok(!wrong.ok && wrong.fault.code === 'IDENTITY_PASSPHRASE_WRONG', wrong.ok ? 'opened' : wrong.fault.message)
      const bytes = readFileSync(at('a.p12'))
      for (let i = 0; i < bytes.length; i += 151) {
        writeFileSync(at('b.p12'), bytes.with(i, bytes[i]! ^ 0x55))
        importIdentity(crypto, at('b.p12'), { password: 'pässwörd' })
      }
    })
  }
})

test('stc identity import: a key that came locked lies locked, with its own password; --open leaves it open; nothing is overwritten', { skip }, () => {
  const [key, leaf, chain] = [save('key.pem', 'PRIVATE KEY', person.pkcs8), save('leaf.pem', 'CERTIFICATE', person.chain[0]!), save('chain.pem', 'CERTIFICATE', person.chain[1]!, ca.certificate)]
  writeFileSync(at('word'), 'lamp post\n')
  openssl('pkcs12', '-export', '-inkey', key, '-in', leaf, '-certfile', chain, '-passout', 'pass:lamp post', '-out', at('ann.p12'))
  const take = (...more: string[]) => spawnSync(process.execPath, [program, 'identity', 'import', at('ann.p12'), '--password-file', at('word'), ...more], { encoding: 'utf8', env: { ...process.env, DBUS_SESSION_BUS_ADDRESS: 'none', XDG_STATE_HOME: at('state') } })
  const locked = take()
  assert.equal(locked.status, 0, locked.stderr)
  assert.match(locked.stdout, /sealed with (that password|the system's keyring), for this machine/)
  assert.match(readFileSync(at('ann.key'), 'latin1'), /BEGIN STC SEALED KEY/)
  assert.doesNotMatch(readFileSync(at('ann.key'), 'latin1'), /BEGIN PRIVATE KEY/)
  assert.match(take('--open').stderr, /IDENTITY_OUTPUT_EXISTS/)
  const open = take('--open', '--out', at('service'))
  assert.match(open.stdout, /lies open, readable by you alone/)
  assert.match(readFileSync(at('service.key'), 'latin1'), /BEGIN PRIVATE KEY/)
})

test('PKCS#7, DER and PEM of an authority, with the key of our request', { skip }, () => {
  const key = save('key.pem', 'PRIVATE KEY', person.pkcs8)
  const chain = save('all.pem', 'CERTIFICATE', ca.certificate, ...person.chain.toReversed())
  openssl('crl2pkcs7', '-nocrl', '-certfile', chain, '-out', at('a.p7b'))
  openssl('crl2pkcs7', '-nocrl', '-certfile', chain, '-outform', 'DER', '-out', at('b.p7b'))
  writeFileSync(at('leaf.cer'), person.chain[0]!)
  for (const file of ['a.p7b', 'b.p7b', 'all.pem']) assert.deepEqual(must(importIdentity(crypto, at(file), { keyFile: key })).chain, person.chain, file)
  assert.deepEqual(must(importIdentity(crypto, at('leaf.cer'), { keyFile: key })).chain, [person.chain[0]])
  const other = save('other.pem', 'PRIVATE KEY', issue(ca, { now }).pkcs8)
  const mismatch = importIdentity(crypto, at('a.p7b'), { keyFile: other })
  assert.ok(!mismatch.ok && mismatch.fault.code === 'IDENTITY_KEY_MISMATCH')
})

test('OpenSSL reads and verifies our requests, and we its own', { skip }, () => {
  using signer = crypto.signer('ecdsa-p256-sha256', person.pkcs8)
  const csr = makeCsr(signer, { name: 'Ann Example', organisation: 'Example', emails: ['ann@example.org'], template: 'stcUser' })
  const text = openssl('req', '-in', save('a.csr', 'CERTIFICATE REQUEST', csr), '-verify', '-noout', '-text')
  for (const words of [/CN ?= ?Ann Example/, /email:ann@example\.org/, /TLS Web Client Authentication/, /Digital Signature/]) assert.match(text, words)
  assert.deepEqual(must(verifyCertificationRequest(crypto, csr)).spki, signer.spki)
  for (const kind of [['ec', '-pkeyopt', 'ec_paramgen_curve:P-384'], ['rsa:2048'], ['ed25519']]) {
    openssl('req', '-new', '-newkey', ...kind, '-nodes', '-keyout', at('k.pem'), '-subj', '/CN=x', '-addext', 'subjectAltName=DNS:x', '-outform', 'DER', '-out', at('k.csr'))
    const der = new Uint8Array(readFileSync(at('k.csr')))
    assert.ok(verifyCertificationRequest(crypto, der).ok, String(kind[0]))
    assert.ok(!verifyCertificationRequest(crypto, der.with(der.length - 1, der.at(-1)! ^ 1)).ok)
  }
})

test('answers of OpenSSL\'s responder to our question', { skip }, () => {
  const subject = must(parseCertificate(person.chain[0]!))
  const issuer = must(parseCertificate(middle.certificate))
  const serial = subject.serial.toUpperCase().replace(/^00/, '')
  const [key, cert] = [save('ca.key', 'PRIVATE KEY', middle.pkcs8), save('ca.pem', 'CERTIFICATE', middle.certificate)]
  writeFileSync(at('q.der'), ocspRequest(crypto, subject, issuer))
  const ask = (status: 'V' | 'R', ...more: string[]) => {
    writeFileSync(at('index.txt'), `${status}\t360101000000Z\t${status === 'R' ? '200101000000Z' : ''}\t${serial}\tunknown\t/CN=x\n`)
    const run = spawnSync('openssl', ['ocsp', '-index', at('index.txt'), '-CA', cert, '-rsigner', cert, '-rkey', key, '-reqin', at('q.der'), '-respout', at('r.der'), '-ndays', '1', ...more], { encoding: 'utf8' })
    assert.equal(run.status, 0, run.stderr)
    const proofs = [{ kind: 'ocsp' as const, der: new Uint8Array(readFileSync(at('r.der'))) as Der }]
    return verifyPath(crypto, person.chain, anchorsOf(ca), [...proofs], now, 'member', 'given')
  }
  assert.ok(ask('V').ok)
  assert.ok(ask('V', '-resp_key_id').ok)
  const revoked = ask('R')
  assert.ok(!revoked.ok && revoked.fault.code === 'IDENTITY_REVOKED', revoked.ok ? 'accepted' : revoked.fault.message)
})
