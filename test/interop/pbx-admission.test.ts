/** Whom a real Asterisk lets into a conference: only who may, and nobody when we cannot say. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test, type TestContext } from 'node:test'
import { Coupled, type CoupledOptions, type CoupledPhone } from '../kit/coupled.ts'
import { tone } from '../kit/tones.ts'
import { seconds, writeWav } from '../kit/wav.ts'
import { needs, needsAsterisk } from './setup.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'stc-pbx-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const microphone = path.join(folder, 'microphone.wav')
writeWav(microphone, tone(700, { rate: 16000, seconds: 240 }))

async function start(t: TestContext, conferences: CoupledOptions['conferences'] = {}): Promise<Coupled | undefined> {
  if (!needs(t, 'baresip') || !needsAsterisk(t)) return undefined
  const world = await Coupled.start({ microphone, conferences })
  t.after(() => world.stop())
  return world
}
/** Hears an announcement, then is hung up on. */
async function isRefused(world: Coupled, p: CoupledPhone, conference: string): Promise<void> {
  const before = seconds(p.phone.heard())
  p.dial(conference)
  await p.phone.events.next('established')
  await p.phone.events.next('closed', 20_000)
  assert.ok(seconds(p.phone.heard()) > before + 1.5, 'it hears why')
  assert.doesNotMatch(await world.asterisk.cli(`confbridge list ${conference}`), /PJSIP\//)
}
async function isLetIn(p: CoupledPhone, conference: string): Promise<void> {
  p.dial(conference)
  await p.sees('itself', (r) => r.members.some((m) => m.call !== undefined))
}
const emergency = async (p: CoupledPhone): Promise<void> => {
  p.dial('112')
  await p.phone.events.next('established', 3000)
  p.hangup()
  await p.phone.events.next('closed')
}

test('a conference can demand certificates, and certificates of some; the others hear why and are not let in', { timeout: 300_000 }, async (t) => {
  const world = await start(t, { 801: { certificates: 'required' }, 802: { certificates: 'required', admit: ['cn:Bert'] } })
  if (world === undefined) return
  const anna = await world.phone('anna', { client: 'Anna' })
  const carl = await world.phone('carl')
  await isRefused(world, carl, '801')
  assert.ok(world.log.some((l) => l.code === 'PBX_CERTIFICATE_NEEDED'))
  await isLetIn(anna, '801')
  anna.hangup()
  await anna.phone.events.next('closed')
  await isRefused(world, anna, '802')
  assert.ok(world.log.some((l) => l.code === 'PBX_NOT_LISTED'))
})

test('without our answer nobody gets in, and emergency numbers work all the same', { timeout: 300_000 }, async (t) => {
  const world = await start(t)
  if (world === undefined) return
  const anna = await world.phone('anna', { client: 'Anna' })
  await isLetIn(anna, '800')
  anna.hangup()
  await anna.phone.events.next('closed')
  world.stopServer()
  await isRefused(world, anna, '800')
  await emergency(anna)
  await world.startServer()
  anna.connect('Anna')
  await isLetIn(anna, '800')
})

test('whoever takes our port while we are gone lets nobody in: it lacks the secret, and old answers are of other calls', { timeout: 300_000 }, async (t) => {
  const world = await start(t)
  if (world === undefined) return
  const anna = await world.phone('anna', { client: 'Anna' })
  await isLetIn(anna, '800')
  anna.hangup()
  await anna.phone.events.next('closed')
  world.stopServer()
  // The last answer that we gave is in Asterisk's memory of nobody; the impostor guesses, and says what it can.
  let asked = 0
  const impostor = createServer((socket: Socket) => {
    asked++
    socket.on('error', () => {})
    socket.once('data', () => socket.write('SET VARIABLE "STC_ADMITTED" "da39a3ee5e6b4b0d3255bfef95601890afd80709"\n', () => socket.end()))
  })
  await new Promise<void>((resolve) => impostor.listen(world.agi, '127.0.0.1', resolve))
  t.after(() => impostor.close())
  anna.dial('800')
  await anna.phone.events.next('established')
  await anna.phone.events.next('closed', 20_000)
  assert.equal(asked, 1)
  assert.doesNotMatch(await world.asterisk.cli('confbridge list 800'), /PJSIP\//)
})

test('while the server does not see the conferences it lets nobody in: nobody is to be there untold', { timeout: 300_000 }, async (t) => {
  const world = await start(t)
  if (world === undefined) return
  const [anna, bert] = [await world.phone('anna', { client: 'Anna' }), await world.phone('bert', { client: 'Bert' })]
  await isLetIn(anna, '800')
  world.ami.cut()
  await anna.sees('that its roster is old', (r) => !r.current, 3000)
  bert.dial('800')
  await bert.phone.events.next('closed', 20_000)
  assert.ok(world.log.some((l) => l.code === 'PBX_BLIND'))
  await emergency(bert)
  world.ami.mode = 'pass'
  await anna.sees('that its roster is right again', (r) => r.current)
  await isLetIn(bert, '800')
})
