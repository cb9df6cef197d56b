/** The "heard" measure for a member that sends one continuous tone of its own. */
import type { Result } from '../base/result.ts'
import { err, ok } from '../base/result.ts'
import { SAMPLE_RATE } from './codec.ts'
import { HEARD_SHARE } from './heard.ts'

/** 200 ms. */
const WINDOW = SAMPLE_RATE / 5

const power = (pcm: Int16Array): number => pcm.reduce((sum, v) => sum + v * v, 0) / pcm.length

/** Power of a tone in the recording, in dB against full scale. */
function toneLevel(hz: number, pcm: Int16Array): number {
  let re = 0
  let im = 0
  for (let i = 0; i < pcm.length; i++) {
    // Hann window: neighbours 40 Hz away stay out of a window of 200 ms.
    const w = 1 - Math.cos((2 * Math.PI * (i + 0.5)) / pcm.length)
    re += pcm[i]! * w * Math.cos((2 * Math.PI * hz * i) / SAMPLE_RATE)
    im += pcm[i]! * w * Math.sin((2 * Math.PI * hz * i) / SAMPLE_RATE)
  }
  return 20 * Math.log10((2 * Math.hypot(re, im)) / pcm.length / 32_768 + 1e-9)
}

export interface HeardTone {
  readonly heard: boolean
  /** Windows of 200 ms in which the tone stands out, 0–1. */
  readonly share: number
  /** Median level in dB of full scale. */
  readonly levelDb: number
}

/** A tone counts in a window when it has at least this level, and a hundredth of the window's power. */
const TONE_LEVEL_DB = -60
const TONE_SHARE_DB = -20
/** Resampling against skew moves a tone by up to one per cent. */
const TONE_STEPS = [-0.01, -0.005, 0, 0.005, 0.01]

/** Looks for a continuous tone in a recording of 16 kHz. */
export function heardTone(hz: number, recorded: Int16Array): Result<HeardTone> {
  if (recorded.length < WINDOW) return err('AUDIO_TOO_SHORT', 'less than 200 ms')
  const levels: number[] = []
  let found = 0
  for (let at = 0; at + WINDOW <= recorded.length; at += WINDOW) {
    const part = recorded.subarray(at, at + WINDOW)
    const level = Math.max(...TONE_STEPS.map((s) => toneLevel(hz * (1 + s), part)))
    levels.push(level)
    const all = 10 * Math.log10((2 * power(part)) / 32_768 ** 2 + 1e-9)
    if (level >= TONE_LEVEL_DB && level - all >= TONE_SHARE_DB) found++
  }
  const share = found / levels.length
  return ok({ heard: share >= HEARD_SHARE, share, levelDb: levels.sort((a, b) => a - b)[levels.length >> 1]! })
}

/** How far a tone in the recording is below what was sent, in dB; for one's own tone at least 40. */
export function ownToneDownDb(hz: number, sent: Int16Array, recorded: Int16Array): number {
  const level = (pcm: Int16Array): number => {
    let loudest = -180
    for (let at = 0; at + WINDOW <= pcm.length; at += WINDOW) loudest = Math.max(loudest, toneLevel(hz, pcm.subarray(at, at + WINDOW)))
    return loudest
  }
  return level(sent) - level(recorded)
}
