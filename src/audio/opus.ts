/**
 * Opus (RFC 6716) by libopus, compiled to WebAssembly and embedded in the package: nothing is
 * downloaded. The package's own functions are asynchronous for each encoder and decoder; a stream
 * must be opened within a tick, so we load its WASM module once and call libopus directly.
 */
import type { Result } from '../base/result.ts'
import { err, ok } from '../base/result.ts'
import type { FrameCodec } from './codec.ts'
import { clockRates, MAX_PACKET_MS, SAMPLE_RATE } from './codec.ts'

/** Room frames: 32 kbit/s, so 80 octets per 20 ms, always. */
const BITRATE = 32_000
const MAX_PACKET = 1500
const MAX_SAMPLES = (MAX_PACKET_MS * SAMPLE_RATE) / 1000
/** Samples of one frame that we make, the longest first: 20, 10, 5, 2.5 ms. */
const FRAMES = [320, 160, 80, 40]
/** Of one packet that libopus makes itself. */
const WHOLE = [960, 640, ...FRAMES]

/** Controls and values of opus_defines.h. */
/** CELT alone: 2.5 ms of delay instead of 6.5, and a tenth of the time of SILK, at this rate as good. */
const APPLICATION_RESTRICTED_LOW_DELAY = 2051
const SETTINGS: ReadonlyArray<readonly [request: number, value: number]> = [
  [4002, BITRATE],
  [4006, 0], // hard CBR: size tells nothing about speech
  [4016, 0], // no DTX
  [4012, 0], // no in-band FEC
  [4014, 0], // expected loss, per cent
  [4024, 3001], // signal: voice
  [4010, 3], // complexity: beyond 3 the gain at this rate is small, the time is not
]

/** The part of the compiled module that we call; pointers are byte offsets into its memory. */
interface LibopusModule {
  readonly HEAPU8: Uint8Array
  readonly HEAP16: Int16Array
  readonly HEAP32: Int32Array
  _malloc(octets: number): number
  _free(pointer: number): void
  _oc_create_encoder(rate: number, channels: number, application: number, error: number): number
  _oc_destroy_encoder(encoder: number): void
  _oc_encoder_ctl(encoder: number, request: number, value: number): number
  _oc_encode(encoder: number, pcm: number, samples: number, packet: number, capacity: number): number
  _oc_create_decoder(rate: number, channels: number, error: number): number
  _oc_destroy_decoder(decoder: number): void
  _oc_decode(decoder: number, packet: number, length: number, pcm: number, capacity: number, fec: number): number
}

export interface OpusLibrary {
  /** A new stream: encoder in hard CBR of 32 kbit/s, decoder for any Opus packet, mono or stereo. Dispose it to free its memory. */
  codec(): FrameCodec
}

let loading: Promise<Result<OpusLibrary>> | undefined

/** Loads the library once per thread. After that everything is synchronous. */
export function loadOpus(): Promise<Result<OpusLibrary>> {
  loading ??= load()
  return loading
}

async function load(): Promise<Result<OpusLibrary>> {
  try {
    const url = new URL('./generated/libopus.generated.mjs', import.meta.resolve('libopus-wasm'))
    const { default: create } = (await import(url.href)) as { default: () => Promise<LibopusModule> }
    const lib = await create()
    new OpusCodec(lib)[Symbol.dispose]()
    return ok({ codec: () => new OpusCodec(lib) })
  } catch (e) {
    return err('AUDIO_OPUS_UNAVAILABLE', e instanceof Error ? e.message : String(e))
  }
}

class OpusCodec implements FrameCodec {
  readonly name = 'opus'
  readonly clockRate = clockRates.opus
  readonly #lib: LibopusModule
  readonly #encoder: number
  readonly #decoder: number
  /** Scratch in the module's memory: samples, then the packet. */
  readonly #pcm: number
  readonly #packet: number
  #live = true

  constructor(lib: LibopusModule) {
    this.#lib = lib
    this.#pcm = lib._malloc(2 * MAX_SAMPLES)
    this.#packet = lib._malloc(MAX_PACKET)
    // libopus writes its error where we shall put packets.
    this.#encoder = lib._oc_create_encoder(SAMPLE_RATE, 1, APPLICATION_RESTRICTED_LOW_DELAY, this.#packet)
    this.#decoder = lib._oc_create_decoder(SAMPLE_RATE, 1, this.#packet)
    if (this.#pcm === 0 || this.#packet === 0 || this.#encoder === 0 || this.#decoder === 0) throw new Error('libopus has no memory left')
    for (const [request, value] of SETTINGS) {
      const code = lib._oc_encoder_ctl(this.#encoder, request, value)
      if (code < 0) throw new Error(`libopus refuses control ${request} (${code})`)
    }
  }

  encode(pcm: Int16Array): Uint8Array {
    if (!this.#live) throw new Error('Opus codec used after disposal')
    return WHOLE.includes(pcm.length) ? this.#frame(pcm) : this.#packed(pcm)
  }
  /** Packets of other lengths have several frames, all of one size (RFC 6716 §3.2.5, code 3, no padding). */
  #packed(pcm: Int16Array): Uint8Array {
    const unit = FRAMES.find((f) => pcm.length % f === 0)
    if (unit === undefined || pcm.length === 0 || pcm.length > MAX_SAMPLES) throw new Error(`Opus has no packet of ${pcm.length} samples`)
    const frames = Array.from({ length: pcm.length / unit }, (_, i) => this.#frame(pcm.subarray(i * unit, (i + 1) * unit)))
    const octets = frames[0]!.length - 1
    const packet = new Uint8Array(2 + frames.length * octets)
    packet[0] = frames[0]![0]! | 3
    packet[1] = frames.length
    for (const [i, frame] of frames.entries()) packet.set(frame.subarray(1), 2 + i * octets)
    return packet
  }
  #frame(pcm: Int16Array): Uint8Array {
    const lib = this.#lib
    lib.HEAP16.set(pcm, this.#pcm >> 1)
    const length = lib._oc_encode(this.#encoder, this.#pcm, pcm.length, this.#packet, MAX_PACKET)
    if (length < 0) throw new Error(`libopus does not encode ${pcm.length} samples (${length})`)
    return lib.HEAPU8.slice(this.#packet, this.#packet + length)
  }

  decode(payload: Uint8Array): Int16Array | undefined {
    if (!this.#live) throw new Error('Opus codec used after disposal')
    // An empty packet would mean "conceal" to libopus.
    if (payload.length === 0 || payload.length > MAX_PACKET) return undefined
    const lib = this.#lib
    lib.HEAPU8.set(payload, this.#packet)
    const samples = lib._oc_decode(this.#decoder, this.#packet, payload.length, this.#pcm, MAX_SAMPLES, 0)
    if (samples <= 0) return undefined
    return lib.HEAP16.slice(this.#pcm >> 1, (this.#pcm >> 1) + samples)
  }

  [Symbol.dispose](): void {
    if (!this.#live) return
    this.#live = false
    this.#lib._oc_destroy_encoder(this.#encoder)
    this.#lib._oc_destroy_decoder(this.#decoder)
    this.#lib._free(this.#pcm)
    this.#lib._free(this.#packet)
  }
}
