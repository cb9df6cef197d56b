import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { promisify } from 'node:util'
import { unixTime } from '../../../src/base/brand.ts'
import { must } from '../../../src/base/result.ts'
import { createNodeCrypto } from '../../../src/crypto/node/index.ts'
import { initCa } from '../../../src/pki/ca-directory.ts'
import { verifyPath } from '../../../src/protocol/x509/path.ts'
import { readAnchors, readIdentity } from '../../../src/store/identity-file.ts'

const dir = mkdtempSync(path.join(tmpdir(), 'stc-ca-'))
after(() => rmSync(dir, { recursive: true, force: true }))

const runner = path.join(dir, 'runner.ts')
const source = (file: string) => new URL(`../../../${file}`, import.meta.url).href
writeFileSync(runner, `import { Command } from '${import.meta.resolve('commander')}'\nimport { registerCa } from '${source('src/cli/ca.ts')}'\nconst program = new Command()\nregisterCa(program)\nprogram.parse()\n`)

/** `stc ca …` in the test's folder: exit code and both outputs. */
async function stc(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [runner, 'ca', ...args], { cwd: dir })
    return { code: 0, out: stdout, err: stderr }
  } catch (e) {
    const { code, stdout, stderr } = e as { code: number; stdout: string; stderr: string }
    return { code, out: stdout, err: stderr }
  }
}
const refused = async (words: RegExp, ...args: string[]) => {
  const r = await stc(...args)
  assert.notEqual(r.code, 0)
  assert.match(r.err, words)
  assert.doesNotMatch(r.err, /\n\s+at /, 'a stack trace is no sentence')
}
const file = (name: string) => path.join(dir, name)

test('init, issue, list: certificates that verify, keys that only the owner reads', async () => {
  assert.equal((await stc('init', '--name', 'Our authority')).code, 0)
  assert.equal((await stc('issue', 'Ann Example', '--org', 'Example', '--email', 'ann@example.org')).code, 0)
  assert.equal((await stc('issue', 'server', '--server', '--host', 'stc.example.org', '--host', '127.0.0.1', '--out', 'srv', '--days', '30')).code, 0)
  if (process.platform !== 'win32') for (const key of ['stc-ca/root.key', 'stc-ca/issuing.key', 'ann-example.key', 'srv.key']) assert.equal(statSync(file(key)).mode & 0o777, 0o600, key)

  const crypto = createNodeCrypto()
  const anchors = must(readAnchors([file('stc-ca/ca.pem')]))
  const now = unixTime(Math.floor(Date.now() / 1000))
  using ann = must(readIdentity(crypto, { certificateFile: file('ann-example.pem'), keyFile: file('ann-example.key') }, now))
  assert.deepEqual(must(verifyPath(crypto, ann.chain, anchors, [], now)).emails, ['ann@example.org'])
  using server = must(readIdentity(crypto, { certificateFile: file('srv.pem'), keyFile: file('srv.key') }, now))
  const identity = must(verifyPath(crypto, server.chain, anchors, [], now, 'server'))
  assert.deepEqual(identity.hosts, ['stc.example.org', '127.0.0.1'])
  assert.ok(identity.notAfter - now <= 30 * 86400)

  const listed = (await stc('list')).out.trim().split('\n')
  assert.equal(listed.length, 2)
  assert.match(listed[0]!, new RegExp(`^${'[0-9a-f]+'}  member  until \\d{4}.* Ann Example \\(Example, ann@example.org\\)$`))
  const json = (await stc('list', '--json')).out.trim().split('\n').map((line) => JSON.parse(line) as { fingerprint: string })
  assert.equal(json[1]!.fingerprint, identity.fingerprint)
  assert.deepEqual(readdirSync(dir).filter((name) => name.includes('.new')), [])
})

test('nothing is overwritten, and complaints are sentences', async () => {
  const before = readFileSync(file('stc-ca/ca.pem'), 'utf8')
  await refused(/There is an authority in this folder already.*IDENTITY_CA_EXISTS/, 'init')
  assert.equal(readFileSync(file('stc-ca/ca.pem'), 'utf8'), before)
  await refused(/IDENTITY_OUTPUT_EXISTS/, 'issue', 'Ann Example')
  await refused(/There is no authority in this folder.*nowhere.*stc ca init/, 'issue', 'Bob', '--ca', 'nowhere')
  await refused(/IDENTITY_CA_MISSING/, 'list', 'nowhere')
  await refused(/needs at least one --host/, 'issue', 'Bob', '--server')
  await refused(/--host is for servers/, 'issue', 'Bob', '--host', 'x.example.org')
  await refused(/not a mail address/, 'issue', 'Bob', '--email', 'bob')
  await refused(/1 to 64 characters/, 'issue', 'x'.repeat(65))
  await refused(/1 to 3650 days/, 'issue', 'Bob', '--days', '0')
  assert.ok(!existsSync(file('bob.key')))
  assert.equal((await stc('list')).out.trim().split('\n').length, 2)
})

test('a new issuing authority by the root\'s key, and a word before the old one ends', async () => {
  await refused(/IDENTITY_FILE_MISSING/, 'renew-issuing', '--root-key', 'on-a-stick.key')
  await refused(/IDENTITY_KEY_MISMATCH/, 'renew-issuing', '--root-key', 'stc-ca/issuing.key')
  await refused(/--root-key/, 'renew-issuing')
  const before = readFileSync(file('stc-ca/issuing.pem'), 'utf8')
  const renewed = await stc('renew-issuing', '--root-key', 'stc-ca/root.key')
  assert.match(renewed.out, /A new issuing authority signs from now on, until \d{4}.*\nNobody has to do anything/)
  assert.notEqual(readFileSync(file('stc-ca/issuing.pem'), 'utf8'), before)
  assert.match((await stc('renew-issuing', '--root-key', 'stc-ca/root.key', '--compromised')).out, /The old one is revoked.*\nClients renew by themselves within minutes/)
  assert.match((await stc('audit')).out, /renew issuing {2}.*\n.*renew issuing, the old one revoked/)
  assert.equal((await stc('list')).err, '')
  // Four and a half years later.
  must(initCa(createNodeCrypto(), file('aged'), { name: 'Aged', now: unixTime(Math.floor(Date.now() / 1000) - 4.5 * 365 * 86_400) }))
  for (const command of ['list', 'audit']) assert.match((await stc(command, 'aged')).err, /the issuing authority ends on \d{4}.*stc ca renew-issuing --root-key FILE/)
  // Nine and a half: a new one would end with the root.
  must(initCa(createNodeCrypto(), file('old'), { name: 'Old', now: unixTime(Math.floor(Date.now() / 1000) - 9.5 * 365 * 86_400) }))
  await stc('renew-issuing', 'old', '--root-key', 'old/root.key')
  for (const command of ['list', 'audit']) assert.match((await stc(command, 'old')).err, /^stc: the authority's root ends on \d{4}[^\n]*stc ca init[^\n]*identity\.anchors before\n$/)
})

test('permissions and damage are named', async (t) => {
  writeFileSync(file('plain'), 'a file')
  await refused(/IDENTITY_FILE_UNWRITABLE/, 'init', 'plain/ca')
  writeFileSync(file('stc-ca/index.jsonl'), '{"serial":1}\n')
  await refused(/IDENTITY_CA_INDEX_DAMAGED/, 'list')
  await t.test('a folder without permission', { skip: process.getuid?.() === 0 ? 'root may write everywhere' : false }, async () => {
    chmodSync(file('stc-ca/issuing.key'), 0)
    await refused(/IDENTITY_FILE_UNREADABLE/, 'issue', 'Bob')
  })
})
