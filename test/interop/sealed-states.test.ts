/** What is around sealed calls at a real Asterisk: announcements, forks, music on hold, transfer, voicemail, plain phones, conversion (docs/protocol/sealed-calls.md §5). */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { test, type TestContext } from 'node:test'
import { pcmuCodec } from '../../src/audio/codec.ts'
import { type Asterisk, endpoint, startAsterisk } from '../kit/asterisk.ts'
import { babble } from '../kit/audio.ts'
import { behindProvider } from '../kit/behind-provider.ts'
import { capture } from '../kit/capture.ts'
import { ownPorts } from '../kit/free-ports.ts'
import { hears } from '../kit/hears.ts'
import type { Linphonec } from '../kit/phones/linphonec.ts'
import type { Phone } from '../kit/phones/phone.ts'
import { until } from '../kit/processes.ts'
import { heardFromNow, hearsNothing, Screen, SEALED, SEALED_MS } from '../kit/sealed-world.ts'
import { segmentalSnr } from '../kit/speech-quality.ts'
import { bestShare, tone, toneShare } from '../kit/tones.ts'
import { type Pcm, part, readWav, seconds, writeWav } from '../kit/wav.ts'
import { needs, needsAsterisk } from './setup.ts'

const ANNOUNCEMENT = 850
const MUSIC = 600
const GREETING = 450
/** Of a fax machine that is called (T.30 §4.3.3.2.1: CED). */
const FAX = 2100
/** Seconds after which tones that tell a new state are over, on a busy machine too. */
const SETTLED = 2
/** A trunk to itself in another codec: what is in the middle of a call here and there. */
const TRUNK = '[loop]\ntype=endpoint\ncontext=beyond\ndisallow=all\nallow=alaw\naors=loop\nfrom_user=loop\ndirect_media=no\nrtp_symmetric=yes\n[loop]\ntype=aor\ncontact=sip:'

const config = (at: { address: string; sip: number }, folder: string) => {
  mkdirSync(path.join(folder, 'music'))
  writeWav(path.join(folder, 'music/music.wav'), tone(MUSIC, { rate: 8000, seconds: 240 }))
  const box = path.join(folder, 'spool/voicemail/default/lena')
  mkdirSync(box, { recursive: true })
  writeWav(path.join(box, 'unavail.wav'), tone(GREETING, { rate: 8000, seconds: 6 }))
  writeWav(path.join(folder, 'announcement.wav'), tone(ANNOUNCEMENT, { rate: 8000, seconds: 6 }))
  const away = `same => n,GotoIf($["\${DB(away/\${EXTEN:2})}"="1"]?away)\n same => n,Dial(PJSIP/\${EXTEN:2},20)\n same => n,Hangup()\n same => n(away),VoiceMail(\${EXTEN:2},us)`
  return {
    'pjsip.conf': `${['anna', 'bert', 'lena', 'carla', 'sophie', 'carl'].map((n) => endpoint(n, { codecs: 'ulaw', more: 'rtp_keepalive=0\nt38_udptl=yes\nt38_udptl_ec=redundancy' })).join('\n')}\n${TRUNK}${at.address}:${at.sip}\n`,
    'extensions.conf': [
      '[phones]', 'exten => _31.,1,NoOp()', ` ${away}`,
      'exten => _32.,1,Progress()', ` same => n,Playback(${folder}/announcement,noanswer)`, ` same => n,Dial(PJSIP/\${EXTEN:2}&PJSIP/carl,20)`,
      `exten => _33.,1,Dial(PJSIP/\${EXTEN:2}@loop,20)`, 'exten => 34,1,Answer()', ` same => n,ReceiveFAX(${folder}/fax.tif,f)`, '[beyond]', `exten => _[a-z].,1,Dial(PJSIP/\${EXTEN},20)`, '',
    ].join('\n'),
    'musiconhold.conf': `[default]\nmode=files\ndirectory=${folder}/music\n`,
    'voicemail.conf': 'format=wav\n[default]\nlena => 1,Lena\ncarl => 1,Carl\n',
    'codecs.conf': '[plc]\ngenericplc=false\n',
  }
}

test('around sealed calls', { timeout: 600_000 }, async (t) => {
  if (!needs(t, 'baresip', 'linphonec', 'tshark') || !needsAsterisk(t)) return
  const asterisk = await startAsterisk({ config })
  t.after(() => asterisk.stop())
  const w = behindProvider(t, asterisk)
  const [a, b, l, c] = await Promise.all([w.client('A'), w.client('B'), w.client('L'), w.client('C')])
  const speech = path.join(w.folder, 'speech.wav')
  writeWav(speech, { rate: 16_000, samples: babble(16_000 * 60, 11) })
  const [anna, bert, lena, carla, sophie, carl] = await Promise.all([
    w.phone('anna', 700, a.sip), w.phone('bert', 1100, b.sip), w.linphonec('lena', 1300, l.sip), w.phone('carla', 900, c.sip), w.phone('sophie', 0, c.sip, { microphone: speech }),
    w.phone('carl', 500, { address: asterisk.address, port: asterisk.sip }, { autoAnswer: false }),
  ])
  const [A, B, L, C] = [new Screen(a), new Screen(b), new Screen(l), new Screen(c)]
  const dialA = (number: string): string => `sip:${number}@${a.sip.address}:${a.sip.port}`
  const skip = (): void => {
    for (const s of [A, B, L, C]) s.skip()
  }

  await t.test('an announcement before the answer is heard; of two phones that ring, the one that has stc answers: sealed', async () => {
    skip()
    const heard = heardSince(anna)
    anna.dial(dialA('32bert'))
    await until(30_000, 'the announcement', () => bestShare(heard(), ANNOUNCEMENT) >= 0.9 || undefined, undefined, 200)
    await Promise.all([A.says(SEALED), B.says(SEALED)])
    await carl.events.next('incoming')
    await carl.events.next('closed')
    assert.equal(carl.events.all.filter((e) => e.kind === 'incoming').length, 1, 'the fork that was not taken rang once')
    await Promise.all([hears(anna, 1100, { settle: SETTLED }), hears(bert, 700, { settle: SETTLED })])
    await end(anna, bert)
  })

  await t.test('hold: the music is not heard, it is said so, and the call goes on sealed', async () => {
    skip()
    anna.dial(dialA('31lena'))
    await Promise.all([A.says(SEALED), L.says(SEALED)])
    await Promise.all([hears(anna, 1300, { settle: SETTLED }), hears(lena, 700, { settle: SETTLED })])
    skip()
    lena.hold()
    await A.says(/Nobody hears anything: what comes is not from the other side/)
    await until(5000, 'music on hold at Asterisk', async () => /Started music on hold|class 'default'/.test(asterisk.log()) || undefined)
    await hearsNothing(anna, 1.6, SETTLED)
    // As long as a search for another party takes that finds nobody.
    for (let i = 0; i < 2; i++) await heardFromNow(anna, 4)
    A.skip()
    lena.resume()
    await A.says(SEALED)
    await Promise.all([hears(anna, 1300, { settle: SETTLED }), hears(lena, 700, { settle: SETTLED })])
  })

  await t.test('attended transfer: another key than before is heard by nobody until both accept it; then it is sealed with the third', async () => {
    skip()
    lena.hold()
    await A.says(/what comes is not from the other side/)
    lena.dial(`sip:31bert@${l.sip.address}:${l.sip.port}`)
    await Promise.all([L.says(SEALED), B.says(SEALED)])
    skip()
    transfer(lena)
    await Promise.all([A.says(/Somebody else answers than before/, 20_000), B.says(/Somebody else answers than before/, 20_000)])
    await Promise.all([hearsNothing(anna, 1.6, SETTLED), hearsNothing(bert, 1.6, SETTLED)])
    skip()
    anna.sendDtmf('*')
    bert.sendDtmf('*')
    await Promise.all([A.says(SEALED), B.says(SEALED)])
    await Promise.all([hears(anna, 1100, { settle: SETTLED }), hears(bert, 700, { settle: SETTLED })])
    await end(anna, bert)
  })

  await t.test('voicemail where the call was sealed before: the greeting is heard, the message is silence until the key press', async () => {
    await asterisk.cli('database put away lena 1')
    skip()
    anna.events.skip()
    const heard = heardSince(anna)
    anna.dial(dialA('31lena'))
    await anna.events.next('established')
    await A.says(/Not sealed: nobody hears you/)
    await recording(asterisk, 1)
    await heardFromNow(anna, 1.5)
    assert.ok(bestShare(heard(), GREETING) >= 0.9, 'the greeting')
    anna.sendDtmf('*')
    await A.says(/Anyone on the line can hear this\./)
    await heardFromNow(anna, 2.5)
    anna.hangup()
    const message = await recorded(asterisk, 'lena')
    assert.equal(toneShare(part(message, 0, 1), 700), 0, 'before the key press')
    assert.ok(bestShare(message, 700) >= 0.8, 'after it')
  })

  await t.test('voicemail of a stranger: open, after eight seconds, and said so', async () => {
    await asterisk.cli('database put away carl 1')
    skip()
    carla.dial(`sip:31carl@${c.sip.address}:${c.sip.port}`)
    await carla.events.next('established')
    await C.says(/Anyone on the line can hear this; looking for the other side/)
    await C.says(/Anyone on the line can hear this\./)
    await recording(asterisk, 2)
    await heardFromNow(carla, 3)
    carla.hangup()
    assert.ok(bestShare(await recorded(asterisk, 'carl'), 900) >= 0.8)
    await asterisk.cli('database del away carl')
  })

  await t.test('the other side is a fax machine and wants to go on as data: refused, said so, and the call stays what it is', async () => {
    skip()
    carla.events.skip()
    const heard = heardSince(carla)
    carla.dial(`sip:34@${c.sip.address}:${c.sip.port}`)
    await C.says(/A fax as data \(T\.38\) cannot be sealed and was refused/)
    await until(15_000, 'the refusal at Asterisk', () => /refused to negotiate T\.38/.test(asterisk.log()) || undefined, undefined, 100)
    await C.says(/Anyone on the line can hear this\./)
    // It goes on as sound.
    await until(15_000, "the machine's tone", () => bestShare(heard(), FAX) >= 0.9 || undefined, undefined, 200)
    assert.ok(!carla.events.all.slice(carla.events.all.findLastIndex((e) => e.kind === 'established')).some((e) => e.kind === 'closed'), 'the call stands')
    carla.hangup()
  })

  await t.test('a plain phone hears a normal call: some lowest bits of every eighth octet differ, and nothing else', (s) => plainPhone(s, asterisk, sophie, carl, `sip:31carl@${c.sip.address}:${c.sip.port}`))

  await t.test('a leg in PCMA in the middle of a call in PCMU: named as conversion on both sides, and open when both have accepted it', async () => {
    skip()
    anna.dial(dialA('33bert'))
    await Promise.all([A.says(/the way between converts the sound/, SEALED_MS), B.says(/the way between converts the sound/, SEALED_MS)])
    await Promise.all([hearsNothing(anna, 1.6, SETTLED), hearsNothing(bert, 1.6, SETTLED)])
    skip()
    anna.sendDtmf('*')
    bert.sendDtmf('*')
    await Promise.all([A.says(/Anyone on the line can hear this\./), B.says(/Anyone on the line can hear this\./)])
    await Promise.all([hears(anna, 1100, { settle: SETTLED }), hears(bert, 700, { settle: SETTLED })])
    await end(anna, bert)
  })

  await t.test('nobody was rung more often than called, whatever was asked and agreed on', () => {
    assert.deepEqual(entered(asterisk), ['32bert', '31lena', '31bert', '31lena', '31carl', '34', '31carl', '33bert', 'bert'])
    assert.equal(lena.events.all.filter((e) => e.kind === 'incoming').length, 1)
  })
})

/** How often the dialplan was entered for somebody: a message outside a call would enter it, and ring. */
const entered = (asterisk: Asterisk): readonly string[] => [...asterisk.log().matchAll(/Executing \[(\S+)@(?:phones|beyond):1\]/g)].map((m) => m[1]!)

async function end(caller: Phone, callee: Phone): Promise<void> {
  for (const p of [caller, callee]) p.events.skip()
  callee.hangup()
  await caller.events.next('closed')
}

/** Of the two calls of linphonec, the one that it had first to the one that it made. */
function transfer(lena: Linphonec): void {
  const ids = [...lena.printed().matchAll(/assigned id (\d+)/g)].map((m) => Number(m[1]))
  const [made, had] = [ids.at(-1), ids.at(-2)]
  lena.command(`transfer ${had} --to-call ${made}`)
}

const recording = (asterisk: Asterisk, times: number): Promise<true> =>
  until(20_000, 'the recording of a message', () => asterisk.log().split('Recording the message').length > times || undefined, () => asterisk.log().slice(-2000), 100)
/** What a phone hears from now on. */
function heardSince(phone: Phone): () => Pcm {
  const from = seconds(phone.heard())
  return () => part(phone.heard(), from)
}
/** A message is put into the box when the caller has hung up. */
async function recorded(asterisk: Asterisk, name: string): Promise<Pcm> {
  const box = path.join(asterisk.folder, 'spool/voicemail/default', name, 'INBOX')
  const whole = (): string | undefined => (existsSync(box) ? readdirSync(box).find((f) => f.endsWith('.wav') && existsSync(path.join(box, f.replace('.wav', '.txt')))) : undefined)
  return readWav(path.join(box, await until(10_000, 'the whole message', whole, () => asterisk.log().slice(-2000), 200)))
}

const OCTETS = 160
/** Five seconds of the eight in which the other side is looked for. */
const SEARCH_FRAMES = 250
async function plainPhone(t: TestContext, asterisk: Asterisk, caller: Phone, callee: Phone, number: string): Promise<void> {
  callee.events.skip()
  caller.events.skip()
  const tap = await capture(`udp ${ownPorts}`)
  caller.dial(number)
  await callee.events.next('incoming')
  callee.answer()
  await caller.events.next('established')
  await heardFromNow(callee, 4)
  await hears(caller, 500)
  caller.hangup()
  await callee.events.next('closed')
  const packets = await tap.stop()
  // From Asterisk to the plain phone, and what the calling phone sent: the same call without stc.
  const streams = streamsOf(packets)
  const media = (port: number): boolean => port >= asterisk.rtp && port < asterisk.rtp + asterisk.rtpCount
  const heard = streams.filter((s) => media(s.from) && s.payloads.length > 150)
  const sent = streams.filter((s) => !media(s.from) && !media(s.to) && s.payloads.length > 150)
  using codec = pcmuCodec()
  const pcm = (frames: readonly Uint8Array[]): Int16Array => Int16Array.from(frames.flatMap((f) => [...codec.decode(f)!]))
  // Not the other direction, which is a tone.
  const speaks = (frames: readonly Uint8Array[]): boolean => toneShare({ rate: 16_000, samples: pcm(frames) }, 500) < 0.5
  const pairs = heard.filter((h) => speaks(h.payloads)).flatMap((h) => sent.map((s) => alike(s.payloads, h.payloads)))
  const [original, arrived] = pairs.sort((x, y) => y[0].length - x[0].length)[0]!
  assert.ok(original.length > 150, `${original.length} frames of the caller's were found again at the plain phone`)
  // They differ while the other side is looked for.
  const early = arrived.slice(0, SEARCH_FRAMES)
  const changed = early.reduce((n, f, i) => n + f.filter((o, at) => o !== original[i]![at]).length, 0) / early.length
  assert.ok(changed > 2 && changed < 20, `${changed} octets of a frame are changed`)
  const snr = segmentalSnr(pcm(original), pcm(arrived), 16_000, [-10, 100])
  t.diagnostic(`the call with the attempt against the call without: ${snr.toFixed(1)} dB`)
  assert.ok(snr > 35, `${snr} dB`)
}

interface Stream {
  readonly from: number
  readonly to: number
  readonly payloads: Uint8Array[]
}
function streamsOf(packets: readonly { readonly from: number; readonly to: number; readonly payload: Uint8Array }[]): Stream[] {
  const streams = new Map<string, Stream>()
  for (const { from, to, payload } of packets) {
    if (payload.length !== 12 + OCTETS || payload[0]! >> 6 !== 2 || (payload[1]! & 127) !== 0) continue
    const stream = streams.get(`${from}>${to}`) ?? { from, to, payloads: [] }
    stream.payloads.push(payload.slice(12))
    streams.set(`${from}>${to}`, stream)
  }
  return [...streams.values()]
}

/** Frames of both that are the same but for the lowest bit of every eighth octet. */
function alike(sent: readonly Uint8Array[], heard: readonly Uint8Array[]): readonly [Uint8Array[], Uint8Array[]] {
  const without = (f: Uint8Array): string => f.map((o, i) => (i % 8 === 7 ? o & 0xfe : o)).toString()
  const found = new Map(sent.map((f) => [without(f), f]))
  const pairs = heard.flatMap((f) => {
    const original = found.get(without(f))
    return original === undefined ? [] : [[original, f] as const]
  })
  return [pairs.map(([o]) => o), pairs.map(([, f]) => f)]
}
