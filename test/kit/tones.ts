/**
 * Tones that tell phones apart, and a detector of them that shares no code with the product's own
 * measure: one Goertzel filter per tone over Hann-windowed pieces of 200 ms.
 */
import type { Pcm } from './wav.ts'

const windowMs = 200

/** A sine. `dbfs` is relative to a full-scale sine; room is left because some phones decode G.722 6 dB too loud. */
export function tone(hz: number, options: { rate: number; seconds: number; dbfs?: number }): Pcm {
  const amplitude = 32767 * 10 ** ((options.dbfs ?? -18) / 20)
  const samples = new Int16Array(Math.round(options.rate * options.seconds))
  // Whole hertz: it is the same in every second.
  const period = Number.isInteger(hz) && Number.isInteger(options.rate) ? Math.min(samples.length, options.rate) : samples.length
  for (let i = 0; i < period; i++) samples[i] = Math.round(amplitude * Math.sin((2 * Math.PI * hz * i) / options.rate))
  for (let n = period; n > 0 && n < samples.length; n *= 2) samples.copyWithin(n, 0, n)
  return { rate: options.rate, samples }
}

export const silence = (rate: number, length: number): Pcm => ({ rate, samples: new Int16Array(Math.round(rate * length)) })

export function mix(...parts: readonly Pcm[]): Pcm {
  const length = Math.max(0, ...parts.map((p) => p.samples.length))
  const samples = new Int16Array(length)
  for (let i = 0; i < length; i++) {
    const sum = parts.reduce((n, p) => n + (p.samples[i] ?? 0), 0)
    samples[i] = Math.max(-32768, Math.min(32767, sum))
  }
  return { rate: parts[0]?.rate ?? 8000, samples }
}

const hanns = new Map<number, Float64Array>()
function hannOf(n: number): Float64Array {
  const known = hanns.get(n) ?? Float64Array.from({ length: n }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / n))
  hanns.set(n, known)
  return known
}

/** Level of one frequency in a piece, in dB relative to a full-scale sine; −120 at the least. */
export function toneLevel(piece: Int16Array, rate: number, hz: number): number {
  const n = piece.length
  const coefficient = 2 * Math.cos((2 * Math.PI * hz) / rate)
  let s1 = 0
  let s2 = 0
  const hann = hannOf(n)
  for (let i = 0; i < n; i++) {
    const s = (piece[i]! / 32768) * hann[i]! + coefficient * s1 - s2
    s2 = s1
    s1 = s
  }
  const power = s1 * s1 + s2 * s2 - coefficient * s1 * s2
  // A sine of amplitude 1 gives a bin of n/2, halved again by the mean of the Hann window.
  const amplitude = Math.sqrt(Math.max(0, power)) / (n / 4)
  return Math.max(-120, 20 * Math.log10(amplitude + 1e-12))
}

/** Clocks disagree, and whoever evens that out by resampling shifts every tone a little. */
const drift = 0.0125
/** A quarter of the main lobe of a Hann window of 200 ms: at worst 0.1 dB is lost between two steps. */
const stepHz = 2.5

/** The highest level within the drift around a frequency. */
function toneLevelNear(piece: Int16Array, rate: number, hz: number): number {
  let best = -120
  for (let f = hz * (1 - drift); f <= hz * (1 + drift) + stepHz / 2; f += stepHz) best = Math.max(best, toneLevel(piece, rate, f))
  return best
}

/** Levels of several tones, one row per whole 200 ms window. */
export function toneLevels(pcm: Pcm, hz: readonly number[]): number[][] {
  const size = Math.round((pcm.rate * windowMs) / 1000)
  const rows: number[][] = []
  for (let at = 0; at + size <= pcm.samples.length; at += size) {
    const piece = pcm.samples.subarray(at, at + size)
    rows.push(hz.map((f) => toneLevelNear(piece, pcm.rate, f)))
  }
  return rows
}

/** Share (0 to 1) of the 200 ms windows in which the tone stands at `floorDb` or more. */
export function toneShare(pcm: Pcm, hz: number, floorDb = -40): number {
  const rows = toneLevels(pcm, [hz])
  return rows.length === 0 ? 0 : rows.filter((r) => r[0]! >= floorDb).length / rows.length
}

/** That share in whichever piece of so many seconds the tone stands best: for what is played once, on a busy machine, where sound stumbles. 0 for less than a piece. */
export function bestShare(pcm: Pcm, hz: number, look = 1.6): number {
  const stands = toneLevels(pcm, [hz]).map(([level]) => level! >= -40)
  const length = Math.round((1000 * look) / windowMs)
  let best = 0
  for (let at = 0; at + length <= stands.length; at++) best = Math.max(best, stands.slice(at, at + length).filter(Boolean).length / length)
  return best
}

/** How far `hz` lies below the weakest of `others`, in dB, by the median over the windows. */
export function toneBelow(pcm: Pcm, hz: number, others: readonly number[]): number {
  const gaps = toneLevels(pcm, [hz, ...others]).map(([own, ...rest]) => Math.min(...rest) - own!).sort((a, b) => a - b)
  return gaps[gaps.length >> 1] ?? 0
}
