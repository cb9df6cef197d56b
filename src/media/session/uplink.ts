/**
 * What one member says, as frames for the vault: constant in size and rate, whether there is speech,
 * silence, mute or hold, so that nothing can be read from the packets.
 */
import type { FrameCodec } from '../../audio/codec.ts'
import { frameLevel } from '../../audio/levels.ts'
import type { Ssrc } from '../../base/brand.ts'
import { SteppedLevel } from '../../protocol/rtp/level-steps.ts'
import type { Frame } from '../../vault/api/frames.ts'

export class Uplink {
  readonly #ssrc: Ssrc
  readonly #codec: FrameCodec
  readonly #step: number
  #timestamp: number
  muted = false
  /** −dBov of the newest frame, as it goes out. */
  level = 127

  readonly #steps: SteppedLevel | undefined
  /** What the server of a `loudest` room is told with the newest frame; elsewhere nothing. */
  stepped: number | undefined

  /** `timestamp`: random, RFC 3550 §5.1. */
  constructor(ssrc: Ssrc, codec: FrameCodec, timestamp: number, loudest = false) {
    this.#steps = loudest ? new SteppedLevel() : undefined
    this.#ssrc = ssrc
    this.#codec = codec
    this.#step = codec.clockRate / 50
    this.#timestamp = timestamp >>> 0
  }
  /** One frame of 20 ms; changes `pcm` when muted. Plaintext: level (1) ‖ codec frame (PROTOCOL §3). */
  frame(pcm: Int16Array): Frame {
    if (this.muted) pcm.fill(0)
    this.level = frameLevel(pcm)
    this.stepped = this.#steps?.next(this.level)
    const coded = this.#codec.encode(pcm)
    const data = new Uint8Array(1 + coded.length)
    data[0] = this.level
    data.set(coded, 1)
    const timestamp = this.#timestamp
    this.skip(1)
    return { ssrc: this.#ssrc, timestamp, data }
  }
  /** Time that passed without a frame. */
  skip(frames: number): void {
    this.#timestamp = (this.#timestamp + frames * this.#step) >>> 0
  }
  [Symbol.dispose](): void {
    this.#codec[Symbol.dispose]()
  }
}
