/** Packets of encoded silence, for peers that must hear something all the time. */
import type { Filling } from './bridge-end.ts'

/** Longer than a stall of the network is: what comes late keeps its place. Short against any `rtp_timeout`. */
const AFTER_MS = 1000
const FRAME_MS = 20

/** Octets of 20 ms of G.711 or G.722. */
const OCTETS = 160

/** Frames of 20 ms that decode to silence again and again. */
const FRAMES: Readonly<Record<string, Uint8Array>> = {
  // ITU-T G.711: the smallest magnitude, even bits of A-law inverted.
  PCMU: new Uint8Array(OCTETS).fill(0xff),
  PCMA: new Uint8Array(OCTETS).fill(0xd5),
  // ITU-T G.722: both bands' smallest step, under which the step sizes shrink to nothing.
  G722: new Uint8Array(OCTETS).fill(0xfd),
  // GSM 06.10: all residual pulses at their middle, block amplitudes 0.
  GSM: Uint8Array.from([0xd8, 0x20, 0xa2, 0xe1, 0x5a, ...Array.from({ length: 4 }, () => [0x50, 0x00, 0x49, 0x24, 0x92, 0x49, 0x24]).flat()]),
  // RFC 6716 §3.1: CELT, full band, 20 ms, and a frame that says "silence" (§4.3).
  OPUS: Uint8Array.of(0xf8, 0xff, 0xfe),
}

/**
 * Silence in a codec, called as in rtpmap (RFC 4855), case aside. `comfortNoise`: the payload type of CN
 * (RFC 3389) where that was negotiated, for codecs that are not known here. Undefined: nothing can be said.
 */
export function silence(encoding: string, payloadType: number, comfortNoise?: number): Filling | undefined {
  const payload = FRAMES[encoding.toUpperCase()]
  if (payload !== undefined) return { payloadType, payload, ptimeMs: FRAME_MS, afterMs: AFTER_MS }
  // RFC 3389 §3: one octet, the level of the noise in -dBov.
  return comfortNoise === undefined ? undefined : { payloadType: comfortNoise, payload: Uint8Array.of(127), ptimeMs: FRAME_MS, afterMs: AFTER_MS }
}
