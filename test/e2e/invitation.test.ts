/** From nothing to a connected member, and out again: `stc ca`, `invite`, `join`, `server` and `client` as their users run them. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import { parse, stringify } from 'yaml'
import { freePorts } from '../kit/free-ports.ts'
import { type Running, run, until, within } from '../kit/processes.ts'

const program = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const dir = mkdtempSync(path.join(tmpdir(), 'stc-invited-'))
const running: Running[] = []
after(async () => {
  await Promise.all(running.map((r) => r.stop()))
  rmSync(dir, { recursive: true, force: true })
})
const stc = (cwd: string, ...args: string[]): Running => {
  const process_ = run(process.execPath, [program, ...args], { cwd })
  running.push(process_)
  return process_
}
const done = async (...args: string[]): Promise<string> => {
  const p = stc(dir, ...args)
  assert.equal(await within(30_000, `end of stc ${args[0]}`, p.exit, p.tail), 0, p.tail())
  return p.output()
}
const says = (p: Running, words: RegExp) => until(40_000, String(words), () => (words.exec(p.output()) ?? undefined), p.tail)

test('invited, confirmed, connected, revoked, refused', async () => {
  const port = await freePorts(6)
  await done('ca', 'init', '--url', `127.0.0.1:${port}`, '--server', `127.0.0.1:${port + 2}`, '--realm', 'friends')
  await done('ca', 'issue', 'server', '--server', '--host', '127.0.0.1')
  writeFileSync(path.join(dir, 'server.yaml'), stringify({ listen: { address: '127.0.0.1', port: port + 2 }, realm: 'friends', identity: { certificate: 'server.pem', key: 'server.key', anchors: ['stc-ca/ca.pem'] }, revocation: { lists: ['stc-ca/list.crl'] } }))
  const authority = stc(dir, 'ca', 'serve', '--listen', `127.0.0.1:${port}`)
  const server = stc(dir, 'server', '--config', 'server.yaml')
  await says(authority, /authority's door/)
  await says(server, /stc server at/)
  const link = /https:\/\/[^']+/.exec(await done('invite', 'Bob Example', '--no-wait', '--no-qr'))![0]
  const bob = path.join(dir, 'bob')
  mkdirSync(bob)
  const joining = stc(bob, 'join', link)
  const code = (await says(joining, /\n {2}(\d{5} \d{5})\n/))[1]!
  assert.match(await done('ca', 'list'), new RegExp(`Bob Example {2}WAITS for you.*${code}`))
  await done('ca', 'confirm', 'Bob Example')
  assert.equal(await within(30_000, 'the certificate', joining.exit, joining.tail), 0, joining.tail())
  const config = parse(readFileSync(path.join(bob, 'stc.yaml'), 'utf8')) as Record<string, unknown>
  writeFileSync(path.join(bob, 'stc.yaml'), stringify({ ...config, phones: [{ line: 'phone', port: port + 4 }], page: false }))
  const client = stc(bob, 'client', '--config', 'stc.yaml')
  await says(client, /connected to 127\.0\.0\.1/)
  await done('ca', 'revoke', 'Bob Example')
  await says(client, /has been revoked.*IDENTITY_REVOKED/)
})
