/**
 * What is authenticated with each frame of a sealed conference but travels in the RTP header:
 * version (1) ‖ codec (1) ‖ SSRC (4) ‖ RTP timestamp (4). The server can change none of them.
 */
import type { Ssrc } from '../../base/brand.ts'
import { ByteWriter } from '../../base/bytes.ts'

export type FrameCodec = 'g722' | 'opus'

const VERSION = 1
const CODEC_NUMBER: Readonly<Record<FrameCodec, number>> = { g722: 1, opus: 2 }
/** Of RTP timestamps. G.722 says 8000 while it samples at 16 kHz (RFC 3551 §4.5.2). */
export const RTP_CLOCK_RATE: Readonly<Record<FrameCodec, number>> = { g722: 8000, opus: 48_000 }

export const frameMetadata = (codec: FrameCodec, ssrc: Ssrc, timestamp: number): Uint8Array =>
  new ByteWriter(10).u8(VERSION).u8(CODEC_NUMBER[codec]).u32(ssrc).u32(timestamp).finish()
