/**
 * `npm run bench -- quality [--seconds 30]`: what sealing does to speech and adds to its way. Codec frames of a synthesiser's speech go plain, with
 * the in-band carrier's bits, and sealed and opened, and are decoded; each is held against the recording and against the plain call. Then the time of a frame
 * through two vaults, each a process of its own as a client has it: sealed in one, opened in the other, and in turns with it a frame of a call without keys,
 * which takes the same way as it is: what lies between the two is what sealing adds, the rest is the way to another process and back.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { g722Codec } from '../src/audio/codec.ts'
import { aLaw, decodeG711, encodeG711, type Law, muLaw } from '../src/audio/g711.ts'
import { resample } from '../src/audio/resample.ts'
import { instant, ssrc } from '../src/base/brand.ts'
import { must } from '../src/base/result.ts'
import { preferVoice } from '../src/cli/priority.ts'
import { createNodeCrypto } from '../src/crypto/node/index.ts'
import { realScheduler } from '../src/net/scheduler.ts'
import type { SealedCodec } from '../src/protocol/frameseal/frame.ts'
import { FrameSession } from '../src/protocol/frameseal/session.ts'
import { InBandCarrier } from '../src/protocol/keyagreement/in-band/carrier.ts'
import type { CallProgress, Vault } from '../src/vault/api/calls.ts'
import { findBundle } from '../src/vault/host/bundle.ts'
import { startVaultProcess } from '../src/vault/host/process.ts'
import { babble } from '../test/kit/audio.ts'
import { People, REALM } from '../test/kit/people.ts'
import { inStep, intelligibility, segmentalSnr } from '../test/kit/speech-quality.ts'
import { readWav } from '../test/kit/wav.ts'
import { numberOption, pause, quantile, round } from './_args.ts'
import { load } from './_cpu.ts'
import type { BenchTable } from './run.ts'

const UNIT = 160
const LONGEST_DELAY = 64
const NOW = instant(0)
const crypto = createNodeCrypto()
const SENTENCES = [
  'A conference that only its members can hear, and nobody on the way.', 'She had your dark suit in greasy wash water all year.', 'The birch canoe slid on the smooth planks.',
  'Glue the sheet to the dark blue background.', 'These days a chicken leg is a rare dish.', 'One, two, three, four, five, six, seven, eight, nine, ten.',
]
// As `stc client` does.
preferVoice()

interface Coder {
  readonly name: SealedCodec
  readonly rate: number
  encode(pcm: Int16Array): Uint8Array
  decode(octets: Uint8Array): Int16Array
}
const g711 = (name: 'pcmu' | 'pcma', law: Law): Coder => ({
  name, rate: 8000,
  encode: (pcm) => {
    const out = new Uint8Array(pcm.length)
    encodeG711(law, pcm, out)
    return out
  },
  decode: (octets) => {
    const out = new Int16Array(octets.length)
    decodeG711(law, octets, out)
    return out
  },
})
const CODERS: readonly Coder[] = [
  {
    name: 'g722', rate: 16_000, encode: (pcm) => g722Codec().encode(pcm),
    decode: (octets) => {
      const codec = g722Codec()
      return Int16Array.from(framesOf(octets).flatMap((f) => [...codec.decode(f)!]))
    },
  },
  g711('pcmu', muLaw), g711('pcma', aLaw),
]
const framesOf = (octets: Uint8Array): Uint8Array[] => Array.from({ length: octets.length / UNIT }, (_, n) => octets.subarray(n * UNIT, (n + 1) * UNIT))
const joined = (frames: readonly Uint8Array[]): Uint8Array => Uint8Array.from(frames.flatMap((f) => [...f]))

export async function run(args: readonly string[]): Promise<BenchTable> {
  const rows: Record<string, string | number>[] = []
  const voice = speech()
  for (const coder of CODERS) rows.push(...qualityOf(coder, voice.pcm))
  const times = await frameTimes(numberOption(args, 'seconds', 30))
  const quantiles = (of: (t: FrameTime) => number): string => [0.5, 0.9, 0.99].map((q, i) => `${['median', 'p90', 'p99'][i]} ${round(quantile(times.map(of), q), 2)} ms`).join(', ')
  return {
    name: 'quality', rows,
    remarks: [
      `${voice.what}; SNR: segmental, frames of 20 ms with speech, −10…35 dB (test/kit/speech-quality.ts); STOI: short-time objective intelligibility`,
      `a frame sealed by its sender's vault, a process: ${quantiles((t) => t.seal)}; opened by its receiver's: ${quantiles((t) => t.open)}; both: ${quantiles((t) => t.seal + t.open)}, of ${times.length}`,
      `in turns with it a frame of a call without keys through the same two processes: ${quantiles((t) => t.plain)}; more than that, a frame that is sealed and opened: median ${round(quantile(times.map((t) => t.seal + t.open - t.plain), 0.5), 3)} ms; load of the machine ${load()}`,
    ],
  }
}

function qualityOf(coder: Coder, voice: Int16Array): Record<string, string | number>[] {
  const original = resample(voice, 16_000, coder.rate)
  const pcm = original.subarray(0, original.length - (original.length % (coder.rate / 50)))
  const frames = framesOf(coder.encode(pcm))
  const plain = inStep(pcm, coder.decode(joined(frames)), LONGEST_DELAY)
  return Object.entries(waysOf(coder.name)).map(([way, through]) => {
    const started = performance.now()
    const arrived = frames.map(through)
    const us = ((performance.now() - started) * 1000) / frames.length
    const heard = inStep(pcm, coder.decode(joined(arrived)), LONGEST_DELAY)
    return {
      codec: coder.name, way, 'SNR, dB': round(segmentalSnr(pcm, heard, coder.rate), 1), STOI: round(intelligibility(pcm, heard, coder.rate), 4),
      'SNR against plain, dB': way === 'plain' ? '–' : round(segmentalSnr(plain, heard, coder.rate, [-10, 100]), 1), 'CPU, µs a frame': way === 'plain' ? '–' : round(us, 0),
    }
  })
}

/** What becomes of a frame on its way to the other phone. */
function waysOf(codec: SealedCodec): Readonly<Record<string, (frame: Uint8Array) => Uint8Array>> {
  const carrier = new InBandCarrier(crypto, codec)
  const keys = () => ({ key: crypto.bytes(32), salt: crypto.bytes(12), mask: crypto.bytes(32) })
  const [there, back] = [keys(), keys()]
  const [sender, receiver] = [new FrameSession(crypto, { codec }), new FrameSession(crypto, { codec })]
  must(sender.addEpoch(0, { send: there, receive: back }, NOW))
  must(receiver.addEpoch(0, { send: back, receive: there }, NOW))
  return {
    plain: (frame) => frame,
    'in-band carrier': (frame) => carrier.outgoing(frame, NOW),
    'every lowest bit random': (frame) => {
      const random = crypto.bytes(frame.length)
      return frame.map((o, i) => (o & 0xfe) | (random[i]! & 1))
    },
    sealed: (frame) => {
      const opened = receiver.open(must(sender.sealVoice(frame)), NOW)
      if (opened.kind !== 'voice') throw new Error(`${opened.kind} came of a voice frame`)
      return opened.frame
    },
  }
}

function speech(): { readonly pcm: Int16Array; readonly what: string } {
  const folder = mkdtempSync(path.join(tmpdir(), 'stc-quality-'))
  try {
    const parts = SENTENCES.map((text, n) => {
      const file = path.join(folder, `${n}.wav`)
      const done = spawnSync('espeak-ng', ['-v', n % 2 === 0 ? 'en+f3' : 'en+m3', '-w', file, text])
      if (done.status !== 0) throw new Error('no espeak-ng')
      const wav = readWav(file)
      return resample(wav.samples, wav.rate, 16_000)
    })
    return { pcm: Int16Array.from(parts.flatMap((p) => [...p])), what: `${SENTENCES.length} sentences of espeak-ng, two voices` }
  } catch {
    return { pcm: babble(16_000 * 20, 7), what: 'synthetic babble: espeak-ng is not installed' }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Milliseconds from asking a vault to its answer. */
interface FrameTime {
  readonly seal: number
  readonly open: number
  /** Through both, without keys. */
  readonly plain: number
}

/** Frame by frame, 50 a second of each of the two calls. */
async function frameTimes(seconds: number): Promise<FrameTime[]> {
  const people = new People(realScheduler().unix(), crypto)
  const vaults = await Promise.all(['Anna', 'Bert'].map(async (name) => {
    const { chain, pkcs8 } = people.person(name)
    return must(await startVaultProcess({ chain, pkcs8, anchors: [people.ca.certificate], realm: REALM, bundle: must(findBundle()) })).vault
  }))
  const [sealed, plain] = [await agreed(vaults), await begun(vaults)]
  const times: FrameTime[] = []
  const frame = crypto.bytes(UNIT)
  for (let i = 0; i < seconds * 50; i++) {
    await pause(10)
    const [one, two] = await through(sealed, frame, i)
    await pause(10)
    const [there, back] = await through(plain, frame, i)
    times.push({ seal: one, open: two, plain: there + back })
  }
  await Promise.all(vaults.map((v) => v.close()))
  // The first seconds are code that is not yet compiled for good.
  return times.slice(Math.min(250, times.length >> 1))
}
async function through([from, to]: readonly End[], frame: Uint8Array, n: number): Promise<readonly [number, number]> {
  const at = performance.now()
  const sealed = await from!.vault.frames({ op: 'seal', session: from!.session, frames: [{ ssrc: ssrc(1), timestamp: n * UNIT, data: frame }] })
  const between = performance.now()
  const opened = await to!.vault.frames({ op: 'open', session: to!.session, frames: [{ ssrc: ssrc(1), timestamp: n * UNIT, data: sealed.frames[0]!.data }] })
  const end = performance.now()
  if (opened.frames[0]!.fault !== undefined || opened.frames[0]!.data.length !== UNIT) throw new Error(opened.frames[0]!.fault ?? 'no voice came of a voice frame')
  return [between - at, end - between]
}

interface End {
  readonly vault: Vault
  readonly session: number
}
const begun = (vaults: readonly Vault[]): Promise<End[]> =>
  Promise.all(vaults.map(async (vault) => ({ vault, session: must(await vault.call('call.begin', { codec: 'pcmu', carriers: ['message'], anonymous: false })).session })))

async function agreed(vaults: readonly Vault[]): Promise<readonly End[]> {
  const ends = await begun(vaults)
  const waiting: { readonly to: number; readonly message: Uint8Array }[] = []
  let confirmed = 0
  const take = (from: number, p: CallProgress): void => {
    for (const message of p.send) waiting.push({ to: 1 - from, message })
    if (p.failed !== undefined) throw new Error(p.failed.message)
    if (p.confirmed !== undefined) confirmed++
  }
  take(0, must(await ends[0]!.vault.call('call.step', { session: ends[0]!.session, input: 'start', carrier: 'message' })))
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const { vault, session } = ends[next.to]!
    take(next.to, must(await vault.call('call.step', { session, input: 'message', carrier: 'message', message: next.message })))
  }
  if (confirmed !== 2) throw new Error('the two vaults have no keys')
  return ends
}
