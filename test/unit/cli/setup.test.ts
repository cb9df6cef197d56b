/** A set-up behind its page, from an invitation whose client does not start: what may take its place, and what is kept. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { must } from '../../../src/base/result.ts'
import { currentTime } from '../../../src/cli/options.ts'
import { Setup } from '../../../src/cli/setup.ts'
import { issueToFiles } from '../../../src/pki/ca-directory.ts'
import { openDoor } from '../../../src/pki/enrolment/door.ts'
import { formatLink } from '../../../src/pki/enrolment/link.ts'
import { AuthorityDesk } from '../../kit/authority-desk.ts'
import { openDoor as openPage } from '../../kit/page-door.ts'
import { until } from '../../kit/processes.ts'

const skip = process.platform === 'linux' ? false : "the key would go to this system's own keyring"

test('where what an invitation brought does not start, another link or own files take its place, and nothing is lost', { skip }, async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'stc-setup-'))
  await using stack = new AsyncDisposableStack()
  stack.defer(() => rmSync(folder, { recursive: true, force: true }))
  Object.assign(process.env, { DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nowhere', XDG_STATE_HOME: path.join(folder, 'state') })
  stack.defer(() => {
    for (const name of ['DBUS_SESSION_BUS_ADDRESS', 'XDG_STATE_HOME']) Reflect.deleteProperty(process.env, name)
  })
  const authority = new AuthorityDesk()
  authority.now = currentTime()
  const door = must(await openDoor({ ...authority.options, now: currentTime, hosts: ['localhost'], bind: { address: '127.0.0.1', port: 0 } }))
  stack.defer(async () => {
    await door.close()
    authority.close()
  })
  const server = createServer((s) => s.destroy()).listen(0, '127.0.0.1')
  stack.defer(() => void server.close())
  const link = (name: string): string => formatLink({ ...authority.invite(name, { confirmed: true }), host: 'localhost', port: door.port })
  const address = (): string => `127.0.0.1:${(server.address() as { port: number }).port}`

  const file = path.join(folder, 'client.yaml')
  const key = path.join(folder, 'client-key.pem')
  const keyNow = (): string => (existsSync(key) ? readFileSync(key, 'latin1') : '')
  // No client starts.
  writeFileSync(path.join(folder, 'client-data'), '')
  const d = await openPage(t)
  const setup = new Setup(d.page, file)
  stack.defer(() => setup.stop())
  const w = await d.window()
  const does = async (c: string, args: object = {}): Promise<string | undefined> => (await w.command(c, args)).fault?.code
  const state = (): readonly unknown[] => [d.page.hub.setup?.step, d.page.hub.setup?.fault?.code]
  const failed = (what: string, test: () => boolean): Promise<true> => until(60_000, what, () => (state().join() === 'server,STORE_UNWRITABLE' && test() ? true : undefined), () => JSON.stringify(state()), 10)

  const [anna, berta] = [link('Anna'), link('Berta')]
  assert.equal(await does('setup.server', { server: anna }), undefined)
  await failed('a client that does not start', () => true)
  const annas = keyNow()
  assert.match(annas, /BEGIN PRIVATE KEY/)
  // Another link: its certificate is not issued for nothing.
  assert.equal(await does('setup.server', { server: berta }), undefined)
  await failed("Berta's key", () => keyNow() !== '' && keyNow() !== annas)
  // The first again brings its own key back.
  assert.equal(await does('setup.server', { server: anna }), undefined)
  await failed("Anna's key again", () => keyNow() === annas)
  // An address that answers, and that does not help either: files.
  assert.equal(await does('setup.server', { server: address() }), 'STORE_UNWRITABLE')
  assert.deepEqual(state(), ['certificate', 'STORE_UNWRITABLE'])
  assert.equal(await does('setup.back'), undefined)
  assert.deepEqual(state(), ['server', undefined])
  assert.equal(await does('setup.server', { server: address() }), 'STORE_UNWRITABLE')
  const own = must(issueToFiles(authority.options.ca, authority.options.dir, { name: 'Own', emails: [], hosts: [], kind: 'member', now: currentTime() }, path.join(folder, 'own')))
  const files = [own.certificateFile, own.keyFile, path.join(authority.options.dir, 'ca.pem')].map((f) => readFileSync(f).toString('base64'))
  assert.equal(await does('setup.identity', { files, passphrase: '' }), 'STORE_UNWRITABLE')
  assert.equal(keyNow(), '', 'what did not come about is taken away')
  assert.equal(readdirSync(folder).filter((f) => f.startsWith('.stc-join-')).length, 2, 'the keys of both invitations are there')

  // A client that starts, and a configuration that cannot be written: the draft stays for the next set-up.
  rmSync(path.join(folder, 'client-data'))
  mkdirSync(file)
  assert.equal(await does('setup.back'), undefined)
  assert.equal(await does('setup.server', { server: anna }), undefined)
  await until(60_000, 'a client', () => setup.client, () => JSON.stringify(state()), 10)
  assert.equal(keyNow(), annas)
  assert.equal(readdirSync(folder).filter((f) => f.startsWith('.stc-join-')).length, 2)
})
