import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { setUp } from '../../../src/cli/host.ts'
import { portNumber } from '../../../src/cli/options.ts'
import { must } from '../../../src/base/result.ts'
import { readSettings } from '../../../src/pki/ca-files.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'stc-host-unit-'))
after(() => rmSync(folder, { recursive: true, force: true }))

test('a port is a port', () => {
  assert.equal(portNumber('7444'), 7444)
  for (const text of ['abc', '70000', '0', '-1', '7444.5', '']) assert.throws(() => portNumber(text), { code: 'commander.invalidArgument' }, text)
})

/** `stc host` prints; here nobody reads. */
const made = (name: string, more: object = {}) => {
  const dir = path.join(folder, name)
  return { dir, file: (f: string) => path.join(dir, f), setUp: () => setUp({ dir, at: { host: '127.0.0.1', port: 7001 }, door: 7002, group: 'g', ...more }, path.join(dir, 'ca'), path.join(dir, 'server.yaml')) }
}

for (const lost of [['server.yaml'], ['server.yaml', 'server.pem'], ['server.yaml', 'server.pem', 'server.key'], ['server.yaml', 'server.pem', 'server.key', 'ca/list.crl', 'ca/settings.json']]) test(`a set-up that was stopped before ${lost.at(-1)} was written is gone on with`, () => {
  const g = made(lost.at(-1)!.replaceAll('/', '-'))
  must(g.setUp())
  const [root, settings] = [readFileSync(g.file('ca/ca.pem')), must(readSettings(g.file('ca')))]
  assert.deepEqual([settings.host, settings.port, settings.server, settings.serverPort], ['127.0.0.1', 7002, '127.0.0.1', 7001])
  const all = ['server.yaml', 'server.pem', 'server.key', 'ca/list.crl', 'ca/settings.json']
  for (const f of lost) rmSync(g.file(f))
  must(g.setUp())
  for (const f of all) assert.ok(existsSync(g.file(f)), f)
  assert.deepEqual(readFileSync(g.file('ca/ca.pem')), root)
  assert.deepEqual(must(readSettings(g.file('ca'))), settings)
})

const PARTS = ['root.key', 'issuing.key', 'issuing.pem']
for (const [i, last] of PARTS.entries()) test(`an authority that was stopped behind ${last} is made anew: nothing was issued by it`, () => {
  const g = made(`behind-${last}`)
  must(g.setUp())
  const before = readFileSync(g.file('ca/root.key'), 'latin1')
  for (const f of ['server.yaml', 'server.pem', 'server.key']) rmSync(g.file(f))
  for (const f of readdirSync(g.file('ca'))) if (!PARTS.slice(0, i + 1).includes(f)) rmSync(g.file(`ca/${f}`), { recursive: true })
  must(g.setUp())
  assert.notEqual(readFileSync(g.file('ca/root.key'), 'latin1'), before)
  for (const f of ['ca/ca.pem', 'server.pem', 'server.key', 'server.yaml']) assert.ok(existsSync(g.file(f)), f)
})

test('of an authority that was complete once no key is taken away, whatever else is gone', () => {
  const g = made('complete')
  must(g.setUp())
  const before = readFileSync(g.file('ca/root.key'), 'latin1')
  for (const f of ['server.yaml', 'ca/ca.pem']) rmSync(g.file(f))
  const refused = g.setUp()
  assert.ok(!refused.ok && refused.fault.code === 'IDENTITY_CA_EXISTS')
  assert.equal(readFileSync(g.file('ca/root.key'), 'latin1'), before)
})
