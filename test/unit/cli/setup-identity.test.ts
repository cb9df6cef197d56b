import assert from 'node:assert/strict'
import { createPrivateKey } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { unixTime } from '../../../src/base/brand.ts'
import { err, must, ok } from '../../../src/base/result.ts'
import { parseServer } from '../../../src/cli/setup.ts'
import { sessionsFile } from '../../../src/cli/page.ts'
import { forgetIdentity, identityFiles, keepIdentity, placeFor } from '../../../src/cli/setup-files.ts'
import { sortIdentity } from '../../../src/cli/setup-identity.ts'
import { encodePem } from '../../../src/protocol/x509/pem.ts'
import { readCertificates, readKey } from '../../../src/store/identity-file.ts'
import { needsPassphrase, unlockFor } from '../../../src/store/protect-key.ts'
import { newAuthority, papersFor } from '../../kit/real-server.ts'

const ca = newAuthority()
const anna = papersFor(ca, { name: 'anna', kind: 'member' })
const NOW = unixTime(Math.floor(Date.now() / 1000))
const text = (s: string): Uint8Array => new TextEncoder().encode(s)
const certificates = anna.chain.map((d) => encodePem('CERTIFICATE', d)).join('')
const key = encodePem('PRIVATE KEY', anna.pkcs8)
const anchor = encodePem('CERTIFICATE', ca.certificate)
const keyObject = createPrivateKey({ key: Buffer.from(anna.pkcs8), format: 'der', type: 'pkcs8' })
const encrypted = (format: 'pem' | 'der'): Uint8Array => {
  const made = keyObject.export({ format: format as 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'lamp' }) as string | Buffer
  return typeof made === 'string' ? text(made) : new Uint8Array(made)
}
const wanted = { chain: anna.chain.map((d) => new Uint8Array(d)), pkcs8: new Uint8Array(anna.pkcs8), anchors: [new Uint8Array(ca.certificate)] }
const sorted = (files: readonly Uint8Array[], passphrase = '') => {
  const { chain, pkcs8, anchors } = must(sortIdentity(files, passphrase, NOW))
  return { chain: chain.map((d) => new Uint8Array(d)), pkcs8, anchors: anchors.map((d) => new Uint8Array(d)) }
}

test('files in any order and number give the same identity', () => {
  for (const files of [[certificates, key, anchor], [anchor, key, certificates], [anchor + certificates + key], [key, certificates + anchor], [`Bag Attributes\n    localKeyID: 01\n${key}subject=/CN=anna\n${certificates}`, anchor]]) assert.deepEqual(sorted(files.map(text)), wanted)
})

test('in whatever encoding: DER, line ends and byte order marks of Windows, UTF-16', () => {
  const utf16 = (s: string, big: boolean): Uint8Array => {
    const octets = Buffer.from(`\ufeff${s.replaceAll('\n', '\r\n')}`, 'utf16le')
    return new Uint8Array(big ? octets.swap16() : octets)
  }
  const forms: Record<string, Uint8Array[]> = {
    'certificates in DER': [ca.certificate, ...anna.chain, text(key)], 'key in DER': [text(certificates + anchor), anna.pkcs8], 'SEC1 in DER': [text(certificates + anchor), new Uint8Array(keyObject.export({ format: 'der', type: 'sec1' }))],
    'line ends and mark': [text(`\ufeff${(certificates + key + anchor).replaceAll('\n', '\r\n')}`)], 'UTF-16, little end first': [utf16(certificates + key + anchor, false)], 'UTF-16, big end first': [utf16(certificates + key + anchor, true)],
  }
  for (const [form, files] of Object.entries(forms)) assert.deepEqual(sorted(files), wanted, form)
  for (const form of ['pem', 'der'] as const) {
    assert.deepEqual(sorted([text(certificates + anchor), encrypted(form)], 'lamp'), wanted, `encrypted, ${form}`)
    assert.equal(must(sortIdentity([text(certificates + anchor), encrypted(form)], 'lamp', NOW)).passphrase, 'lamp')
  }
  assert.equal(must(sortIdentity([text(certificates + key + anchor)], 'not needed', NOW)).passphrase, undefined)
})

test('what is missing or wrong is named, before anything is written', () => {
  const codeOf = (files: readonly Uint8Array[], passphrase = '', now = NOW): string | undefined => {
    const r = sortIdentity(files, passphrase, now)
    return r.ok ? undefined : r.fault.code
  }
  const code = (...files: readonly string[]): string | undefined => codeOf(files.map(text))
  assert.equal(code(certificates, anchor), 'IDENTITY_FILE_NO_KEY')
  assert.equal(code(key), 'IDENTITY_FILE_NO_CERTIFICATE')
  assert.equal(code('my notes'), 'IDENTITY_FILE_NO_CERTIFICATE')
  assert.equal(code(certificates, key), 'SETUP_NO_ANCHOR')
  assert.equal(code(anchor, encodePem('PRIVATE KEY', papersFor(ca, { name: 'boris', kind: 'member' }).pkcs8), certificates), 'IDENTITY_KEY_MISMATCH')
  assert.equal(code(certificates, key, encodePem('CERTIFICATE', newAuthority().certificate)), 'IDENTITY_UNKNOWN_ISSUER')
  assert.equal(code(certificates.replace('MII', 'M!I'), key, anchor), 'IDENTITY_FILE_DAMAGED')
  for (const form of ['pem', 'der'] as const) {
    assert.equal(codeOf([text(certificates + anchor), encrypted(form)]), 'IDENTITY_PASSPHRASE_NEEDED')
    assert.equal(codeOf([text(certificates + anchor), encrypted(form)], 'lump'), 'IDENTITY_PASSPHRASE_WRONG')
  }
  const all = [text(certificates + key + anchor)]
  assert.equal(codeOf(all, '', unixTime(NOW + 3 * 366 * 86_400)), 'IDENTITY_EXPIRED')
  assert.equal(codeOf(all, '', unixTime(NOW - 30 * 86_400)), 'IDENTITY_NOT_YET_VALID')
})

test('where the key goes: the keyring; without one, its own passphrase; only what came open and finds neither lies open', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'stc-kept-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const store = new Map<string, Uint8Array>()
  const keyring = { get: (f: string) => ok(Uint8Array.from(store.get(f)!)), put: (f: string, secret: Uint8Array) => { store.set(f, Uint8Array.from(secret)); return ok(undefined) } }
  const none = { get: (f: string) => err('IDENTITY_KEYRING', f), put: (f: string) => err('IDENTITY_KEYRING', f) }
  const places = (k: typeof keyring | typeof none) => ({ keyring: k, machine: 'this', folder: path.join(folder, 'state') })
  const file = path.join(folder, 'anna-key.pem')
  const own = (passphrase: string | undefined) => ({ ...must(sortIdentity([text(certificates + key + anchor)], '', NOW)), passphrase })
  const text64 = Buffer.from(anna.pkcs8).toString('base64').slice(8, 48)
  const reads = (): string => readFileSync(file, 'latin1').replaceAll('\n', '')
  assert.equal(must(keepIdentity(path.join(folder, 'anna.yaml'), own('lamp'), places(keyring))), 'keyring')
  assert.equal(must(keepIdentity(path.join(folder, 'anna.yaml'), own(undefined), places(keyring))), 'keyring')
  assert.ok(!reads().includes(text64))
  assert.deepEqual(must(readKey(file, must(unlockFor(file, places(keyring))))), new Uint8Array(anna.pkcs8))
  // What only the keyring opens is not ours where there is none.
  const locked = keepIdentity(path.join(folder, 'anna.yaml'), own('lamp'), places(none))
  assert.ok(!locked.ok && locked.fault.code === 'SETUP_KEY_EXISTS')
  rmSync(file)
  assert.equal(must(keepIdentity(path.join(folder, 'anna.yaml'), own('lamp'), places(none))), 'passphrase')
  assert.equal(must(keepIdentity(path.join(folder, 'anna.yaml'), own('lamp'), places(none))), 'passphrase')
  assert.ok(!reads().includes(text64) && needsPassphrase(file))
  assert.deepEqual(must(readKey(file, { ...must(unlockFor(file, places(none))), passphrase: 'lamp' })), new Uint8Array(anna.pkcs8))
  rmSync(file)
  assert.equal(must(keepIdentity(path.join(folder, 'anna.yaml'), own(undefined), places(none))), 'open')
  assert.ok(reads().includes(text64))
  if (process.platform !== 'win32') assert.equal(statSync(file).mode & 0o077, 0)
  assert.deepEqual(must(readCertificates(path.join(folder, 'anna-certificate.pem'))).map((d) => new Uint8Array(d)), wanted.chain)
})

test('a key that somebody else laid there is never overwritten, and nothing beside it is', (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'stc-laid-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const file = path.join(folder, 'anna-key.pem')
  const none = { keyring: { put: () => err('IDENTITY_KEYRING'), get: () => err('IDENTITY_KEYRING') }, machine: undefined, folder: path.join(folder, 'state') }
  const keep = () => keepIdentity(path.join(folder, 'anna.yaml'), { ...must(sortIdentity([text(certificates + key + anchor)], '', NOW)), passphrase: undefined }, none)
  const other = papersFor(ca, { name: 'berta', kind: 'member' })
  for (const there of [encodePem('PRIVATE KEY', other.pkcs8), Buffer.from(encrypted('pem')).toString(), 'no key at all\n', '']) {
    writeFileSync(file, there)
    const kept = keep()
    assert.ok(!kept.ok && kept.fault.code === 'SETUP_KEY_EXISTS' && kept.fault.message.includes(file))
    const place = placeFor(path.join(folder, 'anna.yaml'), { pkcs8: new Uint8Array(anna.pkcs8), passphrase: undefined }, none)
    assert.ok(!place.ok && place.fault.code === 'SETUP_KEY_EXISTS')
    assert.equal(readFileSync(file, 'latin1'), there)
    assert.ok(!existsSync(path.join(folder, 'anna-certificate.pem')))
  }
  // Ours, from a set-up that was cut off.
  writeFileSync(file, key)
  must(placeFor(path.join(folder, 'anna.yaml'), { pkcs8: new Uint8Array(anna.pkcs8), passphrase: undefined }, none))
  assert.equal(must(keep()), 'open')
  forgetIdentity(path.join(folder, 'anna.yaml'))
  assert.deepEqual(readdirSync(folder), [])
})

test('addresses of servers as people write them', () => {
  assert.deepEqual(parseServer(' Talk.Example.org '), { host: 'talk.example.org', port: 7443 })
  assert.deepEqual(parseServer('127.0.0.1:443'), { host: '127.0.0.1', port: 443 })
  assert.deepEqual(parseServer('[::1]:7443'), { host: '::1', port: 7443 })
  for (const wrong of ['', 'https://talk.example.org', 'a b', 'talk.example.org:0', 'talk.example.org:70000', '-x', '[zz]']) assert.equal(parseServer(wrong), undefined, wrong)
})

test('two configurations in one folder share nothing: windows of the page, certificate, key', () => {
  const [a, b] = ['/home/anna/stc.yaml', '/home/anna/work.yaml']
  assert.notEqual(sessionsFile(a), sessionsFile(b))
  assert.equal(path.dirname(sessionsFile(a)), '/home/anna')
  // What all in one folder once shared is nobody's any more.
  assert.ok(!/[/\\]\.stc-page\.json$/.test(sessionsFile(a)))
  const names = [a, b].flatMap((f) => Object.values(identityFiles(f)).flat())
  assert.equal(new Set(names).size, names.length)
})
