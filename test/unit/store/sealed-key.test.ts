import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { must, type Result } from '../../../src/base/result.ts'
import { newKey } from '../../../src/pki/keys.ts'
import { encodePem, decodePem } from '../../../src/protocol/x509/pem.ts'
import { rememberGeneration, seenGeneration } from '../../../src/store/key-memory.ts'
import { type Keyring, systemKeyring } from '../../../src/store/keyring.ts'
import { privateKeyOf } from '../../../src/store/private-key.ts'
import { type KeyPlaces, protectKey, protectKeyIn, sealedInfoOf, unlockFor } from '../../../src/store/protect-key.ts'
import { openSealedKey, sealedKeyInfo, sealKey } from '../../../src/store/sealed-key.ts'
import { ok, err } from '../../../src/base/result.ts'
import { crypto } from '../../kit/certificates.ts'

const CHEAP = 10
const pkcs8 = newKey(crypto)
const bytesOf = (pem: string): Uint8Array => decodePem(pem)[0]!.bytes!
const words = Buffer.from('correct horse battery')
const sealed = bytesOf(sealKey(pkcs8, { lock: 'passphrase', with: words, generation: 3, machine: 'here', logN: CHEAP }))
const open = { passphrase: 'correct horse battery', machine: 'here', leastGeneration: 3 }
const codeOf = (r: Result<unknown>): string => (r.ok ? 'opened' : r.fault.code)

test('what was sealed opens, with what it says of itself', () => {
  assert.deepEqual(must(openSealedKey(sealed, 'f', open)), Uint8Array.from(pkcs8))
  assert.deepEqual(sealedKeyInfo(sealed), { ...sealedKeyInfo(sealed), lock: 'passphrase', generation: 3, bound: true })
  assert.notDeepEqual(bytesOf(sealKey(pkcs8, { lock: 'passphrase', with: words, generation: 3, machine: 'here', logN: CHEAP })), sealed)
})

test('the passphrase may be typed in either normal form', () => {
  const text = bytesOf(sealKey(pkcs8, { lock: 'passphrase', with: Buffer.from('Fußgänger'.normalize('NFC')), generation: 1, logN: CHEAP }))
  assert.equal(codeOf(openSealedKey(text, 'f', { passphrase: 'Fußgänger'.normalize('NFD') })), 'opened')
})

test('wrong passphrase, none, another machine, an older copy: each is told', () => {
  assert.equal(codeOf(openSealedKey(sealed, 'f', { ...open, passphrase: 'wrong' })), 'IDENTITY_PASSPHRASE_WRONG')
  assert.equal(codeOf(openSealedKey(sealed, 'f', { machine: 'here' })), 'IDENTITY_PASSPHRASE_NEEDED')
  assert.equal(codeOf(openSealedKey(sealed, 'f', { ...open, machine: 'there' })), 'IDENTITY_OTHER_MACHINE')
  assert.equal(codeOf(openSealedKey(sealed, 'f', { passphrase: open.passphrase })), 'IDENTITY_OTHER_MACHINE')
  assert.equal(codeOf(openSealedKey(sealed, 'f', { ...open, leastGeneration: 4 })), 'IDENTITY_ROLLED_BACK')
})

test('cut short at any octet, or any octet changed: never opened, always a fault', () => {
  for (let n = 0; n < sealed.length; n++) assert.notEqual(codeOf(openSealedKey(sealed.subarray(0, n), 'f', open)), 'opened')
  fc.assert(fc.property(fc.nat(sealed.length - 1), fc.integer({ min: 1, max: 255 }), (at, value) => {
    // The cost, which is bounded before it is spent, is tried apart.
    if (at === 22) return
    assert.match(codeOf(openSealedKey(sealed.with(at, sealed[at]! ^ value), 'f', open)), /^IDENTITY_(FILE_DAMAGED|PASSPHRASE_WRONG|OTHER_MACHINE|ROLLED_BACK|KEYRING|ENCLAVE_ONLY)$/)
  }), { numRuns: 400 })
})

test('no file makes us work for long: a cost beyond all reason is damage', () => {
  for (const logN of [0, 9, 21, 255]) assert.equal(codeOf(openSealedKey(sealed.with(22, logN), 'f', open)), 'IDENTITY_FILE_DAMAGED')
  assert.equal(codeOf(openSealedKey(sealed.with(22, CHEAP + 1), 'f', open)), 'IDENTITY_PASSPHRASE_WRONG')
})

test('with the keyring\'s secret', () => {
  const secret = crypto.bytes(32)
  const box = bytesOf(sealKey(pkcs8, { lock: 'keyring', with: secret, generation: 1, machine: 'here' }))
  assert.equal(codeOf(openSealedKey(box, 'f', { secret, machine: 'here' })), 'opened')
  assert.equal(codeOf(openSealedKey(box, 'f', { secret: crypto.bytes(32), machine: 'here' })), 'IDENTITY_KEYRING')
  assert.equal(codeOf(openSealedKey(box, 'f', { machine: 'here' })), 'IDENTITY_KEYRING')
})

function places(t: { after(f: () => void): void }, o: Partial<KeyPlaces> = {}): KeyPlaces & { readonly file: string; readonly kept: Map<string, Uint8Array> } {
  const folder = mkdtempSync(path.join(tmpdir(), 'stc-key-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const kept = new Map<string, Uint8Array>()
  const keyring: Keyring = { get: (f) => (kept.has(f) ? ok(kept.get(f)!.slice()) : err('IDENTITY_KEYRING', f)), put: (f, s) => {
    kept.set(f, Uint8Array.from(s))
    return ok(undefined)
  } }
  const file = path.join(folder, 'ann.key')
  writeFileSync(file, `-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n${encodePem('PRIVATE KEY', pkcs8)}`, { mode: 0o644 })
  return { keyring, machine: 'here', folder: path.join(folder, 'state'), file, kept, ...o }
}
const read = (p: KeyPlaces & { readonly file: string }, passphrase?: string): Result<Uint8Array> => {
  const unlock = unlockFor(p.file, p)
  return unlock.ok ? privateKeyOf(readFileSync(p.file, 'latin1'), p.file, { ...unlock.value, ...(passphrase === undefined ? {} : { passphrase }) }) : unlock
}

test('a plain file becomes a sealed one, is sealed anew, and an older copy that comes back is noticed', (t) => {
  const p = places(t)
  must(protectKey(p.file, {}, { passphrase: 'first passphrase', logN: CHEAP }, p))
  assert.ok(!readFileSync(p.file, 'latin1').includes('BEGIN PRIVATE KEY') && readFileSync(p.file, 'latin1').includes('BEGIN CERTIFICATE'))
  assert.equal(statSync(p.file).mode & 0o777, 0o600)
  assert.deepEqual(must(read(p, 'first passphrase')), Uint8Array.from(pkcs8))
  const first = readFileSync(p.file)
  const again = must(protectKey(p.file, { ...must(unlockFor(p.file, p)), passphrase: 'first passphrase' }, { passphrase: 'second passphrase', logN: CHEAP }, p))
  assert.equal(again.generation, 2)
  assert.equal(codeOf(read(p, 'first passphrase')), 'IDENTITY_PASSPHRASE_WRONG')
  assert.equal(codeOf(read(p, 'second passphrase')), 'opened')
  writeFileSync(p.file, first)
  assert.equal(codeOf(read(p, 'first passphrase')), 'IDENTITY_ROLLED_BACK')
})

test('with the keyring nobody is asked; another user\'s keyring, and another machine, do not open it', (t) => {
  const p = places(t)
  must(protectKey(p.file, {}, {}, p))
  assert.deepEqual(sealedInfoOf(p.file)?.lock, 'keyring')
  assert.equal(codeOf(read(p)), 'opened')
  assert.equal(codeOf(read({ ...p, machine: 'there' })), 'IDENTITY_OTHER_MACHINE')
  p.kept.clear()
  assert.equal(codeOf(read(p)), 'IDENTITY_KEYRING')
})

test('with the keyring again, stopped before the new file is there: the old one still opens', (t) => {
  const p = places(t)
  must(protectKey(p.file, {}, {}, p))
  // The new file cannot be made: as if the machine had stopped.
  mkdirSync(`${p.file}.new`)
  assert.equal(codeOf(protectKey(p.file, must(unlockFor(p.file, p)), {}, p)), 'STORE_UNWRITABLE')
  assert.equal(codeOf(read(p)), 'opened')
  rmSync(`${p.file}.new`, { recursive: true })
  assert.equal(must(protectKey(p.file, must(unlockFor(p.file, p)), {}, p)).generation, 2)
  assert.equal(codeOf(read(p)), 'opened')
})

test('for any machine, where that was wanted', (t) => {
  const p = places(t)
  must(protectKey(p.file, {}, { passphrase: 'first passphrase', anyMachine: true, logN: CHEAP }, p))
  assert.equal(codeOf(read({ ...p, machine: 'there' }, 'first passphrase')), 'opened')
})

test('a wrong passphrase changes nothing', (t) => {
  const p = places(t)
  must(protectKey(p.file, {}, { passphrase: 'first passphrase', logN: CHEAP }, p))
  const before = readFileSync(p.file)
  assert.equal(codeOf(protectKey(p.file, { ...must(unlockFor(p.file, p)), passphrase: 'wrong' }, { passphrase: 'second passphrase', logN: CHEAP }, p)), 'IDENTITY_PASSPHRASE_WRONG')
  assert.deepEqual(readFileSync(p.file), before)
})

test('an enclave gets what holds the key and not the certificates beside it, and nothing that it would not take', async (t) => {
  const p = places(t)
  const certificates = encodePem('CERTIFICATE', new Uint8Array(1200).fill(7)).repeat(60)
  writeFileSync(p.file, certificates + encodePem('PRIVATE KEY', pkcs8))
  let got = ''
  const seal = async (text: Uint8Array) => {
    got = Buffer.from(text).toString('latin1')
    return ok('sealed text')
  }
  assert.equal(must(await protectKeyIn(seal, p.file, p)).lock, 'enclave')
  assert.equal(got.trim(), encodePem('PRIVATE KEY', pkcs8).trim())
  assert.equal(readFileSync(p.file, 'latin1'), `${certificates}sealed text`)
  writeFileSync(p.file, encodePem('PRIVATE KEY', new Uint8Array(20_000)))
  assert.equal(codeOf(await protectKeyIn(async () => assert.fail('asked'), p.file, p)), 'IDENTITY_FILE_TOO_LARGE')
})

test('a stop between the new file and its number: the new file opens, its number is learnt', (t) => {
  const p = places(t)
  must(protectKey(p.file, {}, { passphrase: 'first passphrase', logN: CHEAP }, p))
  rmSync(p.folder, { recursive: true })
  assert.equal(seenGeneration(p.file, p.folder), 0)
  assert.equal(codeOf(read(p, 'first passphrase')), 'opened')
  must(rememberGeneration(p.file, 5, p.folder))
  must(rememberGeneration(p.file, 4, p.folder))
  assert.equal(seenGeneration(p.file, p.folder), 5)
})

test('the systems\' keyrings are asked in their own way, and never through an argument', () => {
  for (const platform of ['linux', 'darwin'] as const) {
    const seen: string[] = []
    let stored = ''
    const keyring = systemKeyring(platform, (command, args, input) => {
      seen.push(`${command} ${args.join(' ')}`)
      if (input !== undefined) stored = /[0-9a-f]{64}/.exec(input)?.[0] ?? ''
      return `${stored}\n`
    })
    const secret = crypto.bytes(32)
    must(keyring.put('/home/ann/ann.key', secret))
    assert.deepEqual(must(keyring.get('/home/ann/ann.key')), secret)
    assert.ok(!seen.join('\n').includes(Buffer.from(secret).toString('hex')))
    assert.match(seen[0]!, platform === 'linux' ? /^secret-tool store/ : /^security -i/)
  }
  const missing = systemKeyring('linux', () => {
    throw Object.assign(new Error('spawn secret-tool ENOENT'), { code: 'ENOENT' })
  }).get('f')
  assert.ok(!missing.ok && missing.fault.message.includes('libsecret-tools'))
})
