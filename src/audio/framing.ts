/** Between the packets of a phone (10–60 ms) and our frames of 20 ms. */
import type { FrameCodec } from './codec.ts'
import { FRAME_SAMPLES, SAMPLE_RATE } from './codec.ts'

/** Signed difference of two RTP timestamps, modulo 2^32. */
export const timestampDifference = (a: number, b: number): number => (a - b) | 0

/** The packet time that we use when a phone asks for `wantedMs`: 10, 20, 30, 40, 60 (Opus has no 30). */
export function packetTime(codec: FrameCodec, wantedMs: number): number {
  const allowed = codec.name === 'opus' ? [60, 40, 20] : [60, 40, 30, 20]
  return allowed.find((ms) => ms <= wantedMs) ?? 10
}

export interface Payload {
  readonly timestamp: number
  readonly payload: Uint8Array
}

/** 20 ms frames to payloads of one packet time, with timestamps that follow each other. */
export class Packetizer {
  readonly #codec: FrameCodec
  readonly #samples: number
  readonly #pcm: Int16Array
  #filled = 0
  #timestamp: number

  /** `timestamp`: of the first sample, in units of the codec's RTP clock. */
  constructor(codec: FrameCodec, ptimeMs: number, timestamp: number) {
    this.#codec = codec
    this.#samples = (packetTime(codec, ptimeMs) * SAMPLE_RATE) / 1000
    this.#pcm = new Int16Array(this.#samples)
    this.#timestamp = timestamp >>> 0
  }

  /** Of the next payload. */
  get timestamp(): number {
    return this.#timestamp
  }
  /** Takes 20 ms; gives none, one or two payloads. */
  push(pcm: Int16Array): readonly Payload[] {
    const out: Payload[] = []
    for (let at = 0; at < pcm.length;) {
      const take = Math.min(this.#samples - this.#filled, pcm.length - at)
      this.#pcm.set(pcm.subarray(at, at + take), this.#filled)
      this.#filled += take
      at += take
      if (this.#filled < this.#samples) continue
      this.#filled = 0
      out.push({ timestamp: this.#timestamp, payload: this.#codec.encode(this.#pcm) })
      this.#advance(this.#samples)
    }
    return out
  }

  /** Time that passes unsent: the next payload's timestamp moves on. */
  skip(frames: number): void {
    this.#advance(frames * FRAME_SAMPLES)
  }

  #advance(samples: number): void {
    this.#timestamp = (this.#timestamp + (samples * this.#codec.clockRate) / SAMPLE_RATE) >>> 0
  }
}

export interface Unpacked {
  readonly pcm: Int16Array
  /** Samples between the previous packet and this one that never came; 0 after a pause of the sender. */
  readonly missing: number
}

/** Longer gaps are a pause of the phone (mute, DTX), not loss. */
const LONGEST_LOSS_MS = 200
/** A step back by more than this is a stream that began anew. */
const RESTART_MS = 2000

/** Payloads of one RTP stream, in the order of arrival, to PCM. Late and repeated ones give undefined, so do undecodable ones. */
export class Depacketizer {
  readonly #codec: FrameCodec
  #expected: number | undefined
  /** Since the start. */
  readonly stats = { received: 0, late: 0, invalid: 0, missing: 0 }

  constructor(codec: FrameCodec) {
    this.#codec = codec
  }

  push(timestamp: number, payload: Uint8Array): Unpacked | undefined {
    const perMs = this.#codec.clockRate / 1000
    const ahead = this.#expected === undefined ? 0 : timestampDifference(timestamp, this.#expected)
    if (ahead < 0 && ahead > -RESTART_MS * perMs) {
      this.stats.late++
      return undefined
    }
    const pcm = this.#codec.decode(payload)
    if (pcm === undefined) {
      this.stats.invalid++
      return undefined
    }
    const samplesPerUnit = SAMPLE_RATE / this.#codec.clockRate
    const lost = ahead > 0 && ahead <= LONGEST_LOSS_MS * perMs
    const missing = lost ? Math.round(ahead * samplesPerUnit) : 0
    this.#expected = (timestamp + pcm.length / samplesPerUnit) >>> 0
    this.stats.received++
    this.stats.missing += missing
    return { pcm, missing }
  }
}
