/** How much of speech came through: two measures of a copy against its original, both samples in step, 16 bits. */
import { spectrumOf } from '../../src/audio/fft.ts'
import { resample } from '../../src/audio/resample.ts'

/** Quieter than the loudest frame by this much is no speech. */
const SILENT_DB = 40

/**
 * Segmental signal-to-noise ratio in dB: the mean over frames of 20 ms with speech of 10·log10(Σx² / Σ(x−y)²), each limited to −10…35
 * (Hansen and Pellom, "An effective quality evaluation protocol for speech enhancement algorithms", ICSLP 1998). A copy without a difference has 35.
 */
export function segmentalSnr(original: Int16Array, copy: Int16Array, rate: number, limits: readonly [number, number] = [-10, 35]): number {
  const size = rate / 50
  const frames = Math.floor(Math.min(original.length, copy.length) / size)
  const energies = Array.from({ length: frames }, (_, n) => energy(original, n * size, size))
  const floor = Math.max(...energies) * 10 ** (-SILENT_DB / 10)
  let sum = 0
  let counted = 0
  for (const [n, signal] of energies.entries()) {
    if (signal <= floor) continue
    let noise = 0
    for (let i = n * size; i < (n + 1) * size; i++) noise += (original[i]! - copy[i]!) ** 2
    sum += Math.max(limits[0], Math.min(limits[1], 10 * Math.log10(signal / Math.max(noise, 1e-9))))
    counted++
  }
  return sum / counted
}
function energy(pcm: ArrayLike<number>, at: number, length: number): number {
  let sum = 0
  for (let i = at; i < at + length; i++) sum += pcm[i]! ** 2
  return sum
}

const RATE = 10_000
const FRAME = 256
const HOP = 128
const FFT = 512
const BANDS = 15
const LOWEST_HZ = 150
/** Frames of a segment: 384 ms. */
const SEGMENT = 30
const CLIP = 10 ** (15 / 20)
const WINDOW = Float64Array.from({ length: FRAME }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * (i + 1)) / (FRAME + 1)))

/**
 * Short-time objective intelligibility, 0 to 1 (Taal, Hendriks, Heusdens and Jensen, "An algorithm for intelligibility prediction of time-frequency
 * weighted noisy speech", IEEE Trans. ASLP 19(7), 2011): correlation of the envelopes of 15 third-octave bands over 384 ms. Needs more than that of speech.
 */
export function intelligibility(original: Int16Array, copy: Int16Array, rate: number): number {
  const [x, y] = withoutSilence(resample(original, rate, RATE), resample(copy, rate, RATE))
  const [a, b] = [envelopes(x), envelopes(y)]
  let sum = 0
  let counted = 0
  for (let m = SEGMENT; m <= a.length; m++) {
    for (let band = 0; band < BANDS; band++) {
      const clean = a.slice(m - SEGMENT, m).map((f) => f[band]!)
      const heard = b.slice(m - SEGMENT, m).map((f) => f[band]!)
      const gain = norm(clean) / (norm(heard) + Number.EPSILON)
      sum += correlation(clean, heard.map((v, n) => Math.min(gain * v, clean[n]! * (1 + CLIP))))
      counted++
    }
  }
  return sum / counted
}

/** Frames without speech are taken out of both, the rest overlapped and added again. */
function withoutSilence(x: Int16Array, y: Int16Array): readonly [Float64Array, Float64Array] {
  const starts: number[] = []
  for (let at = 0; at + FRAME < Math.min(x.length, y.length); at += HOP) starts.push(at)
  const levels = starts.map((at) => 10 * Math.log10(WINDOW.reduce((n, w, i) => n + (w * x[at + i]!) ** 2, 1e-9)))
  const floor = Math.max(...levels) - SILENT_DB
  const kept = starts.filter((_, n) => levels[n]! > floor)
  const joined = (pcm: Int16Array): Float64Array => {
    const out = new Float64Array((kept.length - 1) * HOP + FRAME)
    for (const [n, at] of kept.entries()) for (let i = 0; i < FRAME; i++) out[n * HOP + i]! += WINDOW[i]! * pcm[at + i]!
    return out
  }
  return [joined(x), joined(y)]
}

/** Frame by frame, the magnitude in each third of an octave; band edges on the nearest line of the spectrum. */
function envelopes(x: Float64Array): Float64Array[] {
  const line = (hz: number): number => Math.round((hz * FFT) / RATE)
  const edges = Array.from({ length: BANDS }, (_, k) => [line(LOWEST_HZ * 2 ** ((2 * k - 1) / 6)), line(LOWEST_HZ * 2 ** ((2 * k + 1) / 6))] as const)
  const out: Float64Array[] = []
  for (let at = 0; at + FRAME < x.length; at += HOP) {
    const { re, im } = spectrumOf(WINDOW.map((w, i) => w * x[at + i]!), FFT)
    out.push(Float64Array.from(edges, ([from, to]) => {
      let power = 0
      for (let k = from; k < to; k++) power += re[k]! ** 2 + im[k]! ** 2
      return Math.sqrt(power)
    }))
  }
  return out
}

const norm = (v: readonly number[]): number => Math.sqrt(energy(v, 0, v.length))
function correlation(a: readonly number[], b: readonly number[]): number {
  const centred = (v: readonly number[]): number[] => {
    const mean = v.reduce((n, x) => n + x, 0) / v.length
    return v.map((x) => x - mean)
  }
  const [p, q] = [centred(a), centred(b)]
  return p.reduce((n, x, i) => n + x * q[i]!, 0) / (norm(p) * norm(q) + Number.EPSILON)
}

/** The copy moved so that it is in step: what codecs delay is found by correlation, up to `most` samples. */
export function inStep(original: Int16Array, copy: Int16Array, most: number): Int16Array {
  let best = 0
  let bestSum = Number.NEGATIVE_INFINITY
  for (let lag = 0; lag <= most; lag++) {
    let sum = 0
    for (let i = 0; i + lag < copy.length; i += 3) sum += original[i]! * copy[i + lag]!
    if (sum > bestSum) [best, bestSum] = [lag, sum]
  }
  return copy.subarray(best)
}
