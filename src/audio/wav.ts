/** WAV files (RIFF, PCM 16 bit) as octets: for demo voices, recordings and tests. */
import type { Result } from '../base/result.ts'
import { err, ok } from '../base/result.ts'
import { SAMPLE_RATE } from './codec.ts'
import { resample } from './resample.ts'

const PCM = 1
/** WAVE_FORMAT_EXTENSIBLE: the format is the start of a GUID. */
const EXTENSIBLE = 0xfffe
const MAX_OCTETS = 256 * 1024 * 1024

export interface Wav {
  /** Hz. */
  readonly rate: number
  /** Mono; more channels are averaged. */
  readonly pcm: Int16Array
}

/** One channel, 16 bits. */
export function wavOf({ rate, pcm }: Wav): Uint8Array {
  const out = new Uint8Array(44 + 2 * pcm.length)
  const view = new DataView(out.buffer)
  const tag = (at: number, text: string): void => {
    for (let i = 0; i < 4; i++) out[at + i] = text.charCodeAt(i)
  }
  tag(0, 'RIFF')
  view.setUint32(4, out.length - 8, true)
  tag(8, 'WAVE')
  tag(12, 'fmt ')
  view.setUint32(16, 16, true)
  view.setUint16(20, PCM, true)
  view.setUint16(22, 1, true)
  view.setUint32(24, rate, true)
  view.setUint32(28, rate * 2, true)
  view.setUint16(32, 2, true)
  view.setUint16(34, 16, true)
  tag(36, 'data')
  view.setUint32(40, 2 * pcm.length, true)
  for (let i = 0; i < pcm.length; i++) view.setInt16(44 + 2 * i, pcm[i]!, true)
  return out
}

interface Format {
  readonly channels: number
  readonly rate: number
}

/** Accepts a `data` chunk whose length is wrong or zero, as writers leave it that were stopped. */
export function parseWav(octets: Uint8Array): Result<Wav> {
  if (octets.length < 12 || octets.length > MAX_OCTETS) return err('AUDIO_WAV_INVALID', 'size')
  const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength)
  const tag = (at: number): string => String.fromCharCode(...octets.subarray(at, at + 4))
  if (tag(0) !== 'RIFF' || tag(8) !== 'WAVE') return err('AUDIO_WAV_INVALID', 'no RIFF/WAVE header')
  let format: Format | undefined
  for (let at = 12; at + 8 <= octets.length;) {
    const name = tag(at)
    const length = view.getUint32(at + 4, true)
    const from = at + 8
    if (name === 'fmt ') {
      const got = parseFormat(view, from, length)
      if (!got.ok) return got
      format = got.value
    } else if (name === 'data') {
      if (format === undefined) return err('AUDIO_WAV_INVALID', 'data before fmt')
      const left = octets.length - from
      return ok({ rate: format.rate, pcm: samples(view, from, length === 0 || length > left ? left : length, format.channels) })
    }
    at = from + length + (length & 1)
  }
  return err('AUDIO_WAV_INVALID', 'no data chunk')
}

function parseFormat(view: DataView, at: number, length: number): Result<Format> {
  if (length < 16 || at + 16 > view.byteLength) return err('AUDIO_WAV_INVALID', 'fmt chunk too short')
  const extensible = view.getUint16(at, true) === EXTENSIBLE && length >= 26 && at + 26 <= view.byteLength
  const format = view.getUint16(extensible ? at + 24 : at, true)
  const channels = view.getUint16(at + 2, true)
  const rate = view.getUint32(at + 4, true)
  if (format !== PCM || view.getUint16(at + 14, true) !== 16) return err('AUDIO_WAV_INVALID', 'not PCM of 16 bits')
  if (channels < 1 || channels > 8) return err('AUDIO_WAV_INVALID', `${channels} channels`)
  if (rate < 8000 || rate > 96_000) return err('AUDIO_WAV_INVALID', `${rate} Hz`)
  return ok({ channels, rate })
}

function samples(view: DataView, at: number, length: number, channels: number): Int16Array {
  const out = new Int16Array(Math.floor(length / (2 * channels)))
  for (let i = 0; i < out.length; i++) {
    let sum = 0
    for (let c = 0; c < channels; c++) sum += view.getInt16(at + 2 * (i * channels + c), true)
    out[i] = Math.round(sum / channels)
  }
  return out
}

/** The content at 16 kHz, whatever its rate. */
export function speechOf(octets: Uint8Array): Result<Int16Array> {
  const wav = parseWav(octets)
  if (!wav.ok) return wav
  return ok(resample(wav.value.pcm, wav.value.rate, SAMPLE_RATE))
}
