/** From nothing to hearing oneself in the echo room, by the keyboard alone, each press counted; then on to a call. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { heardSpeech } from '../../src/audio/heard.ts'
import { must } from '../../src/base/result.ts'
import { decodeSound, SOUND } from '../../src/model/page.ts'
import { startBrowser, type TestBrowser } from '../kit/browser.ts'
import { run, until } from '../kit/processes.ts'
import { startServer, TestAuthority } from '../kit/stc.ts'
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

test('set-up, echo room and a call without a mouse, heard after six presses', { timeout: 180_000 }, async (t) => {
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
  const members = must(heardSpeech(said, sounds.get(SOUND.members)!))
  const atServer = must(heardSpeech(said, sounds.get(SOUND.server)!))
  assert.ok(members.share >= 0.8, `members hear ${members.share}`)
  assert.ok(atServer.absent, `the server hears ${atServer.share}`)
  // And it is played.
  await until(30_000, 'the voice from the speaker', async () => {
    const all = await b.heard()
    for (let at = 0; at + 4 * 16_000 <= all.length; at += 16_000) if (must(heardSpeech(said, all.subarray(at, at + 4 * 16_000))).share >= 0.7) return true
    return undefined
  }, () => '', 2000)
  assert.equal(statSync(path.join(folder, 'profile', 'key.pem')).mode & 0o077, 0)

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
