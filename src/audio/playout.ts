/** From the opened frames of one sender to 20 ms of PCM per tick: jitter buffer, decoder, concealment, clock skew. */
import type { FrameCodec } from './codec.ts'
import { FRAME_SAMPLES, SAMPLE_RATE } from './codec.ts'
import { Concealer } from './concealment.ts'
import type { JitterStats } from './jitter-buffer.ts'
import { JitterBuffer } from './jitter-buffer.ts'
import { SpeedQueue } from './resampler.ts'

/** −dBov; a frame at or below this level can be left out, repeated or not decoded without being noticed. */
export const QUIET_LEVEL = 55
/** Not worth decoding. */
const INAUDIBLE_LEVEL = 85

interface Voice {
  readonly level: number
  readonly frame: Uint8Array
}

export interface PlayoutStats extends JitterStats {
  readonly played: number
  /** Payloads that the decoder refused. */
  readonly invalid: number
}

export class SenderPlayout implements Disposable {
  readonly #codec: FrameCodec
  readonly #jitter: JitterBuffer<Voice>
  readonly #concealer = new Concealer()
  readonly #queue = new SpeedQueue(4 * FRAME_SAMPLES)
  readonly #made = new Int16Array(FRAME_SAMPLES)
  #played = 0
  #invalid = 0
  #audible = false
  /** Of the newest frame, −dBov. */
  level = 127

  constructor(codec: FrameCodec) {
    this.#codec = codec
    this.#jitter = new JitterBuffer<Voice>(codec.clockRate / 50)
  }

  get stats(): PlayoutStats {
    return { ...this.#jitter.stats, played: this.#played, invalid: this.#invalid }
  }

  /** `level` as sealed beside the frame, −dBov (RFC 6464 §3). */
  push(timestamp: number, level: number, frame: Uint8Array, arrivalMs: number): void {
    this.level = level
    this.#jitter.push(timestamp, { level, frame }, arrivalMs, level >= QUIET_LEVEL)
  }

  /** Once per 20 ms. Fills `out` (320 samples); false: silence, `out` is zeros. */
  pull(nowMs: number, out: Int16Array): boolean {
    // What is left in the queue from the last tick is heard in this one.
    let heard = this.#audible
    while (this.#queue.length < this.#queue.needed(FRAME_SAMPLES, this.#jitter.speed)) {
      this.#audible = this.#fetch(nowMs, (this.#queue.length * 1000) / SAMPLE_RATE)
      heard ||= this.#audible
    }
    this.#queue.read(out, this.#jitter.speed)
    return heard
  }

  /** One more frame into the queue; false: it is silence. */
  #fetch(nowMs: number, queuedMs: number): boolean {
    const next = this.#jitter.pull(nowMs, queuedMs)
    if (next.kind === 'frame') {
      if (next.skipped) this.#concealer.bridge()
      const pcm = this.#decode(next.data)
      if (pcm !== undefined) {
        this.#concealer.good(pcm)
        this.#queue.write(pcm)
        this.#played++
        return next.data.level < INAUDIBLE_LEVEL
      }
    }
    if (this.#concealer.silent || (next.kind === 'empty' && this.#played === 0)) {
      this.#queue.write(this.#made.fill(0))
      return false
    }
    this.#concealer.lost(this.#made)
    this.#queue.write(this.#made)
    return true
  }

  /** Exactly 20 ms, or undefined. */
  #decode(voice: Voice): Int16Array | undefined {
    if (voice.level >= INAUDIBLE_LEVEL) return new Int16Array(FRAME_SAMPLES)
    const pcm = this.#codec.decode(voice.frame)
    if (pcm?.length === FRAME_SAMPLES) return pcm
    this.#invalid++
    return undefined
  }

  [Symbol.dispose](): void {
    this.#codec[Symbol.dispose]()
  }
}
