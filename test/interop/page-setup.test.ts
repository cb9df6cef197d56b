/** From nothing to hearing oneself in the echo room, by the keyboard alone, each press counted; then on to a call. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { heardSpeech } from '../../src/audio/heard.ts'
import { unixTime } from '../../src/base/brand.ts'
import { must } from '../../src/base/result.ts'
import { createNodeCrypto } from '../../src/crypto/node/index.ts'
import { decodeSound, SOUND } from '../../src/model/page.ts'
import { initCa, issueToFiles, readRoot } from '../../src/pki/ca-directory.ts'
import { caFiles } from '../../src/pki/ca-files.ts'
import { openDoor } from '../../src/pki/enrolment/door.ts'
import { Invitations } from '../../src/pki/enrolment/invitations.ts'
import { formatLink, newSecret } from '../../src/pki/enrolment/link.ts'
import { publishList } from '../../src/pki/revoked.ts'
import { startBrowser, type TestBrowser } from '../kit/browser.ts'
import { freePorts } from '../kit/free-ports.ts'
import { run, until } from '../kit/processes.ts'
import { type Papers, startServer, TestAuthority } from '../kit/stc.ts'
import { voice } from '../kit/voices.ts'
import { needs } from './setup.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'stc-setup-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const program = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const microphone = fileURLToPath(new URL('../../demo/voices/river.wav', import.meta.url))
const MOST_PRESSES = 6
const MOST_TABS = 40

/** Counts what a user presses. */
class Hands {
  readonly #b: TestBrowser
  presses = 0
  constructor(b: TestBrowser) {
    this.#b = b
  }
  async press(key: string): Promise<void> {
    this.presses++
    await this.#b.page.keyboard.press(key)
  }
  async paste(text: string): Promise<void> {
    this.presses++
    await this.#b.page.keyboard.insertText(text)
  }
  /** Choosing in the system's own dialog and confirming it. */
  async choose(files: string[], open: () => Promise<void>): Promise<void> {
    const chooser = this.#b.page.waitForEvent('filechooser')
    await open()
    this.presses++
    await (await chooser).setFiles(files)
  }
  /** Forward with Tab until this has the keyboard. */
  async tabTo(name: RegExp): Promise<void> {
    for (let i = 0; i < MOST_TABS; i++) {
      const now = await this.#b.page.evaluate("(document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.labels?.[0]?.textContent ?? document.activeElement?.textContent ?? '').trim()") as string
      if (name.test(now)) return
      await this.press('Tab')
    }
    throw new Error(`${name} cannot be reached with Tab`)
  }
}

test('set-up, echo room and a call without a mouse, heard after six presses', { timeout: 600_000 }, async (t) => {
  if (!needs(t, 'chromium')) return
  const authority = new TestAuthority(folder, 'ca')
  const server = await startServer(folder, authority.server())
  t.after(() => server.stop())
  const papers = authority.member('anna')
  const config = path.join(folder, 'profile', 'client.yaml')
  const client = run(process.execPath, [program, 'setup', '--config', config])
  t.after(() => client.stop())
  const url = await until(20_000, 'the page\'s address', () => /http:\S+/.exec(client.output())?.[0], client.tail)

  const b = await startBrowser(t, { microphone })
  const sounds = new Map<number, Int16Array>()
  b.page.on('websocket', (ws) => ws.on('framereceived', ({ payload }) => {
    const sound = typeof payload === 'string' ? undefined : decodeSound(payload)
    if (sound !== undefined && sound.kind !== SOUND.live) sounds.set(sound.kind, sound.pcm)
  }))
  // Whoever waits for a dialog only now may come too late to catch it.
  b.page.on('filechooser', () => {})
  await b.page.goto(url)
  const hands = new Hands(b)
  const focused = (what: string): Promise<true> => until(5000, what, async () => ((await b.page.evaluate(what)) === true ? true : undefined))
  await b.page.getByRole('heading', { name: 'Where is your server?' }).waitFor()
  await focused("document.activeElement?.id === 'server'")
  await hands.paste(`127.0.0.1:${server.port}`)
  await hands.press('Enter')
  await b.page.getByRole('heading', { name: 'Who are you?' }).waitFor()
  await focused("document.activeElement?.textContent === 'Choose files'")
  await hands.choose([papers.certificate, papers.key, ...papers.anchors], () => hands.press('Enter'))
  await b.page.getByRole('heading', { name: 'What will you talk with?' }).waitFor()
  await focused("document.activeElement?.classList.contains('choice')")
  await hands.press('Enter')
  await b.page.getByRole('heading', { name: 'What the members hear' }).waitFor()
  assert.ok(hands.presses <= MOST_PRESSES, `${hands.presses} presses`)

  // What comes back: the user's own voice from the members' side, noise from the server's.
  const said = voice('river')
  // On a busy machine a recording of three seconds may have holes: then the user records again.
  const shares: number[] = []
  await until(90_000, 'a voice that comes back whole', async () => {
    const [members, server] = [sounds.get(SOUND.members), sounds.get(SOUND.server)]
    if (members === undefined || server === undefined) return undefined
    shares.push(must(heardSpeech(said, members)).share)
    if (shares.at(-1)! >= 0.8) return true
    sounds.clear()
    // What came is here before the page has drawn it.
    await b.page.getByRole('button', { name: 'Record again' }).waitFor({ timeout: 60_000 })
    await hands.tabTo(/^Record again$/)
    await hands.press('Enter')
    return undefined
  }, () => `members hear ${shares.join(', ')}`, 500)
  const atServer = must(heardSpeech(said, sounds.get(SOUND.server)!))
  assert.ok(atServer.absent, `the server hears ${atServer.share}`)
  // And it is played: once by itself, and as often as its user wants to.
  await until(30_000, 'the voice from the speaker', async () => {
    const all = await b.heard(12)
    for (let at = 0; at + 4 * 16_000 <= all.length; at += 16_000) if (must(heardSpeech(said, all.subarray(at, at + 4 * 16_000))).share >= 0.7) return true
    if ((await b.page.locator('.heard[data-kind="members"]').count()) === 1 && (await b.page.locator('.heard[data-playing="true"]').count()) === 0) {
      await hands.tabTo(/^Play: What the members hear$/)
      await hands.press('Enter')
    }
    return undefined
  }, () => '', 2000)
  assert.equal(statSync(path.join(folder, 'profile', 'client-key.pem')).mode & 0o077, 0)

  // On to a call, still without a mouse.
  await hands.tabTo(/^Go to the rooms$/)
  await hands.press('Enter')
  await hands.tabTo(/^Room or number$/)
  await hands.paste('100')
  await hands.press('Enter')
  await b.page.getByRole('heading', { name: 'Only you are here: nobody can hear this' }).waitFor()
  await hands.tabTo(/^Compare$/)
  await hands.press('Enter')
  await b.page.getByRole('dialog').waitFor()
  await hands.tabTo(/^All the same$/)
  await hands.press('Enter')
  await b.page.getByText('Compared: it was the same').waitFor()
  await hands.tabTo(/^Mute$/)
  await hands.press('Space')
  await b.page.getByText('muted', { exact: true }).waitFor()
  await hands.tabTo(/^Keypad$/)
  await hands.press('Enter')
  await hands.tabTo(/^\*/)
  await hands.press('Enter')
  await hands.tabTo(/^Leave$/)
  await hands.press('Enter')
  await b.page.getByRole('heading', { name: 'Call a room' }).waitFor()
  assert.deepEqual(b.complaints, [])
})

/** As an authority's web page, or a browser, exports it. */
function exported(name: string, papers: Papers, password: string): string {
  const file = path.join(folder, name)
  const made = spawnSync('openssl', ['pkcs12', '-export', '-inkey', papers.key, '-in', papers.certificate, '-certfile', papers.anchors[0]!, '-passout', `pass:${password}`, '-out', file], { encoding: 'utf8' })
  assert.equal(made.status, 0, made.stderr)
  return file
}

test('an expired file is explained, a locked PKCS#12 file asks for its password; the key stays locked, and the next start asks on the page', { timeout: 600_000 }, async (t) => {
  if (!needs(t, 'chromium', 'openssl')) return
  const authority = new TestAuthority(folder, 'ca-p12')
  const server = await startServer(folder, authority.server())
  t.after(() => server.stop())
  const old = exported('old.p12', authority.member('olga-old', { issuedDaysAgo: 5, lifetimeDays: 1 }), 'lamp post')
  const good = exported('olga.p12', authority.member('olga'), 'lamp post')
  const profile = path.join(folder, 'profile-p12')
  // No keyring of whoever runs the tests.
  const env = { ...process.env, DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nowhere', XDG_STATE_HOME: path.join(folder, 'state') }
  const start = async () => {
    const client = run(process.execPath, [program, 'setup', '--config', path.join(profile, 'client.yaml')], { env })
    t.after(() => client.stop())
    return { client, url: await until(20_000, 'the page\'s address', () => /http:\S+/.exec(client.output())?.[0], client.tail) }
  }
  const first = await start()
  const b = await startBrowser(t)
  const heading = (name: string): Promise<void> => b.page.getByRole('heading', { name }).waitFor()
  const alert = (text: RegExp): Promise<void> => b.page.getByRole('alert').filter({ hasText: text }).waitFor()
  await b.page.goto(first.url)
  await b.page.getByLabel('Server address or invitation link').fill(`127.0.0.1:${server.port}`)
  await b.page.keyboard.press('Enter')
  await heading('Who are you?')
  const choose = async (file: string): Promise<void> => {
    const chooser = b.page.waitForEvent('filechooser')
    await b.page.getByRole('button', { name: 'Choose files' }).click()
    await (await chooser).setFiles([file])
  }
  const password = b.page.getByLabel('Passphrase of the key')
  await choose(old)
  await alert(/encrypted/)
  await password.fill('lamp')
  await password.press('Enter')
  await alert(/does not open/)
  await password.fill('lamp post')
  await password.press('Enter')
  await alert(/expired/)
  await choose(good)
  await heading('What will you talk with?')
  for (const name of ['client.yaml', 'client-key.pem']) {
    const text = readFileSync(path.join(profile, name), 'latin1')
    assert.ok(!text.includes('lamp') && !text.includes('BEGIN PRIVATE KEY'), name)
  }
  await first.client.stop()

  const again = await start()
  await b.page.goto('about:blank')
  await b.page.goto(again.url)
  await heading('Your key is locked')
  await until(5000, 'the keyboard', async () => ((await b.page.evaluate("document.activeElement?.id === 'passphrase'")) === true ? true : undefined))
  await b.page.keyboard.type('lamp')
  await b.page.keyboard.press('Enter')
  await alert(/does not open/)
  await password.fill('lamp post')
  await b.page.keyboard.press('Enter')
  await heading('Call a room')
  await b.page.getByText('Connected to 127.0.0.1').waitFor()
  // The client was away for a moment.
  assert.deepEqual(b.complaints.filter((c) => !c.includes('ERR_CONNECTION_REFUSED')), [])
})

test('an invitation outlives a client that is killed, and one that names no server ends at its address', { timeout: 600_000 }, async (t) => {
  if (!needs(t, 'chromium')) return
  const crypto = createNodeCrypto()
  const now = () => unixTime(Math.floor(Date.now() / 1000))
  const dir = path.join(folder, 'ca-door')
  const settings = { host: '127.0.0.1', port: await freePorts(1) }
  using ca = must(initCa(crypto, dir, { name: 'At a door', now: unixTime(now() - 3600), settings }))
  must(publishList(ca, dir, now()))
  const door = must(await openDoor({ ca, root: must(readRoot(dir)), dir, settings, now, hosts: [settings.host], bind: { address: settings.host, port: settings.port } }))
  t.after(() => door.close())
  const papers = must(issueToFiles(ca, dir, { name: 'server', hosts: ['127.0.0.1'], kind: 'server', now: now() }, path.join(dir, 'server')))
  const server = await startServer(path.join(folder, 'door'), { certificate: papers.certificateFile, key: papers.keyFile, anchors: [caFiles(dir).certificate] }, { revocation: { lists: [caFiles(dir).list] } })
  t.after(() => server.stop())
  const invitations = new Invitations(dir)
  const secret = newSecret(crypto)
  const { id } = must(invitations.make(crypto, secret, { name: 'Ivo', emails: [], validDays: 7, lifetimeDays: 90 }, now()))
  const link = formatLink({ ...settings, secret, fingerprint: crypto.hash('sha256', must(readRoot(dir))) })

  const env = { ...process.env, DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nowhere', XDG_STATE_HOME: path.join(folder, 'state') }
  const profile = path.join(folder, 'profile-invited')
  const b = await startBrowser(t)
  const heading = (name: string): Promise<void> => b.page.getByRole('heading', { name }).waitFor()
  const paste = async (what: string): Promise<void> => {
    await b.page.getByLabel('Server address or invitation link').fill(what)
    await b.page.keyboard.press('Enter')
  }
  const start = async () => {
    const client = run(process.execPath, [program, 'setup', '--config', path.join(profile, 'client.yaml')], { env })
    t.after(() => client.stop())
    return { client, url: await until(60_000, 'the page\'s address', () => /http:\S+/.exec(client.output())?.[0], client.tail) }
  }
  const code = async (): Promise<string> => {
    await paste(link)
    await heading('Read this code to whoever invited you')
    return (await b.page.locator('.invited-code').textContent())!
  }
  const first = await start()
  await b.page.goto(first.url)
  const before = await code()
  first.client.signal('SIGKILL')
  await first.client.exit
  await start()
  // The same window goes on by itself.
  await heading('Where is your server?')
  assert.equal(await code(), before)
  // Back, and with the same link on again.
  await b.page.getByRole('button', { name: 'Use another link or address' }).click()
  await heading('Where is your server?')
  await paste(link)
  await b.page.getByText(before).waitFor()
  must(invitations.decide(id, { let: true, at: now() }))
  await b.page.getByRole('alert').filter({ hasText: 'the invitation names no server' }).waitFor({ timeout: 60_000 })
  await paste(`127.0.0.1:${server.port}`)
  await heading('What will you talk with?')
  await b.page.getByRole('button', { name: 'A SIP phone' }).waitFor()
  assert.deepEqual(readdirSync(profile).filter((f) => f.startsWith('.stc-join')), [])
  assert.match(readFileSync(path.join(profile, 'client-key.pem'), 'latin1'), /BEGIN PRIVATE KEY/)
})
