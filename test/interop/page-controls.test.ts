/** Everything that can be done on the page, done by keyboard or mouse in real Chromium: what reaches the client, and what is shown of it. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { CallIn } from '../../src/client/call.ts'
import type { MediaCommand } from '../../src/media/api.ts'
import { decodeSound } from '../../src/model/page.ts'
import type { CallState } from '../../src/model/roster.ts'
import { becomes, startBrowser, type TestBrowser } from '../kit/browser.ts'
import { inGroup, met, person, type Staged, type StagedCall, stagePage } from '../kit/staged-page.ts'
import { until } from '../kit/processes.ts'
import { needs } from './setup.ts'

interface Scene {
  readonly b: TestBrowser
  readonly s: Staged
  readonly media: MediaCommand[]
  press(name: string | RegExp): Promise<void>
  shows(text: string | RegExp): Promise<void>
}
async function scene(t: TestContext, b: TestBrowser): Promise<Scene> {
  const s = await stagePage(t)
  const media: MediaCommand[] = []
  s.page.hub.media = (c) => void media.push(c)
  await b.page.goto(s.url)
  s.up()
  await b.page.getByText(/^Connected to/).waitFor()
  return { b, s, media, press: (name) => b.page.getByRole('button', { name, exact: typeof name === 'string' }).first().click(), shows: (text) => b.page.getByText(text).first().waitFor() }
}
const FOUR = [0, 1, 2, 3].map((i) => inGroup(i))
function meeting(s: Staged, change: Parameters<StagedCall['policy']>[0] = {}): StagedCall {
  const call = s.call()
  call.member()
  call.group(...FOUR)
  for (const m of FOUR) call.event({ kind: 'confirmed', at: call.startedAt as never, leaf: m.leaf, ssrc: m.ssrc! })
  call.policy({ owners: [inGroup(0).identity.keyId], ...change }, {})
  return call
}
/** In the page. */
function countMicrophones(): void {
  const w = globalThis as unknown as { stcTracks: { readyState: string }[]; navigator: { mediaDevices: { getUserMedia(o: unknown): Promise<{ getTracks(): { readyState: string }[] }> } } }
  const { mediaDevices } = w.navigator
  const ask = mediaDevices.getUserMedia.bind(mediaDevices)
  w.stcTracks = []
  mediaDevices.getUserMedia = async (o) => {
    const stream = await ask(o)
    w.stcTracks.push(...stream.getTracks())
    return stream
  }
}
/** For eyes. */
async function look(b: TestBrowser, name: string): Promise<void> {
  const folder = process.env['STC_PICTURES']
  if (folder !== undefined) await b.page.screenshot({ path: `${folder}/${name}.png`, fullPage: true })
}
const microphones = 'stcTracks.filter((t) => t.readyState === "live").length'
const did = (call: StagedCall): CallIn[] => call.inputs.splice(0)
/** Waits for it: a press travels through the client. */
const doing = (call: StagedCall, what: string): Promise<CallIn[]> => until(5000, what, () => (call.inputs.length > 0 ? did(call) : undefined))

test('what a host and everybody else can do in a call', { timeout: 300_000 }, async (t) => {
  if (!needs(t, 'chromium')) return
  const b = await startBrowser(t)
  const { s, media, press, shows } = await scene(t, b)
  const call = meeting(s)
  await shows('Only these four people can hear this')

  await press('Lock')
  assert.deepEqual(await doing(call, 'lock'), [{ kind: 'command', command: { do: 'decide', decision: { act: 'lock' } } }])
  call.policy({ owners: [inGroup(0).identity.keyId] }, { locked: true })
  await shows('The room is locked: nobody else comes in.')

  // Whom the certificate names is shown before anybody is let in.
  call.event({ kind: 'knock', at: call.startedAt as never, request: 9, identity: person(9), member: 'member' })
  await shows(/Issued by Example CA/)
  await press(`Let in: ${person(9).subject}`)
  assert.deepEqual(await doing(call, 'admission'), [{ kind: 'command', command: { do: 'decide', decision: { act: 'admit', entry: person(9).keyId } } }])

  await press('Red flag')
  await b.page.getByLabel('What is wrong?').fill('Somebody listens at my door')
  await b.page.keyboard.press('Enter')
  assert.deepEqual(await doing(call, 'red flag'), [{ kind: 'command', command: { do: 'flag', text: 'Somebody listens at my door' } }])
  call.event({ kind: 'flag', at: (call.startedAt + 5000) as never, leaf: 2, text: 'Stop' })
  await b.page.getByRole('alert').getByText(`${person(2).subject} raises a red flag: Stop`).waitFor()
  await press('Understood')
  await b.page.getByRole('alert').waitFor({ state: 'detached' })

  await press(`Details of ${person(3).subject}`)
  await press('Remove…')
  await b.page.getByLabel('Do not let this person in again').check()
  await press('Remove')
  assert.deepEqual(await doing(call, 'removal'), [{ kind: 'command', command: { do: 'remove', keyId: person(3).keyId, ban: true } }])

  // The dialog is gone and the keyboard is where it was before: until then nothing else gets it.
  await b.page.getByRole('button', { name: `Details of ${person(3).subject}` }).and(b.page.locator(':focus')).waitFor()
  // Louder and softer, by keys; the streams are named to the media thread.
  const slider = b.page.getByLabel(`Volume of ${person(1).subject}`)
  await slider.focus()
  await b.page.keyboard.press('Home')
  const volumes = await until(5000, 'the volume', () => media.findLast((c) => c.op === 'conference.volumes' && c.volumes.some(([, gain]) => gain === 0)))
  assert.deepEqual(volumes, { op: 'conference.volumes', conference: call.conference, volumes: [[1001, 0]] })

  // What happened: joined, gone, not heard, heard again, another key.
  call.unheard(2, 'CLIENT_NOT_ARRIVING')
  call.unheard(2, undefined)
  call.event({ kind: 'acquainted', at: call.startedAt as never, leaf: 1, acquaintance: { kind: 'changed', compared: false } })
  call.group(...FOUR.slice(0, 3))
  const history = b.page.locator('.history')
  for (const line of [`${person(3).subject} is gone`, `${person(2).subject} cannot be heard`, `${person(2).subject} can be heard again`, `${person(1).subject} has another key than before`, `${person(9).subject} asks to come in`]) await history.getByText(line).waitFor()

  // The numbers behind it, with a minute of them drawn.
  for (let second = 1; second < 12; second++) call.stats(second, [1, 2], { jitterMs: 10 + second, bufferMs: 60, epochBits: 6 })
  await press('Show numbers')
  const row = b.page.locator('.diagnostics tbody tr').first()
  await row.getByText('21.0 ms').waitFor()
  await row.getByText('60 ms').waitFor()
  await row.getByText('67 ms').waitFor()
  // The group is in epoch 7: who still sends under the one before is seen.
  await row.getByRole('cell', { name: '6', exact: true }).waitFor()
  const points = (await row.locator('polyline').nth(1).getAttribute('points'))!.split(' ').map((p) => p.split(',').map(Number))
  assert.equal(points.length, 11)
  assert.ok(points.every(([x, y], i) => i === 0 || (x! > points[i - 1]![0]! && y! < points[i - 1]![1]!)), 'a jitter that rises draws a line that rises')
  assert.deepEqual(b.complaints, [])
})

test('the phone in the page: push to talk, keypad, mute, by keys alone', { timeout: 300_000 }, async (t) => {
  if (!needs(t, 'chromium')) return
  const b = await startBrowser(t)
  const digits: string[] = []
  const spoken: number[] = []
  b.page.on('websocket', (ws) => ws.on('framesent', ({ payload }) => {
    const sound = typeof payload === 'string' ? undefined : decodeSound(payload)
    if (sound !== undefined) spoken.push(Math.max(...sound.pcm.map(Math.abs)))
  }))
  await b.context.addInitScript(countMicrophones)
  const { s, press, shows } = await scene(t, b)
  s.page.handset.subscribe((e) => e.kind === 'dtmf' && digits.push(e.digit))
  await b.page.getByLabel('Room or number').fill('100')
  await b.page.keyboard.press('Enter')
  await until(10_000, 'sound from the microphone', () => (spoken.some((x) => x > 500) ? true : undefined))
  const call = s.call('100')
  call.member()
  call.group(...FOUR)
  await b.page.getByRole('button', { name: 'Push to talk' }).click()
  await b.page.getByText('Hold the button, or the space bar, while you talk.').waitFor()
  const quiet = (): Promise<true> => until(60_000, 'silence', () => (spoken.length > 10 && spoken.slice(-10).every((x) => x === 0) ? true : undefined))
  const talks = (): Promise<true> => until(60_000, 'the voice', () => (spoken.slice(-10).some((x) => x > 500) ? true : undefined))
  await quiet()
  await b.page.evaluate('document.activeElement.blur()')
  await b.page.keyboard.down('Space')
  await talks()
  await b.page.keyboard.up('Space')
  await quiet()
  await b.page.getByRole('button', { name: 'Hold to talk' }).focus()
  await b.page.keyboard.down('Enter')
  await talks()
  // A window that loses the keyboard while the key is down does not go on talking.
  await b.page.evaluate("window.dispatchEvent(new Event('blur'))")
  await quiet()
  await b.page.keyboard.up('Enter')

  // Whatever becomes of the connection and of the window: nothing leaves while the page says that nothing does.
  const withheld = async (when: string): Promise<void> => {
    spoken.length = 0
    await until(60_000, `sound ${when}`, () => (spoken.length > 60 ? true : undefined))
    assert.ok(spoken.every((x) => x === 0), `the microphone is open ${when}`)
    await shows('Hold the button, or the space bar, while you talk.')
  }
  const again = b.page.waitForEvent('websocket')
  s.page.windows.close()
  await again
  await withheld('after the connection was lost')
  await b.page.reload()
  await withheld('after a reload')
  const other = await b.context.newPage()
  await other.goto(s.url)
  await other.getByText('Another window has the sound.').waitFor()
  await other.getByRole('button', { name: 'Use the sound here' }).click()
  await shows('Another window has the sound.')
  await becomes('one microphone, in the other window', async () => [await b.page.evaluate(microphones), await other.evaluate(microphones)], [0, 1])
  await b.page.bringToFront()
  await press('Use the sound here')
  await other.getByText('Another window has the sound.').waitFor()
  await withheld('after another window had the sound')

  // A window that is closed is silence: no other one opens a microphone unasked.
  await other.getByRole('button', { name: 'Use the sound here' }).click()
  await shows('Another window has the sound.')
  await other.close()
  await shows('the window that had the sound is closed')
  spoken.length = 0
  await b.page.waitForTimeout(500)
  await becomes('no microphone', () => b.page.evaluate(microphones), 0)
  assert.deepEqual(spoken, [])
  // Nor does it wait without end, and without a word, for sound that the browser withholds.
  await b.page.evaluate('{ window.resumes = AudioContext.prototype.resume; AudioContext.prototype.resume = () => new Promise(() => {}) }')
  await press('Use the sound here')
  await shows('The browser gives no sound before you press a key or click on this page.')
  await becomes('no microphone', () => b.page.evaluate(microphones), 0)
  await b.page.evaluate('{ AudioContext.prototype.resume = resumes }')
  await press('Use the sound here')
  await withheld('after the other window was closed')
  await press('Push to talk')
  await talks()

  await press('Keypad')
  for (const k of ['*', '6']) {
    await b.page.getByRole('button', { name: k }).first().focus()
    await b.page.keyboard.press('Enter')
  }
  await until(5000, 'two digits', () => (digits.join('') === '*6' ? true : undefined), () => digits.join(''))
  await press('Mute')
  await b.page.getByText('muted', { exact: true }).waitFor()
  await b.page.getByRole('button', { name: 'Unmute' }).focus()
  await b.page.keyboard.press('Enter')
  await b.page.getByText('muted', { exact: true }).waitFor({ state: 'detached' })

  // The microphone is the call's: it is given back with it, and after a level test too.
  assert.equal(await b.page.evaluate(microphones), 1)
  await press('Leave')
  s.page.handset.hangup()
  await becomes('no microphone after the call', () => b.page.evaluate(microphones), 0)
  await press('Phone and sound')
  await press('Test the microphone')
  await becomes('the level test', () => b.page.evaluate(microphones), 1)
  // Another microphone that somebody else has: said, and the box shows what is used.
  const box = b.page.getByLabel('Microphone', { exact: true })
  const used = await box.inputValue()
  const second = (await box.locator('option').evaluateAll((all) => all.map((o) => o.getAttribute('value') ?? ''))).find((v) => v !== used)!
  await b.page.evaluate(`{
    window.opens = navigator.mediaDevices.getUserMedia
    navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('in use', 'NotReadableError'))
  }`)
  await box.selectOption(second)
  await b.page.getByRole('alert').filter({ hasText: 'could not be opened' }).waitFor()
  await look(b, 'microphone-failed')
  assert.deepEqual([await box.inputValue(), await b.page.evaluate(microphones)], [used, 1])
  await b.page.evaluate('navigator.mediaDevices.getUserMedia = opens')
  await box.selectOption(second)
  await b.page.getByText('could not be opened').waitFor({ state: 'detached' })
  await becomes('one microphone, the other one', async () => [await box.inputValue(), await b.page.evaluate(microphones), await b.page.evaluate('stcTracks.at(-1).getSettings().deviceId')], [second, 1, second])
  await press('Rooms')
  await becomes('no microphone after the level test', () => b.page.evaluate(microphones), 0)
  assert.deepEqual(b.complaints, [])
})

test('it rings as the browser lets it, and whoever was typing has not answered', { timeout: 300_000 }, async (t) => {
  if (!needs(t, 'chromium')) return
  const b = await startBrowser(t, { strictAutoplay: true })
  const s = await stagePage(t)
  s.memory.people = [met(1, { compared: true, comparedAt: 1_790_000_000 })]
  await b.page.goto(s.url)
  s.up()
  // Whatever the driver asks the page counts as a user's doing, unless it is asked like this.
  const cdp = await b.context.newCDPSession(b.page)
  const untouched = async (expression: string): Promise<unknown> => (await cdp.send('Runtime.evaluate', { expression, returnByValue: true })).result.value
  const reads = (text: string): Promise<true> => until(10_000, text, async () => (String(await untouched('document.body.innerText')).includes(text) ? true : undefined), () => '', 100)
  await reads('Connected to')
  s.ring(1)
  await reads('Your browser gives no ringing sound before')
  assert.equal(await untouched('navigator.userActivation.hasBeenActive'), false)
  // A key gives it.
  await b.page.keyboard.press('a')
  const dialog = b.page.getByRole('dialog')
  await dialog.getByText(`${person(1).subject} calls you`).waitFor()
  await dialog.getByText('compared on').waitFor()
  await becomes('the title', () => b.page.title(), `${person(1).subject} calls you`)
  await dialog.getByText('gives no ringing sound').waitFor({ state: 'detached' })
  await until(10_000, 'the ringing', async () => ((await b.heard()).some((x) => Math.abs(x) > 1500) ? true : undefined), () => '', 250)

  // In the middle of typing: keys that come at once change nothing. Sent from within: a driver that is held up for a moment would have meant the second.
  const typed = `['o', 'Enter'].map((key) => document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true })) && document.activeElement.closest('dialog.ringing') !== null)`
  assert.deepEqual(await b.page.evaluate(typed), [true, true])
  // An answer would take its time, too.
  await b.page.waitForTimeout(900)
  assert.equal(s.page.handset.state.state, 'idle')
  assert.equal(await dialog.count(), 1)
  await b.page.keyboard.press('Enter')
  await until(5000, 'the call', () => (s.page.handset.state.state === 'talking' ? true : undefined))
  await becomes('no dialog', () => dialog.count(), 0)
  // Longer than its pauses. What it played until then may still be on its way to the recorder.
  await until(10_000, 'silence', async () => {
    const all = await b.heard(6)
    return (all.length >= 80_000 && all.subarray(-80_000).every((x) => Math.abs(x) < 100)) || undefined
  }, () => 'it rings on', 500)

  // A window that nobody looks at says so outside of itself, for as long as it rings, where its user allowed it.
  await b.context.grantPermissions(['notifications'])
  await b.page.evaluate(`{
    window.shown = []
    Object.defineProperty(document, 'hidden', { get: () => true })
    window.Notification = class { static permission = 'granted'; constructor(title) { this.title = title; shown.push(this) } close() { shown.splice(shown.indexOf(this), 1) } }
  }`)
  // Declined by key in another window of the same browser: both fall silent.
  const second = await b.context.newPage()
  await second.goto(s.url)
  await second.getByText(/^Connected to/).waitFor()
  s.ring(2)
  for (const p of [b.page, second]) await p.getByRole('dialog').getByText(`${person(2).subject} calls you`).waitFor()
  assert.deepEqual(await b.page.evaluate('shown.map((n) => n.title)'), [`${person(2).subject} calls you`])
  await second.waitForTimeout(900)
  await second.keyboard.press('Escape')
  for (const p of [b.page, second]) await p.getByRole('dialog').waitFor({ state: 'detached' })
  await becomes('nothing shown outside of the window', () => b.page.evaluate('shown.length'), 0)
  // The browser's own remark about sound that it withheld.
  assert.deepEqual(b.complaints.filter((x) => !x.startsWith('The AudioContext was not allowed to start')), [])
})

test('several calls of a softphone: a tab for each, never a headline that is too strong; its echo room opens by itself', { timeout: 300_000 }, async (t) => {
  if (!needs(t, 'chromium')) return
  const b = await startBrowser(t)
  const { s, press, shows } = await scene(t, b)
  const headline = (): Promise<string | null> => b.page.locator('.privacy h1').textContent()
  const through = (number: string, state: CallState['state'], words: readonly string[] = []): StagedCall => {
    const call = s.call(number)
    call.event({ kind: 'sealed-call', at: call.startedAt as never, number, state, words })
    return call
  }
  const first = through('555-0100', 'sealed', ['harbour', 'violin', 'meadow', 'copper'])
  await shows('Only you and the other side can hear this')
  assert.equal(await b.page.getByRole('tab').count(), 0)
  // Call waiting: what comes is shown, and what it asks.
  const second = through('555-0200', 'asking')
  await becomes('the second call', headline, 'Not sealed: nobody hears you')
  const [one, two] = [b.page.getByRole('tab', { name: '555-0100' }), b.page.getByRole('tab', { name: '555-0200' })]
  assert.equal(await two.getAttribute('aria-selected'), 'true')
  await two.getByText('Needs your answer').waitFor()
  assert.deepEqual(await Promise.all([one, two].map((x) => x.getAttribute('data-privacy'))), ['sealed', 'open'])
  await look(b, 'calls-asking')
  await press('Talk unprotected')
  assert.deepEqual((await doing(second, 'the answer, in the second call')).map((i) => i.kind), ['accept'])
  assert.deepEqual(did(first), [])
  second.event({ kind: 'sealed-call', at: second.startedAt as never, number: '555-0200', state: 'open', words: [] })
  await becomes('the sentence', headline, 'Anyone on the line can hear this')
  // Back to the first by keys: its words are there, and above them nothing that the other call makes untrue.
  await two.focus()
  await b.page.keyboard.press('ArrowLeft')
  await becomes('the first call', headline, 'In your call 555-0200: Anyone on the line can hear this')
  assert.equal(await b.page.locator('.privacy').getAttribute('data-privacy'), 'open')
  assert.equal(await b.page.evaluate('document.activeElement.id'), await one.getAttribute('id'))
  await shows('harbour')
  await look(b, 'calls-weaker')
  // Who called is not known yet: the words are.
  const words = ['harbour', 'violin', 'meadow', 'copper']
  first.event({ kind: 'sealed-call', at: first.startedAt as never, number: '555-0100', state: 'sealed', words, keyId: 'a'.repeat(64), memory: 'new' })
  await press('The words are the same')
  assert.deepEqual(await doing(first, 'the comparison'), [{ kind: 'compared', words }])
  first.event({ kind: 'sealed-call', at: first.startedAt as never, number: '555-0100', state: 'sealed', words, keyId: 'a'.repeat(64), memory: 'remembered' })
  await shows('The key of this number is remembered')
  assert.equal(await b.page.getByRole('button', { name: 'The words are the same' }).count(), 0)
  await look(b, 'calls-remembered')
  // What is done is done in the call that is shown.
  await press('Mute')
  await until(5000, 'the first call muted', () => (first.muted && !second.muted ? true : undefined))
  await two.click()
  await press('Leave')
  await until(5000, 'the end of the second call', () => (second.left && !first.left ? true : undefined))
  await becomes('the first call alone', headline, 'Only you and the other side can hear this')
  await becomes('no tabs', () => b.page.getByRole('tab').count(), 0)
  // Whose voice is the call's: there is no stream of its own to turn up, or to say anything of.
  const at = first.startedAt as never
  first.event({ kind: 'sealed-call', at, number: '555-0100', state: 'sealed', words, peer: person(1), keyId: person(1).keyId, memory: 'new' })
  await b.page.locator('.members').getByText(person(1).subject).waitFor()
  assert.deepEqual([await b.page.getByRole('slider').count(), await b.page.getByText('no sound yet').count()], [0, 0])
  // What a click met stands until something else is shown.
  const since = ['lantern', ...words.slice(1)]
  first.roster = { ...first.roster, sealedCall: { ...first.roster.sealedCall!, words: since } }
  await press('The words are the same')
  const changed = b.page.getByRole('alert').filter({ hasText: 'The call has changed in the meantime' })
  await changed.waitFor()
  first.event({ kind: 'sealed-call', at, number: '555-0100', state: 'sealed', words: since, peer: person(1), keyId: person(1).keyId, memory: 'new' })
  await shows('lantern')
  await changed.waitFor({ state: 'detached' })

  // Dialled on a keypad, wherever the page is, once no other call is shown.
  first.over()
  await b.page.locator('main[data-view="rooms"]').waitFor()
  await press('Phone and sound')
  await b.page.getByText(s.page.hub.snapshot.echoDial).first().waitFor()
  const echo = s.call(s.page.hub.echoRoom)
  echo.member()
  echo.group(FOUR[0]!)
  await shows(/^Speak now/)
  // The voice follows the noise in the echo room, and nowhere else: not in the next recording, not in the rooms.
  const voice = Int16Array.from({ length: 32_000 }, (_, i) => 12_000 * Math.sin(i / 6))
  const noise = Int16Array.from({ length: 30 * 16_000 }, (_, i) => 800 * Math.sin(i / 5))
  for (const go of ['Record again', 'Go to the rooms']) {
    s.page.hub.observer.onMedia?.({ op: 'conference.tapped', conference: echo.id, octets: new Uint8Array(64), members: voice, server: noise })
    await b.page.locator('[data-kind="server"][data-playing="true"]').waitFor()
    await until(60_000, 'the noise', async () => (await b.heard(1)).some((x) => Math.abs(x) > 50) || undefined, () => '', 250)
    await b.forget()
    await press(go)
    await (go === 'Record again' ? shows(/^Speak now/) : b.page.locator('main[data-view="rooms"]').waitFor())
    await b.page.waitForTimeout(1500)
    assert.ok((await b.heard()).every((x) => Math.abs(x) < 1000), `the voice is played after "${go}"`)
  }
  assert.deepEqual(b.complaints, [])
})
