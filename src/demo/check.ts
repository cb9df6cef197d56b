/** `--check`: three members talk for some seconds; what everybody heard is measured, and what the network saw. */
import { codecFactory, type CodecFactory } from '../audio/codecs.ts'
import { heardSpeech, ownSpeechDownDb } from '../audio/heard.ts'
import { joinPcm } from '../audio/join-pcm.ts'
import { noiseTest } from '../audio/noise-test.ts'
import { loadOpus } from '../audio/opus.ts'
import { FRAME_SAMPLES } from '../audio/codec.ts'
import { must } from '../base/result.ts'
import { looksLikeRtcp, rtpHeaderLength } from '../protocol/rtp/header.ts'
import type { Cast } from './cast.ts'
import { type HeardRow, judge, OWN_DOWN_DB, type Verdict } from './verdict.ts'
import type { WireTap } from './wiretap.ts'

export interface CheckOptions {
  readonly cast: Pick<Cast, 'members' | 'agreed' | 'updated' | 'until' | 'cut'>
  readonly tap: Pick<WireTap, 'packets'>
  /** What each member says, 16 kHz PCM. */
  readonly speech: readonly Int16Array[]
  readonly talkMs: number
  /** Each of them alone. */
  readonly aloneMs: number
  /** Buffers run empty and the mute takes hold; tests need no second for it. */
  readonly settleMs?: number
}

const AGREE_MS = 30_000
const SETTLE_MS = 1000
/** Pieces of talk that are listened to at most. */
const PIECES = 3
/** About 250 kB. */
const NOISE_PACKETS = 1300

export async function check(o: CheckOptions): Promise<Verdict> {
  const { cast } = o
  const count = cast.members.length
  const agreed = await cast.until(() => cast.agreed(count), AGREE_MS)
  const before = await settled(o)
  const talked = await talk(o)
  const muted = count - 1
  const alone = await eachAlone(o)
  // The last one is muted until its own turn comes.
  const silent = cast.members.map((_, by) => joinPcm(alone.slice(0, muted).map((heard) => heard[by]!)))
  const after = counts(cast)
  const heard = [...talked, ...mutedRows(o, silent, muted)]
  const opus = await loadOpus()
  const codecs = codecFactory(opus.ok ? opus.value : undefined)
  const first = cast.members[0]!.roster
  return judge({
    members: (first?.members ?? []).map((m) => ({ name: m.identity.subject, key: m.identity.keyId.slice(0, 16), confirmed: m.state === 'member' })),
    epoch: Number(first?.epoch ?? 0n),
    codesEqual: agreed && cast.agreed(count),
    securityCode: first?.securityCode ?? '',
    heard,
    ownDownDb: Object.fromEntries(cast.members.map((m, i) => [m.name, Math.round(must(ownSpeechDownDb(o.speech[i]!, alone[i]![i]!)))])),
    joinMs: Object.fromEntries(cast.members.map((m) => [m.name, Math.round(m.joinMs ?? -1)])),
    firstAudioMs: Object.fromEntries(cast.members.slice(1).map((m) => [m.name, firstAudio(m.stats)])),
    framesReceived: after.received - before.received,
    framesLost: after.lost - before.lost,
    framesNotOpened: after.unopened - before.unopened,
    noise: noise(o, codecs),
  }, count)
}

/**
 * The counts from which on everything must be right. Everybody gets fresh keys soon after the last join, and a frame of one that stalls in that
 * moment is refused; so it is before everybody has said its word.
 */
export async function settled({ cast, settleMs = SETTLE_MS }: CheckOptions): Promise<Counts> {
  await cast.until(() => cast.updated, AGREE_MS)
  // The commotion of joining leaves the buffers deep; they come down at half a per cent.
  await pause(2 * settleMs)
  await cast.cut()
  const old = cast.members.map((m) => m.stats)
  await cast.until(() => cast.members.every((m, i) => m.stats !== old[i]), AGREE_MS)
  return counts(cast)
}

/** The last piece, or the first one in which all is as it must be: a busy machine stumbles. */
async function talk(o: CheckOptions): Promise<HeardRow[]> {
  for (let piece = 1; ; piece++) {
    await pause(o.talkMs)
    const rows = heardRows(o, await o.cast.cut())
    if (piece === PIECES || rows.every((r) => r.heard)) return rows
  }
}

/** What everybody heard while one after the other speaks and all others are muted: the last piece of each, or the first one in which the speaker did not hear itself. */
export async function eachAlone({ cast, speech, aloneMs, settleMs = SETTLE_MS }: CheckOptions): Promise<Int16Array[][]> {
  const all: Int16Array[][] = []
  for (const [i, speaker] of cast.members.entries()) {
    for (const m of cast.members) m.child.order({ kind: 'mute', on: m !== speaker })
    for (let piece = 1; ; piece++) {
      await pause(settleMs)
      await cast.cut()
      await pause(aloneMs)
      const heard = await cast.cut()
      const down = ownSpeechDownDb(speech[i]!, heard[i]!)
      if (piece < PIECES && !(down.ok && down.value >= OWN_DOWN_DB)) continue
      all.push(heard)
      break
    }
  }
  return all
}

function heardRows(o: CheckOptions, recorded: readonly Int16Array[]): HeardRow[] {
  return o.cast.members.flatMap((by, i) => o.cast.members.flatMap((of, j) => {
    if (i === j) return []
    const h = must(heardSpeech(o.speech[j]!, recorded[i]!))
    return [{ by: by.name, of: of.name, share: round(h.share), heard: h.heard, expected: true }]
  }))
}

/** The negative control: the measure must not hear who is muted. */
function mutedRows(o: CheckOptions, recorded: readonly Int16Array[], muted: number): HeardRow[] {
  return o.cast.members.flatMap((by, i) => {
    if (i === muted) return []
    const h = must(heardSpeech(o.speech[muted]!, recorded[i]!))
    return [{ by: by.name, of: `${o.cast.members[muted]!.name}, muted`, share: round(h.share), heard: !h.absent, expected: false }]
  })
}

/** What a listener on the network has: RTP payloads, and the same test on speech in each codec. */
function noise(o: CheckOptions, codecs: CodecFactory): Verdict['noise'] {
  const all = o.tap.packets.flatMap((p) => {
    if (looksLikeRtcp(p, p.length)) return []
    const header = rtpHeaderLength(p, p.length)
    return header > 0 ? [p.subarray(header)] : []
  })
  // The middle: everybody talks there.
  const payloads = all.slice(Math.max(0, (all.length - NOISE_PACKETS) >> 1)).slice(0, NOISE_PACKETS)
  const octets = payloads.reduce((n, p) => n + p.length, 0)
  const sealed = noiseTest(payloads, codecs)
  const octetsRandom = sealed.ok && sealed.value.evidence.verdict === 'noise'
  const ciphertext = Object.fromEntries((sealed.ok ? sealed.value.codecs : []).map((c) => [c.codec, octetsRandom && c.verdict === 'noise']))
  const plaintext = Object.fromEntries(codecs.names.map((name) => {
    const plain = noiseTest(encodeAll(codecs, name, o.speech[0]!), codecs)
    return [name, plain.ok && plain.value.verdict === 'noise']
  }))
  return { octets, ciphertext, plaintext }
}

/** At least 100 kB of the speech, looped, as a phone would send it. */
function encodeAll(codecs: CodecFactory, name: CodecFactory['names'][number], pcm: Int16Array): Uint8Array[] {
  using codec = codecs.create(name)
  const payloads: Uint8Array[] = []
  let octets = 0
  for (let at = 0; octets < 120_000; at += FRAME_SAMPLES) {
    const from = at % (pcm.length - FRAME_SAMPLES)
    const payload = codec.encode(pcm.subarray(from, from + FRAME_SAMPLES)).slice()
    payloads.push(payload)
    octets += payload.length
  }
  return payloads
}

function firstAudio(stats: Cast['members'][number]['stats']): number {
  if (stats === undefined) return -1
  const instants = stats.senders.flatMap((s) => (s.firstHeardAt === undefined ? [] : [s.firstHeardAt]))
  return instants.length === 0 ? -1 : Math.round(Math.min(...instants) - stats.dialledAt)
}

interface Counts {
  readonly received: number
  readonly lost: number
  readonly unopened: number
}

function counts(cast: CheckOptions['cast']): Counts {
  const all = cast.members.flatMap((m) => m.stats?.senders ?? [])
  const sum = (of: (s: (typeof all)[number]) => number): number => all.reduce((n, s) => n + of(s), 0)
  return { received: sum((s) => s.received), lost: sum((s) => s.lost), unopened: sum((s) => s.unopened) }
}
const round = (x: number): number => Math.round(x * 1000) / 1000
const pause = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms))
