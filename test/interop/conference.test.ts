/**
 * The whole way, for real: three unaltered softphones, three clients, one server, one sealed room.
 * Everything is measured on what the phones recorded.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import type { TestContext } from 'node:test'
import { codecFactory } from '../../src/audio/codecs.ts'
import { heardSpeech } from '../../src/audio/heard.ts'
import { heardTone, ownToneDownDb } from '../../src/audio/heard-tone.ts'
import { noiseTest } from '../../src/audio/noise-test.ts'
import { loadOpus } from '../../src/audio/opus.ts'
import { resample } from '../../src/audio/resample.ts'
import { must } from '../../src/base/result.ts'
import { SENTENCES } from '../../src/client/speech/sentences.ts'
import { codeSpoken, lockSpoken, type Spoken, whoIsHere } from '../../src/client/speech/spoken.ts'
import { createVoice } from '../../src/client/speech/voice.ts'
import type { Roster } from '../../src/model/roster.ts'
import { freePorts, ownPorts } from '../kit/free-ports.ts'
import { type Captured, capture } from '../kit/capture.ts'
import { OwnEcho } from '../kit/own-echo.ts'
import { type Baresip, startBaresip } from '../kit/phones/baresip.ts'
import { startLinphonec } from '../kit/phones/linphonec.ts'
import type { Phone, PhoneCodecName, PhoneOptions } from '../kit/phones/phone.ts'
import { until } from '../kit/processes.ts'
import { type StcClient, type StcServer, startClient, startServer, TestAuthority } from '../kit/stc.ts'
import { tone, toneBelow, toneLevels, toneShare } from '../kit/tones.ts'
import { type Pcm, part, readWav, seconds, writeWav } from '../kit/wav.ts'
import { needs } from './setup.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'stc-conference-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const authority = new TestAuthority(folder, 'ca')
const serverPapers = authority.server()
const room = '8100'

/** Far from each other's harmonics and sums, and within what a narrow-band phone passes. */
const people = {
  anna: { hz: 487, codec: 'g722', start: startBaresip },
  boris: { hz: 1033, codec: 'pcmu', start: startBaresip },
  clara: { hz: 1721, codec: 'opus', start: startLinphonec },
} as const satisfies Record<string, { hz: number; codec: PhoneCodecName; start: typeof startBaresip | typeof startLinphonec }>
type Name = keyof typeof people
const names = Object.keys(people) as Name[]
const papers = Object.fromEntries(names.map((n) => [n, authority.member(n)])) as Record<Name, ReturnType<TestAuthority['member']>>
for (const n of names) writeWav(microphone(n), tone(people[n].hz, { rate: 16000, seconds: 240 }))

function microphone(n: Name): string {
  return path.join(folder, `${n}.wav`)
}

interface Member {
  readonly name: Name
  readonly server: StcServer
  readonly client: StcClient
  readonly phone: Phone
}

interface Variant {
  readonly name: Name
  readonly phone?: Partial<PhoneOptions>
  readonly mediaOverTls?: 'auto' | 'only'
  readonly language?: 'en' | 'de'
}

/** Server, and a client with a registered phone for everybody asked for. */
async function bring(t: TestContext, ...who: (Name | Variant)[]): Promise<Member[]> {
  const own = path.join(folder, `${t.name.replace(/\W+/g, '-')}`)
  const server = await startServer(own, serverPapers)
  t.after(() => server.stop())
  return await Promise.all(
    who.map(async (w) => {
      const { name, phone: special, mediaOverTls = 'auto', language = 'en' }: Variant = typeof w === 'string' ? { name: w } : w
      const client = await startClient(own, name, server.port, papers[name], { config: { server: { host: '127.0.0.1', port: server.port, mediaOverTls }, language } })
      t.after(() => client.stop())
      const phone = await people[name].start({ name, codecs: [people[name].codec], microphone: microphone(name), registrar: client.sip, ...special })
      t.after(() => phone.stop())
      await phone.events.next('registered')
      await client.shows(/^connected to/m)
      return { name, server, client, phone }
    }),
  )
}

async function dial(m: Member): Promise<void> {
  m.phone.dial(`sip:${room}@${m.client.sip.address}:${m.client.sip.port}`)
  await m.phone.events.next('established')
}

const othersOf = (m: Member, all: readonly Member[]): number[] => all.filter((o) => o !== m).map((o) => people[o.name].hz)
const recent = (m: Member, length: number) => part(m.phone.heard(), -length)
const shareNow = (m: Member, hz: number): number | undefined => {
  const heard = m.phone.heard()
  return seconds(heard) > 1 ? toneShare(part(heard, -0.8), hz) : undefined
}
const hearsNow = (m: Member, hz: number): boolean => shareNow(m, hz) === 1
const silentNow = (m: Member, hz: number): boolean => shareNow(m, hz) === 0
const levelsNow = (m: Member) => (): string => `${m.name} hears\n${table(recent(m, 0.8))}\n${m.client.process.tail()}`

/** A row of levels for each 200 ms, in dB, a column for each person. */
const table = (pcm: Pcm): string => toneLevels(pcm, names.map((n) => people[n].hz)).map((row) => row.map((l) => l.toFixed(0).padStart(5)).join(' ')).join('\n')

/** Waits until `m` hears `hz`, or no longer does. */
const hears = (m: Member, hz: number): Promise<true> => until(20_000, `${hz} Hz at ${m.name}`, () => hearsNow(m, hz) || undefined, levelsNow(m), 200)
const nolonger = (m: Member, hz: number): Promise<true> => until(20_000, `end of ${hz} Hz at ${m.name}`, () => silentNow(m, hz) || undefined, levelsNow(m), 200)

/** The security code that a client showed last. */
const codeOf = (m: Member): string => [...m.client.process.output().matchAll(/security code ([0-9 ]{35})/g)].at(-1)?.[1] ?? `none at ${m.name}`
/** Nobody ever saw a third person: whoever came back was the same member. */
const neverThree = (...all: Member[]): void => {
  for (const m of all) assert.doesNotMatch(m.client.process.output(), /these 3 people/)
}

/**
 * Everybody hears everybody else and not themselves in one piece of four seconds, in whichever is good:
 * a busy machine stumbles, and where a tone begins or stumbles it clicks at every frequency. Nobody hears itself in two whole pieces in a row.
 */
async function allHear(all: readonly Member[]): Promise<void> {
  await Promise.all(all.map(async (m) => {
    const from = seconds(m.phone.heard())
    let wrong: readonly string[] = []
    const echo = new OwnEcho()
    await until(30_000, `everybody else, and only them, at ${m.name}`, () => {
      const recorded = m.phone.heard()
      if (seconds(recorded) < from + 4) return undefined
      const piece = part(recorded, seconds(recorded) - 4)
      wrong = [...unheardIn(m, all, piece), ...ownIn(m, all, piece)]
      // By the median of the windows: an echo is in most of them, and two clicks are not.
      const own = toneBelow(piece, people[m.name].hz, othersOf(m, all)) < 40
      if (echo.heard(seconds(recorded), 4, othersOf(m, all).every((hz) => toneShare(piece, hz) === 1), own)) assert.fail(`${m.name} hears itself: ${wrong.join('\n')}`)
      return wrong.length === 0 || undefined
    }, () => `${wrong.join('\n')}\n${m.client.process.tail()}`, 500)
  }))
}

function unheardIn(m: Member, all: readonly Member[], piece: Pcm): string[] {
  const wrong: string[] = []
  // The product's own measure must come to the same.
  const at16k = resample(piece.samples, piece.rate, 16_000)
  for (const hz of othersOf(m, all)) {
    const share = toneShare(piece, hz)
    if (share < 0.9) wrong.push(`${hz} Hz in ${share} of the windows\n${table(piece)}`)
    if (!must(heardTone(hz, at16k)).heard) wrong.push(`${hz} Hz: not heard by heardTone`)
  }
  return wrong
}

function ownIn(m: Member, all: readonly Member[], piece: Pcm): string[] {
  const own = people[m.name].hz
  const at16k = resample(piece.samples, piece.rate, 16_000)
  const wrong: string[] = []
  for (const down of [toneBelow(piece, own, othersOf(m, all)), ownToneDownDb(own, readWav(microphone(m.name)).samples, at16k)]) {
    if (down < 40) wrong.push(`its own tone only ${down.toFixed(1)} dB down\n${table(piece)}`)
  }
  if (must(heardTone(own, at16k)).heard) wrong.push('its own tone, by heardTone')
  return wrong
}

/** What passed between clients and server is noise to every codec; what passed to the phones is the control: it is not. */
async function looksLikeNoise(packets: readonly Captured[], server: number): Promise<void> {
  const codecs = codecFactory(must(await loadOpus()))
  // RTP in the order of each stream, without its header (RFC 3550 §5.1, §5.3.1); RTCP has other types (RFC 5761 §4).
  const voice = packets.filter((p) => p.payload[0]! >> 6 === 2 && p.payload.length > 60 && !(p.payload[1]! >= 192 && p.payload[1]! < 224))
  const streams = Map.groupBy(voice, (p) => `${p.from} ${p.to}`)
  const ordered = [...streams.values()].flat()
  const sealed = ordered.filter((p) => p.from === server || p.to === server).map((p) => p.payload.subarray(headerLength(p.payload)))
  const plain = ordered.filter((p) => p.from !== server && p.to !== server).map((p) => p.payload.subarray(headerLength(p.payload)))
  assert.equal(must(noiseTest(sealed, codecs)).verdict, 'noise')
  assert.equal(must(noiseTest(plain, codecs)).verdict, 'structured')
}

function headerLength(p: Uint8Array): number {
  const fixed = 12 + 4 * (p[0]! & 0x0f)
  return (p[0]! & 0x10) === 0 ? fixed : fixed + 4 + 4 * ((p[fixed + 2]! << 8) | p[fixed + 3]!)
}

test('three softphones in G.722, PCMU and Opus hear the two others and not themselves', { timeout: 300_000 }, async (t) => {
  if (!needs(t, 'baresip', 'linphonec', 'tshark')) return
  const all = await bring(t, 'anna', 'boris', 'clara')
  for (const m of all) await dial(m)
  const tap = await capture(`udp and ${ownPorts}`)
  await allHear(all)
  await looksLikeNoise(await tap.stop(), all[0]!.server.port)
  for (const m of all) await m.client.shows(/● Only these 3 people can hear this\./)
  await until(20_000, 'the same security code everywhere', () => new Set(all.map(codeOf)).size === 1 || undefined, () => all.map(codeOf).join('\n'))
  for (const m of all) m.phone.hangup()
  for (const m of all) await m.phone.events.next('closed')
})

test('*1 mutes and unmutes, and hold keeps the membership', { timeout: 300_000 }, async (t) => {
  if (!needs(t, 'baresip', 'linphonec')) return
  const [boris, clara] = (await bring(t, 'boris', 'clara')) as [Member, Member]
  await dial(boris)
  await dial(clara)
  await hears(clara, people.boris.hz)
  boris.phone.sendDtmf('*1')
  await nolonger(clara, people.boris.hz)
  await hears(boris, people.clara.hz)
  boris.phone.sendDtmf('*1')
  await hears(clara, people.boris.hz)
  // linphonec plays its file to whom it holds, as music: none of it may enter the room.
  clara.phone.events.skip()
  clara.phone.hold()
  await clara.phone.events.next('media')
  await nolonger(boris, people.clara.hz)
  clara.phone.resume()
  await allHear([boris, clara])
})

test('a phone with SRTP, and a client whose media goes over TLS', { timeout: 300_000 }, async (t) => {
  if (!needs(t, 'baresip')) return
  const all = await bring(t, { name: 'anna', phone: { srtp: true } }, { name: 'boris', mediaOverTls: 'only', phone: { codecs: ['opus'] } })
  for (const m of all) await dial(m)
  await all[1]!.client.shows(/media to the server: tls/)
  await allHear(all)
})

test('a phone that was killed and comes back is the same member', { timeout: 300_000 }, async (t) => {
  if (!needs(t, 'baresip')) return
  const [anna, boris] = (await bring(t, 'anna', 'boris')) as [Member, Member]
  await dial(anna)
  await dial(boris)
  await allHear([anna, boris])
  await boris.phone.kill()
  await nolonger(anna, people.boris.hz)
  const again = await startBaresip({ name: 'boris', codecs: ['pcmu'], microphone: microphone('boris'), registrar: boris.client.sip, sipPort: (boris.phone as Baresip).sipPort })
  t.after(() => again.stop())
  await again.events.next('registered')
  const back = { ...boris, phone: again }
  await dial(back)
  await allHear([anna, back])
  neverThree(anna, boris)
})

test('a second INVITE from the same phone takes the place of the first', { timeout: 300_000 }, async (t) => {
  if (!needs(t, 'baresip')) return
  const [anna, boris] = (await bring(t, 'anna', 'boris')) as [Member, Member]
  await dial(anna)
  await dial(boris)
  await hears(anna, people.boris.hz)
  boris.phone.dial(`sip:${room}@${boris.client.sip.address}:${boris.client.sip.port}`)
  await boris.phone.events.next('closed')
  await until(20_000, 'second call of boris', () => boris.phone.events.all.filter((e) => e.kind === 'established').length === 2 || undefined)
  await hears(anna, people.boris.hz)
  neverThree(anna, boris)
})


test('without a server an emergency call and a conference are both refused at once, so that the phone can go elsewhere', { timeout: 300_000 }, async (t) => {
  if (!needs(t, 'baresip')) return
  const nobody = await freePorts(2)
  const client = await startClient(path.join(folder, 'alone'), 'anna', nobody, papers.anna)
  t.after(() => client.stop())
  const phone = await startBaresip({ name: 'anna', codecs: ['g722'], microphone: microphone('anna'), registrar: client.sip })
  t.after(() => phone.stop())
  await phone.events.next('registered')
  for (const number of ['112', room]) {
    phone.dial(`sip:${number}@${client.sip.address}:${client.sip.port}`)
    assert.match((await phone.events.next('closed')).reason, /^503 /)
  }
})

/**
 * Presses keys, and waits until the phone has heard the sentence that they ask for: the same synthesiser says it here.
 * Keys may be lost and what is said may stumble: they are pressed again when the sentence should long be over. `settled` tells
 * sentences apart that sound alike.
 */
async function says(m: Member, keys: string, words: Spoken, settled: () => boolean = () => true): Promise<void> {
  const spoken = (await createVoice('de')(words))!
  const expected = spoken.subarray(0, SPOKEN_S * 16_000)
  const length = expected.length / 16_000
  let [pressed, at, best] = [0, 0, 0]
  const press = (): void => {
    pressed = at = seconds(m.phone.heard())
    best = 0
    m.phone.sendDtmf(keys)
  }
  press()
  await until(40_000, `${keys}: ${words.text(SENTENCES.de)}`, () => {
    // Each place is looked at once.
    for (const all = m.phone.heard(); best < 0.7 && at + length + STEP_S <= seconds(all); at += STEP_S) {
      const heard = heardSpeech(expected, part(all, at, at + length + STEP_S).samples)
      best = Math.max(best, heard.ok ? heard.value.share : 0)
    }
    if (best >= 0.7 && settled()) return true
    if (seconds(m.phone.heard()) > pressed + length + AGAIN_S && (best >= 0.7 || at > pressed + AGAIN_S)) press()
    return undefined
  }, () => `${best} of it was heard at best\n${m.client.process.tail()}`, 500)
}
/** `*7`: the sentences about it differ by one syllable. */
const turnsKey = (m: Member, locked: boolean): Promise<void> =>
  says(m, '*7', lockSpoken(locked), () => [...m.client.process.output().matchAll(/ (locked|UNLOCKED) the room/g)].at(-1)?.[1] === (locked ? 'locked' : 'UNLOCKED'))
/** Of a long sentence its beginning is enough. */
const SPOKEN_S = 3
const STEP_S = 0.4
/** From the end of the shortest answer until it is asked for again. */
const AGAIN_S = 8

/** Whether a note of 140 ms, which is played once, is heard soon after this. */
async function noted(phone: Phone, hz: number, what: () => Promise<unknown>): Promise<boolean> {
  const from = seconds(phone.heard())
  await what()
  const since = seconds(phone.heard())
  const heard = (): boolean => toneShare(part(phone.heard(), from), hz) > 0
  await until(20_000, 'time for a note', () => heard() || seconds(phone.heard()) > since + 6 || undefined, phone.printed, 200)
  return heard()
}

test('a phone alone is enough: who is here, the code, the lock, mute, and tones when somebody comes and goes; in German', { timeout: 600_000 }, async (t) => {
  if (!needs(t, 'baresip', 'espeak-ng')) return
  const quiet = path.join(folder, 'quiet.wav')
  writeWav(quiet, { rate: 16_000, samples: new Int16Array(16_000 * 240) })
  const [anna, boris] = (await bring(t, { name: 'anna', language: 'de' }, { name: 'boris', phone: { microphone: quiet } })) as [Member, Member]
  await dial(anna)
  const alone = { members: [{ self: true }], callers: [] } as unknown as Roster
  await says(anna, '*5', whoIsHere(alone))
  const code = (await anna.client.shows(/security code\s+(\d{5}(?: \d{5}){5})/))[1]!
  await says(anna, '*6', codeSpoken({ securityCode: code } as Roster))
  // Whoever dials first is its host.
  await turnsKey(anna, true)
  await turnsKey(anna, false)
  const comes = (): Promise<boolean> => noted(anna.phone, 784, () => dial(boris))
  const goes = (): Promise<boolean> => noted(anna.phone, 523, async () => {
    boris.phone.hangup()
    await boris.phone.events.next('closed')
  })
  for (let tries = 1; !(await comes()); tries++) {
    assert.ok(tries < 4, `no tone when somebody comes\n${anna.client.process.tail()}`)
    await goes()
  }
  await hears(boris, people.anna.hz)
  await says(anna, '*5', whoIsHere({ members: [{ self: true }, { self: false, identity: { subject: 'boris', emails: [], hosts: [] } }], callers: [] } as unknown as Roster))
  anna.phone.sendDtmf('*1')
  await nolonger(boris, people.anna.hz)
  for (let tries = 1; !(await goes()); tries++) {
    assert.ok(tries < 4, `no tone when somebody goes\n${anna.client.process.tail()}`)
    await comes()
  }
})
