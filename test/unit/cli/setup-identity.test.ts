import assert from 'node:assert/strict'
import { createPrivateKey } from 'node:crypto'
import { test } from 'node:test'
import { parseServer } from '../../../src/cli/setup.ts'
import { sortIdentity } from '../../../src/cli/setup-identity.ts'
import { must } from '../../../src/base/result.ts'
import { encodePem } from '../../../src/protocol/x509/pem.ts'
import { newAuthority, papersFor } from '../../kit/real-server.ts'

const ca = newAuthority()
const anna = papersFor(ca, { name: 'anna', kind: 'member' })
const text = (s: string): Uint8Array => new TextEncoder().encode(s)
const certificates = anna.chain.map((d) => encodePem('CERTIFICATE', d)).join('')
const key = encodePem('PRIVATE KEY', anna.pkcs8)
const anchor = encodePem('CERTIFICATE', ca.certificate)

test('files in any order and number give the same identity, DER certificates too', () => {
  const wanted = { chain: certificates, key: `${key.trim()}\n`, anchors: anchor }
  for (const files of [[certificates, key, anchor], [anchor, key, certificates], [anchor + certificates + key], [key, certificates + anchor]]) assert.deepEqual(must(sortIdentity(files.map(text), '')), wanted)
  assert.deepEqual(must(sortIdentity([ca.certificate, text(certificates + key)], '')), wanted)
})

test('what is missing or wrong is named', () => {
  const code = (files: readonly string[], passphrase = ''): string | undefined => {
    const r = sortIdentity(files.map(text), passphrase)
    return r.ok ? undefined : r.fault.code
  }
  assert.equal(code([certificates, anchor]), 'IDENTITY_FILE_NO_KEY')
  assert.equal(code([key]), 'IDENTITY_FILE_NO_CERTIFICATE')
  assert.equal(code([certificates, key]), 'SETUP_NO_ANCHOR')
  assert.equal(code([anchor, encodePem('PRIVATE KEY', papersFor(ca, { name: 'boris', kind: 'member' }).pkcs8), certificates]), 'IDENTITY_KEY_MISMATCH')
  const encrypted = createPrivateKey({ key: Buffer.from(anna.pkcs8), format: 'der', type: 'pkcs8' }).export({ format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'lamp' }) as string
  assert.equal(code([certificates, encrypted, anchor]), 'IDENTITY_PASSPHRASE_NEEDED')
  assert.equal(code([certificates, encrypted, anchor], 'lump'), 'IDENTITY_PASSPHRASE_WRONG')
  // What was encrypted stays encrypted on disk.
  assert.match(must(sortIdentity([certificates, encrypted, anchor].map(text), 'lamp')).key, /ENCRYPTED PRIVATE KEY/)
})

test('addresses of servers as people write them', () => {
  assert.deepEqual(parseServer(' Talk.Example.org '), { host: 'talk.example.org', port: 7443 })
  assert.deepEqual(parseServer('127.0.0.1:443'), { host: '127.0.0.1', port: 443 })
  assert.deepEqual(parseServer('[::1]:7443'), { host: '::1', port: 7443 })
  for (const wrong of ['', 'https://talk.example.org', 'a b', 'talk.example.org:0', 'talk.example.org:70000', '-x', '[zz]']) assert.equal(parseServer(wrong), undefined, wrong)
})
