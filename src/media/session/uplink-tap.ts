/**
 * What becomes of the user's own voice, for the echo room: the frames as every member decodes them once opened, and the
 * very octets that leave for the server, decoded as if they were frames of the room's codec.
 */
import { FRAME_SAMPLES, type FrameCodec } from '../../audio/codec.ts'

/** Ten seconds. */
const MOST_FRAMES = 500
/** Octets shown as they are. */
const SHOWN = 512

export class UplinkTap implements Disposable {
  readonly #frames: number
  readonly #opened: FrameCodec
  readonly #sealed: FrameCodec
  readonly #members: Int16Array
  readonly #server: Int16Array
  readonly #octets = new Uint8Array(SHOWN)
  #shown = 0
  #taken = 0

  constructor(makeCodec: () => FrameCodec, frames: number) {
    this.#frames = Math.max(1, Math.min(MOST_FRAMES, Math.trunc(frames)))
    this.#opened = makeCodec()
    this.#sealed = makeCodec()
    this.#members = new Int16Array(this.#frames * FRAME_SAMPLES)
    this.#server = new Int16Array(this.#frames * FRAME_SAMPLES)
  }
  get full(): boolean {
    return this.#taken === this.#frames
  }
  frame(opened: Uint8Array, sealed: Uint8Array): void {
    const at = this.#taken++ * FRAME_SAMPLES
    this.#members.set(asSound(this.#opened, opened), at)
    // The end of the sealed frame: ciphertext and tag; what stands before is the SFrame header.
    const cut = sealed.subarray(Math.max(0, sealed.length - opened.length))
    this.#server.set(asSound(this.#sealed, cut), at)
    const shown = sealed.subarray(0, SHOWN - this.#shown)
    this.#octets.set(shown, this.#shown)
    this.#shown += shown.length
  }
  take(): { readonly members: Int16Array; readonly server: Int16Array; readonly octets: Uint8Array } {
    this[Symbol.dispose]()
    return { members: this.#members, server: this.#server, octets: this.#octets.slice(0, this.#shown) }
  }
  [Symbol.dispose](): void {
    this.#opened[Symbol.dispose]()
    this.#sealed[Symbol.dispose]()
  }
}

/** One frame of 20 ms. Octets that the codec refuses (Opus often does) are heard as 8-bit samples instead. */
function asSound(codec: FrameCodec, octets: Uint8Array): Int16Array {
  const pcm = codec.decode(octets)
  return pcm?.length === FRAME_SAMPLES ? pcm : Int16Array.from({ length: FRAME_SAMPLES }, (_, i) => ((octets[Math.floor((i * octets.length) / FRAME_SAMPLES)] ?? 128) - 128) << 6)
}
