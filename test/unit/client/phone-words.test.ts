import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { wavOf } from '../../../src/audio/wav.ts'
import { instant, type RoomName, type Ssrc, type UnixTime } from '../../../src/base/brand.ts'
import type { RunningCall } from '../../../src/client/calls.ts'
import type { CallIn } from '../../../src/client/call.ts'
import type { CallRef, Handset } from '../../../src/client/handset/port.ts'
import { PhoneCalls } from '../../../src/client/phone-calls.ts'
import { type Sentences, SENTENCES } from '../../../src/client/speech/sentences.ts'
import { codeSpoken, labelSpoken, type Spoken, WORDS, whoIsHere } from '../../../src/client/speech/spoken.ts'
import { createVoice, streamed } from '../../../src/client/speech/voice.ts'
import type { MediaCommand } from '../../../src/media/api.ts'
import type { RoomPolicy } from '../../../src/model/policy.ts'
import { applyEvent, type CallEvent, emptyRoster, type GroupMember, type Roster } from '../../../src/model/roster.ts'

const keyOf = (leaf: number): string => `${leaf}`.repeat(64)
const someone = (leaf: number, subject: string, kind: 'member' | 'gateway' = 'member'): GroupMember => ({
  leaf, self: leaf === 0, kind, ssrc: (1000 + leaf) as Ssrc,
  identity: { subject, emails: [], hosts: [], issuer: 'CA', serial: '1', notBefore: 0 as UnixTime, notAfter: 1 as UnixTime, keyId: keyOf(leaf), fingerprint: keyOf(leaf) },
})
const policy = (hosts: readonly string[], locked = false): RoomPolicy => ({
  base: { room: 'weekly' as RoomName, realm: 'stc', version: 1, owners: [keyOf(9)], hosts, admit: 'anchors', suite: 'x-wing', codec: 'g722', forwarding: 'all', maximumMembers: 16, gatewaysAllowed: true, minimumKeyProtection: 'in-process', lobby: false, standing: false, journal: true },
  state: { version: 1, locked, admitted: [], banned: [] },
})
function rosterOf(members: readonly GroupMember[], rules = policy([])): Roster {
  const events: CallEvent[] = [{ kind: 'phase', phase: 'member', at: instant(0) }, { kind: 'policy', at: instant(0), policy: rules }, { kind: 'group', at: instant(0), epoch: 1n, securityCode: '12345 67890', members }]
  return events.reduce(applyEvent, emptyRoster('weekly', 'sealed'))
}

/** One phone in one call; what is said to it, in order. */
function stage(roster: Roster, kind: 'rtp' | 'pcm' = 'rtp') {
  const said: string[] = []
  const media: MediaCommand[] = []
  const inputs: CallIn[] = []
  let muted = 0
  const phones = new PhoneCalls((c) => media.push(c), () => {}, async (s: Spoken) => {
    said.push(s.text(SENTENCES.en))
    return Int16Array.of(1, 2, 3)
  })
  const handset = { line: 'desk', command() {}, subscribe: () => ({ [Symbol.dispose]() {} }), [Symbol.dispose]() {} } as Handset
  const rtp = { kind: 'rtp', codec: 'g722', payloadType: 9, ptimeMs: 20, remote: { address: '127.0.0.1', port: 4000 }, hold: false, send: true } as const
  const p = phones.open(handset, { kind: 'dial', call: 'a' as CallRef, line: 'desk', target: '8weekly', contact: 'x', media: kind === 'rtp' ? rtp : { kind: 'pcm', speech: new Int16Array(0), record: false } }, 1)
  const call = { name: 'weekly', roster, over: false, toggleMute: () => void muted++, input: (i: CallIn) => void inputs.push(i) }
  p.running = call as unknown as RunningCall
  phones.answer(p, { joined: true, local: { address: '127.0.0.1', port: 1 } })
  const press = (keys: string): void => [...keys].forEach((k) => void phones.digit(p, k))
  return { said, media, inputs, phones, p, call, press, get muted() { return muted } }
}
const plays = (media: readonly MediaCommand[]): number => media.filter((c) => c.op === 'phone.play').length

test('keys alone are enough: mute, who is here, the code', async () => {
  const s = stage(rosterOf([someone(0, 'Anna'), someone(1, 'Bruno'), someone(2, 'Chiara')]))
  s.press('*1*5*6')
  await Promise.resolve()
  assert.equal(s.muted, 1)
  assert.deepEqual(s.said, ['3 people are here. You, Bruno; Chiara.', 'The security code is: 1 2 3 4 5, 6 7 8 9 0.'])
  assert.equal(plays(s.media), 2)
  s.press('5167*2')
  assert.equal(s.muted, 1)
  assert.equal(s.said.length, 2)
})

test('a host locks with *7, and everybody hears it; others are told that they may not', async () => {
  const host = stage(rosterOf([someone(0, 'Anna')], policy([keyOf(0)])))
  host.press('*7')
  assert.deepEqual(host.inputs, [{ kind: 'command', command: { do: 'decide', decision: { act: 'lock' } } }])
  host.phones.event(host.call as unknown as RunningCall, { kind: 'act', at: instant(1), act: { act: 'lock' }, by: keyOf(0), text: 'Anna locked the room', prominent: false })
  assert.deepEqual(host.said, ['The room is locked.'])
  const locked = stage(rosterOf([someone(0, 'Anna')], policy([keyOf(0)], true)))
  locked.press('*7')
  assert.deepEqual(locked.inputs, [{ kind: 'command', command: { do: 'decide', decision: { act: 'unlock' } } }])
  const guest = stage(rosterOf([someone(0, 'Anna')], policy([keyOf(5)])))
  guest.press('*7')
  assert.deepEqual([guest.inputs, guest.said], [[], ['Only a host can do that.']])
})

test('on entry the label is spoken when the call is weaker than sealed, and when it becomes so', () => {
  assert.deepEqual(stage(rosterOf([someone(0, 'Anna'), someone(1, 'Bruno')])).said, [])
  assert.deepEqual(stage(rosterOf([someone(0, 'Anna'), someone(1, 'Door', 'gateway')])).said, ['Telephone callers can hear this, through a gateway.'])
  assert.equal(labelSpoken(emptyRoster('800', 'bridged'))?.text(SENTENCES.en), 'Our server can hear this.')
  assert.equal(labelSpoken(emptyRoster('x', 'open'))?.text(SENTENCES.en), 'Anyone on the line can hear this.')
  const s = stage(rosterOf([someone(0, 'Anna')]))
  s.call.roster = rosterOf([someone(0, 'Anna'), someone(1, 'Door', 'gateway')])
  s.phones.event(s.call as unknown as RunningCall, { kind: 'note', at: instant(1), code: 'CLIENT_GATEWAY_JOINED', text: '', prominent: true })
  assert.deepEqual(s.said, ['Telephone callers can hear this, through a gateway.'])
  const desk = stage(applyEvent(rosterOf([someone(0, 'Anna')]), { kind: 'phone-leg', at: instant(0), leg: 'plain-lan' }))
  assert.deepEqual(desk.said, ['A phone in this call is not protected in its local network.'])
  desk.phones.event(desk.call as unknown as RunningCall, { kind: 'phone-leg', at: instant(1), leg: 'plain-lan' })
  assert.equal(desk.said.length, 2, 'when it becomes so in the call')
  desk.phones.event(desk.call as unknown as RunningCall, { kind: 'phone-leg', at: instant(1), leg: 'encrypted' })
  assert.equal(desk.said.length, 2)
  desk.phones.event(desk.call as unknown as RunningCall, { kind: 'phone-leg', at: instant(1), leg: 'plain-lan', again: true })
  assert.equal(desk.said.length, 2, 'no news')
  // A gateway is another warning, said before.
  const both = stage(applyEvent(rosterOf([someone(0, 'Anna'), someone(1, 'Door', 'gateway')]), { kind: 'phone-leg', at: instant(0), leg: 'plain-lan' }))
  both.phones.event(both.call as unknown as RunningCall, { kind: 'phone-leg', at: instant(1), leg: 'plain-lan' })
  assert.deepEqual(both.said, ['Telephone callers can hear this, through a gateway.', 'A phone in this call is not protected in its local network.'])
})

test('robots hear neither, and nobody who has hung up is spoken to', async () => {
  const robot = stage(rosterOf([someone(0, 'Anna'), someone(1, 'Door', 'gateway')]), 'pcm')
  robot.press('*5')
  assert.deepEqual(robot.said, [])
  const s = stage(rosterOf([someone(0, 'Anna')]))
  s.press('*6')
  s.phones.ended(s.p)
  await Promise.resolve()
  assert.equal(plays(s.media), 0)
})

test('every recorded word is there, and says the number and the code without a synthesiser', async () => {
  const r = rosterOf([someone(0, 'Anna'), someone(1, 'Bruno')])
  assert.deepEqual(whoIsHere(r).words, ['2', 'people'])
  assert.deepEqual(codeSpoken(r).words, ['code', '1', '2', '3', '4', '5', '6', '7', '8', '9', '0'])
  for (const language of ['en', 'de'] as const) {
    for (const w of WORDS) assert.ok(existsSync(new URL(`../../../src/client/speech/words/${language}/${w}.ul`, import.meta.url)), `${language} ${w}`)
    const voice = createVoice(language, ['/nowhere/espeak'])
    const spoken = (await voice(codeSpoken(r)))!
    const short = (await voice(whoIsHere(r)))!
    assert.ok(spoken.length > 3 * 16_000 && short.length > 8000 && short.length < spoken.length)
    assert.ok(spoken.some((x) => Math.abs(x) > 2000), 'it is to be heard')
  }
})

test('every sentence is there in both languages, and another one in each', () => {
  const said = (s: Sentences): string[] => Object.values(s).map((x: unknown) => (typeof x === 'string' ? x : (x as (...a: unknown[]) => string)(3, ['Bruno'], 2, 1)))
  assert.deepEqual(Object.keys(SENTENCES.de), Object.keys(SENTENCES.en))
  assert.equal(new Set([...said(SENTENCES.en), ...said(SENTENCES.de)]).size, 2 * said(SENTENCES.en).length)
  assert.equal(whoIsHere(rosterOf([someone(0, 'Anna'), someone(1, 'Bruno'), someone(2, 'Chiara')])).text(SENTENCES.de), '3 Personen sind hier. Sie, Bruno; Chiara.')
})

test('a synthesiser gets names by stdin, never as an argument, and one that fails is not asked again', { skip: process.platform === 'win32' ? 'the synthesiser is a script for sh' : false }, async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'stc-voice-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const wav = Buffer.from(wavOf({ rate: 22_050, pcm: new Int16Array(22_050).fill(500) }))
  // As it comes out of a pipe: lengths that nobody knew.
  wav.writeUInt32LE(0x7fff_0000, 4)
  wav.writeUInt32LE(0x7fff_0000, 40)
  writeFileSync(path.join(folder, 'out.wav'), wav)
  const program = path.join(folder, 'synth')
  writeFileSync(program, `#!/bin/sh\nprintf '%s\\n' "$*" > '${folder}/args'\ncat > '${folder}/text'\ncat '${folder}/out.wav'\n`)
  chmodSync(program, 0o755)
  const pcm = (await createVoice('de', [program])(whoIsHere(rosterOf([someone(0, 'Anna'), someone(1, '--help; rm -rf /')]))))!
  assert.ok(Math.abs(pcm.length - 16_000) < 50, `${pcm.length} samples`)
  const { readFileSync } = await import('node:fs')
  assert.match(readFileSync(path.join(folder, 'args'), 'utf8'), /^[^;]*-v de\n$/)
  assert.ok(readFileSync(path.join(folder, 'text'), 'utf8').includes('--help; rm -rf /'))
  assert.equal(streamed(Buffer.from('no wav')).length, 6)
})

test('a synthesiser that is late once is asked again, one that fails is not', { skip: process.platform === 'win32' ? 'the synthesiser is a script for sh' : false }, async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'stc-voice-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(path.join(folder, 'out.wav'), wavOf({ rate: 16_000, pcm: new Int16Array(1234).fill(500) }))
  const script = (name: string, first: string): string => {
    const file = path.join(folder, name)
    // The first time it does something else than to speak.
    writeFileSync(file, `#!/bin/sh\nif [ ! -e '${file}.ran' ]; then : > '${file}.ran'; ${first}; fi\ncat > /dev/null\ncat '${folder}/out.wav'\n`)
    chmodSync(file, 0o755)
    return file
  }
  const whom = whoIsHere(rosterOf([someone(0, 'Anna')]))
  const twice = async (program: string, patienceMs: number): Promise<boolean[]> => {
    const voice = createVoice('en', [program], patienceMs)
    const first = (await voice(whom))!.length
    return [first === 1234, (await voice(whom))!.length === 1234]
  }
  // In time the second time, however slow this machine is: no longer than the patience of a minute.
  let slow: boolean[] = []
  for (let patienceMs = 250; patienceMs < 64_000 && slow[1] !== true; patienceMs *= 4) slow = await twice(script(`slow${patienceMs}`, 'exec sleep 120'), patienceMs)
  assert.deepEqual(slow, [false, true])
  assert.deepEqual(await twice(script('broken', 'exit 3'), 60_000), [false, false])
})
