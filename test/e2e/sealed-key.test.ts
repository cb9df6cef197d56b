/** A client whose key lies sealed on the disk, with real processes. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { startClient, startServer, TestAuthority } from '../kit/stc.ts'

const program = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const run = promisify(execFile)

// Of the file, so that it goes after what its test started has ended.
const folder = mkdtempSync(path.join(tmpdir(), 'stc-sealed-'))
after(() => rmSync(folder, { recursive: true, force: true }))

test('stc key protect; a client without the passphrase says so, one with it has its vault open the key', async (t) => {
  const places = { XDG_STATE_HOME: path.join(folder, 'state'), CREDENTIALS_DIRECTORY: path.join(folder, 'credentials') }
  const env = { ...process.env, ...places }
  const ca = new TestAuthority(folder, 'ca')
  const papers = ca.member('ann')
  const server = await startServer(folder, ca.server())
  t.after(() => server.stop())
  const config = path.join(folder, 'ann-first.yaml')
  writeFileSync(config, JSON.stringify({ server: { host: '127.0.0.1', port: server.port }, identity: papers, phones: [], page: false }))
  const words = path.join(folder, 'words')
  writeFileSync(words, 'four words are better\n')
  const stc = (...args: readonly string[]) => run(process.execPath, [program, ...args], { env })
  assert.match((await stc('key', 'show', '-c', config)).stdout, /is not sealed/)
  assert.match((await stc('key', 'protect', '-c', config, '--passphrase-file', words)).stdout, /sealed with a passphrase/)
  assert.match((await stc('key', 'show', '-c', config)).stdout, /copy number 1/)
  assert.doesNotMatch(readFileSync(papers.key, 'latin1'), /BEGIN PRIVATE KEY/)
  await assert.rejects(stc('client', '-c', config), /IDENTITY_PASSPHRASE_NEEDED/)
  mkdirSync(places.CREDENTIALS_DIRECTORY)
  writeFileSync(path.join(places.CREDENTIALS_DIRECTORY, 'stc-passphrase'), 'four words are better\n')
  Object.assign(process.env, places)
  t.after(() => {
    for (const name of Object.keys(places)) Reflect.deleteProperty(process.env, name)
  })
  const client = await startClient(folder, 'ann', server.port, papers)
  t.after(() => client.stop())
  await client.shows(/connected to/)
})
