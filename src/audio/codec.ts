/** What every voice codec is to the rest of stc. PCM is 16 kHz, mono, 16 bits: 320 samples per 20 ms. */
import { aLaw, decodeG711, encodeG711, muLaw } from './g711.ts'
import type { Law } from './g711.ts'
import { G722Decoder } from './g722/decoder.ts'
import { G722Encoder } from './g722/encoder.ts'
import { HalfBandDown, HalfBandUp } from './half-band.ts'

export const SAMPLE_RATE = 16_000
/** Samples of 20 ms. */
export const FRAME_SAMPLES = 320
export const FRAME_MS = 20

/** Packets of more than this are refused: 120 ms, the longest that Opus allows (RFC 6716 §3.2.5). */
export const MAX_PACKET_MS = 120

export type CodecName = 'g722' | 'pcmu' | 'pcma' | 'opus'

/** Encoder and decoder of one stream each way, with their memory. */
export interface FrameCodec extends Disposable {
  readonly name: CodecName
  /** RTP clock in Hz. G.722 says 8000 while it samples at 16 kHz (RFC 3551 §4.5.2). */
  readonly clockRate: number
  /** A multiple of 160 samples up to 120 ms; whatever `decode` has given, too. */
  encode(pcm: Int16Array): Uint8Array
  /** Undefined when the payload is not one of this codec. Never throws. */
  decode(payload: Uint8Array): Int16Array | undefined
}

export const clockRates: Readonly<Record<CodecName, number>> = { g722: 8000, pcmu: 8000, pcma: 8000, opus: 48_000 }

/** Octets per millisecond of the three codecs at 64 kbit/s. */
const OCTETS_PER_MS = 8
const plausible = (payload: Uint8Array): boolean => payload.length > 0 && payload.length <= MAX_PACKET_MS * OCTETS_PER_MS

export function g722Codec(): FrameCodec {
  const encoder = new G722Encoder()
  const decoder = new G722Decoder()
  return {
    name: 'g722',
    clockRate: clockRates.g722,
    encode(pcm) {
      const out = new Uint8Array(pcm.length >> 1)
      encoder.encode(pcm, out)
      return out
    },
    decode(payload) {
      if (!plausible(payload)) return undefined
      const out = new Int16Array(payload.length * 2)
      decoder.decode(payload, out)
      return out
    },
    [Symbol.dispose]() {},
  }
}

function g711Codec(name: 'pcmu' | 'pcma', law: Law): FrameCodec {
  const down = new HalfBandDown()
  const up = new HalfBandUp()
  return {
    name,
    clockRate: clockRates[name],
    encode(pcm) {
      const narrow = new Int16Array(pcm.length >> 1)
      down.process(pcm, narrow)
      const out = new Uint8Array(narrow.length)
      encodeG711(law, narrow, out)
      return out
    },
    decode(payload) {
      if (!plausible(payload)) return undefined
      const narrow = new Int16Array(payload.length)
      decodeG711(law, payload, narrow)
      const out = new Int16Array(payload.length * 2)
      up.process(narrow, out)
      return out
    },
    [Symbol.dispose]() {},
  }
}

export const pcmuCodec = (): FrameCodec => g711Codec('pcmu', muLaw)
export const pcmaCodec = (): FrameCodec => g711Codec('pcma', aLaw)
