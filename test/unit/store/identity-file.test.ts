import assert from 'node:assert/strict'
import { createPrivateKey, generateKeyPairSync, type KeyExportOptions } from 'node:crypto'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import type { Der } from '../../../src/base/brand.ts'
import type { FaultCode } from '../../../src/base/faults/index.ts'
import { must } from '../../../src/base/result.ts'
import { certify, createSubordinate } from '../../../src/pki/authority.ts'
import { encodePem } from '../../../src/protocol/x509/pem.ts'
import { readAnchors, readIdentity } from '../../../src/store/identity-file.ts'
import { crypto, DAY_S, issue, later, NOW, testCa } from '../../kit/certificates.ts'

const dir = mkdtempSync(path.join(tmpdir(), 'stc-store-'))
after(() => rmSync(dir, { recursive: true, force: true }))
const save = (name: string, content: string): string => {
  const file = path.join(dir, name)
  writeFileSync(file, content, { mode: 0o600 })
  return file
}
const pem = (...ders: readonly Der[]) => ders.map((der) => encodePem('CERTIFICATE', der)).join('# between\r\n')

const ca = testCa()
const person = issue(createSubordinate(ca, { name: 'Middle', now: NOW }))
const certificateFile = save('ann.pem', `Subject: whatever\n${pem(...person.chain)}`)
const key = createPrivateKey({ key: Buffer.from(person.pkcs8), format: 'der', type: 'pkcs8' })
const keyFile = save('ann.key', key.export({ format: 'pem', type: 'pkcs8' }) as string)

const refused = (files: Partial<Parameters<typeof readIdentity>[1]>, code: FaultCode, words?: RegExp, now = NOW) => {
  const r = readIdentity(crypto, { certificateFile, keyFile, ...files }, now)
  assert.ok(!r.ok, 'accepted')
  assert.equal(r.fault.code, code, r.fault.message)
  if (words !== undefined) assert.match(r.fault.message, words)
}

test('chain and key, in every container', () => {
  const forms: [string, KeyExportOptions][] = [
    ['PRIVATE KEY', { format: 'pem', type: 'pkcs8' }], ['EC PRIVATE KEY', { format: 'pem', type: 'sec1' }],
    ['ENCRYPTED PRIVATE KEY', { format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'open sesame' }],
    ['EC PRIVATE KEY', { format: 'pem', type: 'sec1', cipher: 'aes-128-cbc', passphrase: 'open sesame' }],
  ]
  for (const [label, form] of forms) {
    const text = key.export(form) as string
    assert.ok(text.startsWith(`-----BEGIN ${label}-----`))
    using identity = must(readIdentity(crypto, { certificateFile, keyFile: save('form.key', text), passphrase: 'open sesame' }, NOW))
    assert.equal(identity.chain.length, 2)
    assert.ok(crypto.verify('ecdsa-p256-sha256', identity.certificate.spki, person.pkcs8, identity.signer.sign(person.pkcs8)))
  }
  using together = must(readIdentity(crypto, { certificateFile: save('both.pem', pem(...person.chain) + key.export({ format: 'pem', type: 'pkcs8' })), keyFile: path.join(dir, 'both.pem') }, NOW))
  assert.equal(together.chain.length, 2)
})

test('RSA and Edwards keys sign as delegations want it', () => {
  for (const [pair, type, algorithm] of [
    [generateKeyPairSync('rsa', { modulusLength: 2048 }), 'pkcs1', 'rsa-pss-sha256'], [generateKeyPairSync('ed25519'), 'pkcs8', 'ed25519'], [generateKeyPairSync('ec', { namedCurve: 'P-384' }), 'sec1', 'ecdsa-p384-sha384'],
  ] as const) {
    const spki = Uint8Array.from(pair.publicKey.export({ format: 'der', type: 'spki' })) as Der
    const file = save('other.pem', pem(...certify(ca, spki, { name: 'Bob', kind: 'member', now: NOW })))
    using identity = must(readIdentity(crypto, { certificateFile: file, keyFile: save('other.key', pair.privateKey.export({ format: 'pem', type } as KeyExportOptions) as string) }, NOW))
    assert.equal(identity.signer.algorithm, algorithm)
  }
})

test('what is wrong is said in plain words', () => {
  refused({ certificateFile: path.join(dir, 'none.pem') }, 'IDENTITY_FILE_MISSING', /There is no such file: .*none\.pem/)
  refused({ keyFile: path.join(dir, 'none.key') }, 'IDENTITY_FILE_MISSING')
  refused({ certificateFile: dir }, 'IDENTITY_FILE_UNREADABLE', /EISDIR/)
  refused({ certificateFile: keyFile }, 'IDENTITY_FILE_NO_CERTIFICATE')
  refused({ keyFile: certificateFile }, 'IDENTITY_FILE_NO_KEY')
  refused({ certificateFile: save('empty', '') }, 'IDENTITY_FILE_NO_CERTIFICATE')
  refused({ certificateFile: save('damaged', pem(...person.chain).replace('MII', 'M!!')) }, 'IDENTITY_FILE_DAMAGED')
  refused({ certificateFile: save('cut', encodePem('CERTIFICATE', person.chain[0]!.subarray(0, 200))) }, 'IDENTITY_CERTIFICATE_MALFORMED', /cut/)
  refused({ keyFile: save('bad.key', encodePem('PRIVATE KEY', person.pkcs8.subarray(0, 50))) }, 'IDENTITY_KEY_UNREADABLE')
  refused({ certificateFile: save('huge', 'x'.repeat(2_100_000)) }, 'IDENTITY_FILE_TOO_LARGE')
  refused({}, 'IDENTITY_EXPIRED', /"Ann Example" in .*ann\.pem on 20\d\d-/, later(500 * DAY_S))
  refused({}, 'IDENTITY_NOT_YET_VALID', undefined, later(-DAY_S))
})

test('a key that is not the certificate\'s', () => {
  refused({ keyFile: save('else.key', encodePem('PRIVATE KEY', issue(ca).pkcs8)) }, 'IDENTITY_KEY_MISMATCH', /ann\.pem/)
  refused({ keyFile: save('ed.key', generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }) as string) }, 'IDENTITY_KEY_MISMATCH')
})

test('passphrases', () => {
  const locked = save('locked.key', key.export({ format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'right' }) as string)
  refused({ keyFile: locked }, 'IDENTITY_PASSPHRASE_NEEDED')
  refused({ keyFile: locked, passphrase: 'wrong' }, 'IDENTITY_PASSPHRASE_WRONG')
  refused({ keyFile: locked, passphrase: '' }, 'IDENTITY_PASSPHRASE_WRONG')
})

test('a key that others can read is reported', { skip: process.platform === 'win32' ? 'no modes on Windows' : false }, () => {
  using closed = must(readIdentity(crypto, { certificateFile, keyFile }, NOW))
  assert.equal(closed.keyExposed, false)
  const shared = save('shared.key', key.export({ format: 'pem', type: 'pkcs8' }) as string)
  chmodSync(shared, 0o644)
  using open = must(readIdentity(crypto, { certificateFile, keyFile: shared }, NOW))
  assert.equal(open.keyExposed, true)
})

test('anchors from several files', () => {
  const anchors = must(readAnchors([save('a.pem', pem(ca.certificate, testCa().certificate)), save('b.pem', pem(testCa().certificate))]))
  assert.equal(anchors.certificates.length, 3)
  const bad = readAnchors([save('c.pem', encodePem('CERTIFICATE', ca.certificate.subarray(4)))])
  assert.ok(!bad.ok && bad.fault.code === 'IDENTITY_CERTIFICATE_MALFORMED' && bad.fault.message.includes('c.pem'))
})

test('disposing wipes the key', () => {
  const identity = must(readIdentity(crypto, { certificateFile, keyFile }, NOW))
  identity[Symbol.dispose]()
  assert.ok(identity.pkcs8.disposed)
  assert.throws(() => identity.signer.sign(new Uint8Array(1)))
})
