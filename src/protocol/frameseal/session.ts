/**
 * The frames of one sealed call, both directions (profile `sealed`, docs/protocol/sealed-calls.md §3). Lives in the vault; its counters are
 * never stored and outlive hold, re-INVITE and changes of stream.
 */
import type { Instant } from '../../base/brand.ts'
import { instant } from '../../base/brand.ts'
import type { FaultCode } from '../../base/faults/index.ts'
import { ReplayWindow } from '../../base/replay-window.ts'
import { type Result, err, ok } from '../../base/result.ts'
import type { CryptoPort } from '../../crypto/port.ts'
import { COUNTER_BITS, capacity, type DirectionKeys, decodeHeader, EPOCHS, encodeHeader, fits, openFrame, type SealedCodec, sealFrame, unmask } from './frame.ts'
import { packedLength, packSeven, unpackSeven } from './seven-bits.ts'

/** Frames on their way when new keys come. */
const OLD_KEY_MS = 2000
const REPLAY_WINDOW = 256

export interface EpochKeys {
  readonly send: DirectionKeys
  readonly receive: DirectionKeys
}

export type Opened =
  | { readonly kind: 'voice'; readonly frame: Uint8Array; readonly counter: number; readonly epoch: number }
  | { readonly kind: 'control'; readonly payload: Uint8Array; readonly epoch: number }
  | { readonly kind: 'refused'; readonly code: FaultCode }

interface Epoch {
  readonly number: number
  readonly keys: EpochKeys
  readonly window: ReplayWindow
  /** Old keys open what is on its way, then they are gone. */
  until: number
}

export interface FrameSessionOptions {
  readonly codec: SealedCodec
  /** Frames under one key; tests shrink it. */
  readonly frames?: number
}

export class FrameSession implements Disposable {
  readonly #crypto: CryptoPort
  readonly #codec: SealedCodec
  readonly #limit: number
  #epochs: Epoch[] = []
  /** The newest epoch, under which all is sealed. */
  #sending: Epoch | undefined
  #counter = 0

  constructor(crypto: CryptoPort, options: FrameSessionOptions) {
    this.#crypto = crypto
    this.#codec = options.codec
    this.#limit = Math.min(options.frames ?? 2 ** COUNTER_BITS, 2 ** COUNTER_BITS)
  }

  /** Frames left under the key that seals now. */
  get left(): number {
    return this.#sending === undefined ? 0 : this.#limit - this.#counter
  }
  get epoch(): number | undefined {
    return this.#sending?.number
  }

  /** Both directions open under the new keys at once; sealing goes over with `send`, at once unless told to wait. */
  addEpoch(number: number, keys: EpochKeys, now: Instant, send = true): Result<void> {
    this.tick(now)
    const slot = number % EPOCHS
    if (this.#epochs.some((e) => e.number >= number || e.number % EPOCHS === slot)) return err('FRAMESEAL_EPOCH_REUSED', `${number}`)
    this.#epochs.push({ number, keys, window: new ReplayWindow(REPLAY_WINDOW), until: Number.POSITIVE_INFINITY })
    if (send) this.sendUnder(number, now)
    return ok(undefined)
  }

  /** The other side has the keys of this epoch. */
  sendUnder(number: number, now: Instant): void {
    const next = this.#epochs.find((e) => e.number === number)
    if (next === undefined || (this.#sending !== undefined && number <= this.#sending.number)) return
    for (const e of this.#epochs) if (e.number < number) e.until = Math.min(e.until, now + OLD_KEY_MS)
    this.#sending = next
    this.#counter = 0
  }

  /** A codec frame of 160 to 480 octets, a multiple of 8. As long again. */
  sealVoice(frame: Uint8Array): Result<Uint8Array> {
    if (!fits(frame.length)) return err('FRAMESEAL_LENGTH', `${frame.length} octets`)
    const packed = new Uint8Array(packedLength(frame.length))
    packSeven(frame, packed)
    return this.#seal(false, packed, frame.length)
  }

  /** In place of a voice frame of `octets`. */
  sealControl(payload: Uint8Array, octets: number): Result<Uint8Array> {
    if (!fits(octets) || payload.length > capacity(octets)) return err('FRAMESEAL_LENGTH', `${payload.length} in ${octets} octets`)
    return this.#seal(true, payload, octets)
  }

  #seal(control: boolean, payload: Uint8Array, octets: number): Result<Uint8Array> {
    const epoch = this.#sending
    if (epoch === undefined) return err('FRAMESEAL_NO_KEYS')
    if (this.#counter >= this.#limit) return err('FRAMESEAL_EXHAUSTED')
    const header = encodeHeader({ control, epoch: epoch.number % EPOCHS, counter: this.#counter++ })
    return ok(sealFrame(this.#crypto, this.#codec, epoch.keys.send, header, payload, octets))
  }

  /** State changes only for what is authentic. */
  open(frame: Uint8Array, now: Instant): Opened {
    this.tick(now)
    if (!fits(frame.length)) return refused('FRAMESEAL_LENGTH')
    for (const epoch of this.#epochs.toReversed()) {
      const unmasked = unmask(this.#crypto, epoch.keys.receive.mask, frame)
      const header = decodeHeader(unmasked)
      if (header.epoch !== epoch.number % EPOCHS) continue
      const payload = openFrame(this.#crypto, this.#codec, epoch.keys.receive, unmasked, frame)
      if (payload === undefined) continue
      const verdict = epoch.window.check(header.counter)
      if (verdict !== 'fresh') return refused(verdict === 'replayed' ? 'FRAMESEAL_REPLAYED' : 'FRAMESEAL_OLD')
      epoch.window.commit(header.counter)
      const { number } = epoch
      return header.control ? { kind: 'control', payload, epoch: number } : { kind: 'voice', frame: this.#unpack(payload, frame.length), counter: header.counter, epoch: number }
    }
    // The header being masked, an unknown epoch and a changed frame look the same.
    return refused('FRAMESEAL_FORGED')
  }

  #unpack(payload: Uint8Array, octets: number): Uint8Array {
    const out = new Uint8Array(octets)
    unpackSeven(payload, out, 0)
    return out
  }

  /** Ends what has to end. */
  tick(now: Instant): Instant | undefined {
    let next = Number.POSITIVE_INFINITY
    this.#epochs = this.#epochs.filter((e) => {
      if (e.until > now) {
        next = Math.min(next, e.until)
        return true
      }
      wipe(e.keys)
      return false
    })
    return next === Number.POSITIVE_INFINITY ? undefined : instant(next)
  }

  [Symbol.dispose](): void {
    for (const e of this.#epochs) wipe(e.keys)
    this.#epochs = []
    this.#sending = undefined
  }
}

function wipe({ send, receive }: EpochKeys): void {
  for (const k of [send, receive]) for (const secret of [k.key, k.salt, k.mask]) secret.fill(0)
}

const refused = (code: FaultCode): Opened => ({ kind: 'refused', code })
