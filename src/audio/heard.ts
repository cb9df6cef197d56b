/**
 * The "heard" measure: is a known signal in a recording that may hold other speakers as loud, after
 * codecs, loss concealment, levelling and buffers that change the delay? Speech is found window by
 * window as a peak of the phase-weighted cross-correlation over its own noise floor, so level and
 * spectrum of the others do not matter.
 */
import type { Result } from '../base/result.ts'
import { err, ok } from '../base/result.ts'
import { inverse, powerOfTwo, spectrumOf } from './fft.ts'
import type { Spectrum } from './fft.ts'
import { HalfBandDown } from './half-band.ts'

/** Measurements of speech run at 8 kHz: every phone codec carries that band. */
const RATE = 8000
const WINDOW = RATE / 5
/** The alignment is sought anew for each block of this length. */
const BLOCK = 4 * RATE
/** Within a block a buffer may shift the sound by this much either way: 250 ms. */
const SEARCH = RATE / 4
/** A window of the expected signal this much below its own speech level is a pause. */
const ACTIVE_BELOW_DB = 10
/** Peak over the standard deviation of the correlation: chance stays below the first, and below the second at a given place. */
const PEAK_ANYWHERE = 10
const PEAK_IN_PLACE = 4.2
/** "In place": the lag of the window before, or of the block, give or take 5 ms. */
const PLACE = RATE / 200
/** Buffers that trim their delay play this much faster or slower for a while, which blurs every correlation (jitter-buffer.ts). */
const STRETCHES = [1, 1.005, 0.995, 1.01]
/** A buffer leaves out or repeats a frame of 20 ms in a pause: the sound goes on that much earlier or later. */
const FRAME = RATE / 50
const PEAK_A_FRAME_OFF = 5.5
/** Heard means present in so much of the active windows. */
export const HEARD_SHARE = 0.9
/** An alignment that explains so much of a block is the right one. */
const CLEAR_SHARE = 0.8
/**
 * Not heard means present in no more. Chance finds a voice in 0.19 of the windows of four seconds of
 * another (standard deviation 0.09, 150 random starts: above 0.35 in one of twenty), so the line is drawn half way.
 */
const ABSENT_SHARE = 0.5

export interface HeardSpeech {
  readonly heard: boolean
  /** Active windows in which the signal was found, 0–1. */
  readonly share: number
  /** Windows of 200 ms in which the expected signal is active. */
  readonly activeWindows: number
  /** The negative control's verdict: no more windows than chance gives. Neither heard nor absent is possible. */
  readonly absent: boolean
  /** Median of the peak over the noise floor, for reports. */
  readonly strength: number
}

export function narrow(pcm: Int16Array): Int16Array {
  const out = new Int16Array(pcm.length >> 1)
  new HalfBandDown().process(pcm, out)
  return out
}

/**
 * Looks for `expected` (16 kHz, played in a loop from an unknown start) in `recorded` (16 kHz, at
 * least one second). Both at any level.
 */
export function heardSpeech(expected: Int16Array, recorded: Int16Array): Result<HeardSpeech> {
  if (recorded.length < 2 * RATE || expected.length < 2 * RATE) return err('AUDIO_TOO_SHORT', 'less than a second')
  const loop = narrow(expected)
  const take = narrow(recorded)
  const aligner = new Aligner(loop)
  const speech = speechPower(loop)
  const peaks: number[] = []
  let found = 0
  for (let from = 0; from + WINDOW <= take.length; from += BLOCK) {
    const block = take.subarray(from, Math.min(take.length, from + BLOCK))
    for (const w of bestWindows(loop, take, from, block, aligner, speech)) {
      peaks.push(w.peak)
      if (w.found) found++
    }
  }
  if (peaks.length === 0) return err('AUDIO_TOO_SHORT', 'no window in which the expected signal is active')
  const share = found / peaks.length
  const strength = peaks.toSorted((a, b) => a - b)[peaks.length >> 1]!
  return ok({ heard: share >= HEARD_SHARE, absent: share <= ABSENT_SHARE, share, activeWindows: peaks.length, strength })
}

/**
 * The windows of a block under the alignment that finds most of them: the whole block's, or, when that explains too
 * little, one of its seconds', because a delay that moves all the time leaves no peak over four.
 */
function bestWindows(loop: Int16Array, take: Int16Array, from: number, block: Int16Array, aligner: Aligner, speech: number): WindowResult[] {
  // A short rest at the end goes by what the whole end says.
  const contextFrom = block.length < BLOCK ? Math.max(0, take.length - BLOCK) : from
  const length = loop.length
  const check = (start: number): WindowResult[] => checkBlock(loop, block, ((start % length) + length) % length, speech)
  let best = check(aligner.align(take.subarray(contextFrom, contextFrom + BLOCK)) + from - contextFrom)
  for (let second = 0; second + RATE <= block.length && shareFound(best) < CLEAR_SHARE; second += RATE) {
    const other = check(aligner.align(block.subarray(second, second + RATE)) - second)
    // The best of several by chance is better than one by chance: only a clear find counts.
    if (shareFound(other) >= CLEAR_SHARE) best = other
  }
  return best
}

const shareFound = (windows: readonly WindowResult[]): number => (windows.length === 0 ? 1 : windows.filter((w) => w.found).length / windows.length)

interface WindowResult {
  readonly found: boolean
  readonly peak: number
}

function checkBlock(loop: Int16Array, block: Int16Array, start: number, speech: number): WindowResult[] {
  const results: WindowResult[] = []
  let place = 0
  for (let at = 0; at + WINDOW <= block.length; at += WINDOW) {
    if (power(cut(loop, start + at, WINDOW)) < speech * 10 ** (-ACTIVE_BELOW_DB / 10)) continue
    let best: WindowResult & { readonly place: number } = { found: false, peak: 0, place }
    const around = surroundings(block, at)
    for (const stretch of STRETCHES) {
      const w = checkWindow(stretched(loop, start + at, stretch), around, place)
      if (w.peak > best.peak || w.found) best = w
      if (w.found) break
    }
    place = best.place
    results.push(best)
  }
  return results
}

function checkWindow(expected: Int16Array, around: Surroundings, place: number): WindowResult & { readonly place: number } {
  const { lag, peak, nearPeak, nearLag } = correlate(expected, around, place)
  if (nearPeak >= PEAK_IN_PLACE) return { found: true, peak: Math.max(peak, nearPeak), place: nearLag }
  if (peak >= PEAK_ANYWHERE) return { found: true, peak, place: lag }
  const aFrameOff = Math.abs(Math.abs(lag - place) - FRAME) <= PLACE && peak >= PEAK_A_FRAME_OFF
  return { found: aFrameOff, peak, place: aFrameOff ? lag : place }
}

/** A window of the loop from `at` on, played at another speed. */
function stretched(loop: Int16Array, at: number, speed: number): Int16Array {
  if (speed === 1) return cut(loop, at, WINDOW)
  const out = new Int16Array(WINDOW)
  for (let i = 0; i < WINDOW; i++) {
    const position = at + i * speed
    const whole = Math.floor(position)
    const before = loop[whole % loop.length]!
    out[i] = before + (loop[(whole + 1) % loop.length]! - before) * (position - whole)
  }
  return out
}

/** `length` samples of the loop from `at` on. */
function cut(loop: Int16Array, at: number, length: number): Int16Array {
  const out = new Int16Array(length)
  for (let i = 0; i < length; i++) out[i] = loop[(at + i) % loop.length]!
  return out
}

const power = (pcm: Int16Array): number => pcm.reduce((sum, v) => sum + v * v, 0) / pcm.length

/** Mean power of the louder half of the windows. */
function speechPower(loop: Int16Array): number {
  const powers: number[] = []
  for (let at = 0; at + WINDOW <= loop.length; at += WINDOW) powers.push(power(loop.subarray(at, at + WINDOW)))
  const louder = powers.sort((a, b) => b - a).slice(0, Math.max(1, powers.length >> 1))
  return louder.reduce((a, b) => a + b, 0) / louder.length
}

interface Peak {
  readonly lag: number
  readonly peak: number
  readonly nearLag: number
  readonly nearPeak: number
}

interface Surroundings {
  readonly spectrum: Spectrum
  /** Places at which the window may lie, beyond the first. */
  readonly lags: number
  /** The place at which it is expected. */
  readonly zero: number
}

/** Where a window is looked for: the same for every speed at which it may have been played. */
function surroundings(block: Int16Array, at: number): Surroundings {
  const from = Math.max(0, at - SEARCH)
  const around = block.subarray(from, Math.min(block.length, at + WINDOW + SEARCH))
  return { spectrum: spectrumOf(around, powerOfTwo(WINDOW + WINDOW + 2 * SEARCH)), lags: around.length - WINDOW, zero: at - from }
}

/** Correlates one window with its surroundings; peaks in standard deviations. */
function correlate(expected: Int16Array, { spectrum, lags, zero }: Surroundings, place: number): Peak {
  const c = crossPhase(spectrumOf(expected, spectrum.re.length), spectrum)
  let square = 0
  let best = 0
  let near = 0
  let nearLag = place
  for (let i = 0; i <= lags; i++) {
    const v = Math.abs(c[i]!)
    square += v * v
    if (v > Math.abs(c[best]!)) best = i
    if (Math.abs(i - zero - place) <= PLACE && v > near) {
      near = v
      nearLag = i - zero
    }
  }
  const deviation = Math.sqrt(square / (lags + 1)) + 1e-12
  return { lag: best - zero, peak: Math.abs(c[best]!) / deviation, nearLag, nearPeak: near / deviation }
}

/** Telephone band that is compared. */
const LOW_HZ = 200
const HIGH_HZ = 3400

/** Inverse transform of the cross spectrum, flattened: every bin counts by the root of its size in the expected signal. */
function crossPhase(expected: Spectrum, recorded: Spectrum): Float64Array {
  const size = expected.re.length
  const out = { re: new Float64Array(size), im: new Float64Array(size) }
  const low = Math.ceil((LOW_HZ * size) / RATE)
  const high = Math.floor((HIGH_HZ * size) / RATE)
  for (let k = low; k <= high; k++) {
    const er = expected.re[k]!
    const ei = expected.im[k]!
    const rr = recorded.re[k]!
    const ri = recorded.im[k]!
    const weight = 1 / ((er * er + ei * ei) ** 0.25 * Math.sqrt(rr * rr + ri * ri) + 1e-9)
    out.re[k] = (er * rr + ei * ri) * weight
    out.im[k] = (er * ri - ei * rr) * weight
  }
  // Only positive frequencies: the real part of the result is the correlation.
  inverse(out)
  return out.re
}

/** Finds where in the loop a block of the recording begins. */
class Aligner {
  readonly #length: number
  readonly #size: number
  readonly #spectrum: Spectrum

  constructor(loop: Int16Array) {
    this.#length = loop.length
    this.#size = powerOfTwo(loop.length + 2 * BLOCK)
    // The loop goes on, so that a block across its seam is found.
    this.#spectrum = spectrumOf(cut(loop, 0, loop.length + BLOCK), this.#size)
  }

  align(block: Int16Array): number {
    const c = crossPhase(spectrumOf(block, this.#size), this.#spectrum)
    let best = 0
    for (let i = 1; i < this.#length; i++) if (Math.abs(c[i]!) > Math.abs(c[best]!)) best = i
    return best
  }
}

/** Windows that may be louder: what the others said last still comes out of the buffers. */
const LATE_SHARE = 0.25

/**
 * How far one's own speech lies below what was sent, in dB, by a recording (16 kHz, at least one second) in which nobody else
 * speaks: whatever it holds is taken for an echo. Among the speech of others nothing weaker than −20 dB could be told from chance.
 */
export function ownSpeechDownDb(sent: Int16Array, recorded: Int16Array): Result<number> {
  if (recorded.length < 2 * RATE || sent.length < 2 * RATE) return err('AUDIO_TOO_SHORT', 'less than a second')
  const loop = narrow(sent)
  const take = narrow(recorded)
  const powers = Array.from({ length: Math.floor(take.length / WINDOW) }, (_, i) => power(take.subarray(i * WINDOW, (i + 1) * WINDOW))).sort((a, b) => b - a)
  return ok(10 * Math.log10((speechPower(loop) + 1e-3) / (powers[Math.floor(powers.length * LATE_SHARE)]! + 1e-3)))
}
