/**
 * Is a capture indistinguishable from random octets, or could it be voice in one of our codecs?
 * Run over the payloads behind all headers. Two kinds of evidence: the octets themselves (their
 * distribution overall, by place in the packet, and from one to the next), and the sound they give
 * when decoded as each codec: noise is equally loud all the time, speech is not.
 */
import type { Result } from '../base/result.ts'
import { err, ok } from '../base/result.ts'
import type { CodecName } from './codec.ts'
import type { CodecFactory } from './codecs.ts'

export type NoiseVerdict = 'noise' | 'structured'

export interface OctetEvidence {
  /** Chi-square of the octet values in standard deviations from its mean; |z| small for random octets. */
  readonly chiSquareZ: number
  /** The same for the worst place in the packet, and for octet pairs by their upper four bits. */
  readonly worstPlaceZ: number
  readonly pairsZ: number
  /** Correlation of neighbouring octets, in standard deviations. */
  readonly serialZ: number
  readonly verdict: NoiseVerdict
}

export interface CodecEvidence {
  readonly codec: CodecName | 'raw'
  /** Packets that decode at all, 0–1. */
  readonly decodable: number
  /** Spread of the level from packet to packet: standard deviation over mean, of the amplitude. */
  readonly levelSpread: number
  readonly verdict: NoiseVerdict
}

export interface NoiseReport {
  readonly verdict: NoiseVerdict
  readonly octets: number
  readonly evidence: OctetEvidence
  readonly codecs: readonly CodecEvidence[]
}

export const LEAST_OCTETS = 100_000
/** Chance exceeds six standard deviations once in 10^9. */
const LIMIT_Z = 6
/**
 * Amplitudes of noise packets of one codec scatter by a few per cent with G.711 and raw, more where the
 * codec adapts; speech scatters by its own size and more.
 */
const LIMIT_SPREAD: Readonly<Record<CodecName | 'raw', number>> = { raw: 0.15, pcmu: 0.2, pcma: 0.2, g722: 0.35, opus: Number.POSITIVE_INFINITY }

/** `payloads`: at least 100 kB together, each without headers, in the order of the stream. */
export function noiseTest(payloads: readonly Uint8Array[], codecs: CodecFactory): Result<NoiseReport> {
  const octets = payloads.reduce((n, p) => n + p.length, 0)
  if (octets < LEAST_OCTETS) return err('AUDIO_TOO_SHORT', `${octets} octets, at least ${LEAST_OCTETS} are needed`)
  const evidence = octetEvidence(payloads, octets)
  const sounds = [rawEvidence(payloads), ...codecs.names.map((name) => codecEvidence(name, payloads, codecs))]
  const noise = evidence.verdict === 'noise' && sounds.every((s) => s.verdict === 'noise')
  return ok({ verdict: noise ? 'noise' : 'structured', octets, evidence, codecs: sounds })
}

function octetEvidence(payloads: readonly Uint8Array[], total: number): OctetEvidence {
  const counts = new Float64Array(256)
  const pairs = new Float64Array(256)
  let pairCount = 0
  let product = 0
  for (const p of payloads) {
    for (let i = 0; i < p.length; i++) {
      counts[p[i]!]!++
      if (i === 0) continue
      pairs[(p[i - 1]! & 0xf0) | (p[i]! >> 4)]!++
      product += (p[i - 1]! - 127.5) * (p[i]! - 127.5)
      pairCount++
    }
  }
  // Variance of a uniform octet is (256² − 1) / 12.
  const serialZ = product / ((65_535 / 12) * Math.sqrt(Math.max(1, pairCount)))
  const chiSquareZ = chiSquare(counts, total)
  const pairsZ = chiSquare(pairs, pairCount)
  const worstPlaceZ = worstPlace(payloads)
  const structured = [chiSquareZ, worstPlaceZ, pairsZ].some((z) => z > LIMIT_Z) || Math.abs(serialZ) > LIMIT_Z
  return { chiSquareZ, worstPlaceZ, pairsZ, serialZ, verdict: structured ? 'structured' : 'noise' }
}

/** Against equal probabilities, as standard deviations: with 255 degrees of freedom it is near enough normal. */
function chiSquare(counts: Float64Array, total: number): number {
  const expected = total / counts.length
  if (expected === 0) return 0
  let sum = 0
  for (const c of counts) sum += (c - expected) ** 2 / expected
  const freedom = counts.length - 1
  return (sum - freedom) / Math.sqrt(2 * freedom)
}

/** Headers inside the payload, such as Opus' first octet, show as a place that takes few values. Upper four bits, so that few packets suffice. */
function worstPlace(payloads: readonly Uint8Array[]): number {
  let worst = 0
  const longest = Math.min(256, payloads.reduce((n, p) => Math.max(n, p.length), 0))
  for (let place = 0; place < longest; place++) {
    for (const shift of [4, 0]) {
      const counts = new Float64Array(16)
      let total = 0
      for (const p of payloads) {
        if (place >= p.length) continue
        counts[(p[place]! >> shift) & 0x0f]!++
        total++
      }
      // Below this the normal approximation is too rough to judge by.
      if (total >= 400) worst = Math.max(worst, chiSquare(counts, total))
    }
  }
  // Fifteen degrees of freedom have a longer tail, and this is the worst of up to 512: chance exceeds twelve deviations in one of them once in 4·10^7 captures.
  return (worst * 6) / 12
}

/** The octets as 16-bit samples. */
function rawEvidence(payloads: readonly Uint8Array[]): CodecEvidence {
  const levels = payloads.filter((p) => p.length >= 80).map((p) => {
    let sum = 0
    const count = p.length >> 1
    for (let i = 0; i < count; i++) sum += (((p[2 * i]! | (p[2 * i + 1]! << 8)) << 16) >> 16) ** 2
    return Math.sqrt(sum / count)
  })
  return judge('raw', levels, 1)
}

function codecEvidence(codec: CodecName, payloads: readonly Uint8Array[], codecs: CodecFactory): CodecEvidence {
  using decoder = codecs.create(codec)
  const levels: number[] = []
  let decoded = 0
  for (const p of payloads) {
    const pcm = decoder.decode(p)
    if (pcm === undefined) continue
    decoded++
    if (p.length >= 80) levels.push(Math.sqrt(pcm.reduce((sum, v) => sum + v * v, 0) / pcm.length))
  }
  // Random octets are mostly not an Opus packet, or one of any kind: what tells Opus is that all packets decode, and alike.
  const decodable = payloads.length === 0 ? 0 : decoded / payloads.length
  return judge(codec, levels, decodable)
}

function judge(codec: CodecName | 'raw', levels: readonly number[], decodable: number): CodecEvidence {
  const mean = levels.reduce((a, b) => a + b, 0) / Math.max(1, levels.length)
  const spread = Math.sqrt(levels.reduce((sum, v) => sum + (v - mean) ** 2, 0) / Math.max(1, levels.length)) / (mean + 1e-9)
  const speech = codec === 'opus' ? decodable > 0.95 : spread > LIMIT_SPREAD[codec]
  return { codec, decodable, levelSpread: spread, verdict: speech ? 'structured' : 'noise' }
}
