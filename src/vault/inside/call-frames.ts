/**
 * The frames of one sealed call: what goes out in place of each codec frame, and what of each that came in may be played. Before there are
 * keys frames pass as they are, with the in-band carrier's few bits where there is one; once there are, nothing leaves unsealed and nothing
 * unsealed is opened, and no call of the host changes that back.
 */
import type { Instant } from '../../base/brand.ts'
import type { FaultCode } from '../../base/faults/index.ts'
import type { Result } from '../../base/result.ts'
import type { CryptoPort } from '../../crypto/port.ts'
import { capacity, fits, type SealedCodec } from '../../protocol/frameseal/frame.ts'
import { type ChainedKeys, ChainedSession } from '../../protocol/frameseal/chained.ts'
import { type EpochKeys, FrameSession } from '../../protocol/frameseal/session.ts'
import { InBandCarrier } from '../../protocol/keyagreement/in-band/carrier.ts'
import { Lane, type LaneMessage } from '../../protocol/keyagreement/in-band/lane.ts'
import { UNIT } from '../../protocol/keyagreement/in-band/low-bits.ts'
import type { Role } from '../../protocol/keyagreement/messages.ts'
import type { CallNews } from '../api/call-news.ts'

/** What the other side said before it had the keys may be on its way. */
const CARRIER_STAYS_MS = 5000
const LOW = 2 ** 20
/** New keys are asked for again when nothing came of it: longer than an agreement tries. */
const LOW_AGAIN_MS = 25_000
/** Profile `chained`: the other side may not have the keys yet, and what it says would come out as noise. */
const CHAIN_BEGINS_MS = 500

export interface OpenedFrame {
  /** To be played; absent where nothing is. */
  readonly voice?: Uint8Array
  readonly fault?: FaultCode
  readonly news: readonly CallNews[]
}

export interface CallFramesOptions {
  readonly codec: SealedCodec
  /** Looks for the other side in the sound itself. */
  readonly inBand: boolean
  /** Frames under one key; tests shrink it. */
  readonly frames?: number
}

export class CallFrames implements Disposable {
  readonly #crypto: CryptoPort
  readonly #lane = new Lane(capacity(UNIT))
  readonly #session: FrameSession
  readonly #low: number
  #carrier: InBandCarrier | undefined
  #carrierUntil = Number.POSITIVE_INFINITY
  #keyed = false
  #chain: { readonly session: ChainedSession; readonly since: Instant; next: number | undefined } | undefined
  #heard = false
  /** The newest epoch, while the other side may not have it. */
  #coming: number | undefined
  #lowAt = Number.NEGATIVE_INFINITY
  #told: { path: CallNews & { kind: 'path' }; ready: boolean; meeting: boolean } = { path: { kind: 'path', path: 'unknown' }, ready: false, meeting: false }

  constructor(crypto: CryptoPort, { codec, inBand, frames }: CallFramesOptions) {
    this.#crypto = crypto
    this.#session = new FrameSession(crypto, { codec, ...(frames === undefined ? {} : { frames }) })
    this.#low = Math.min(LOW, (frames ?? 2 ** 28) / 4)
    this.#carrier = inBand ? new InBandCarrier(crypto, codec, this.#lane) : undefined
  }

  /** A message of the agreement, in control frames. False: too much waits. */
  say(message: Uint8Array): boolean {
    return this.#lane.push(message)
  }

  /** Both directions from now on; of a later epoch the sending side waits until the other side has it. What is not taken is wiped, and the keys of before stay. */
  keys(epoch: number, keys: EpochKeys, now: Instant): Result<void> {
    const added = this.#session.addEpoch(epoch, keys, now, !this.#keyed)
    if (!added.ok) {
      for (const { key, salt, mask } of [keys.send, keys.receive]) for (const secret of [key, salt, mask]) secret.fill(0)
      return added
    }
    if (this.#keyed) this.#coming = epoch
    this.#keyed = true
    return added
  }

  /** The published cascade: no epochs, no control frames of its own, nothing refused. */
  chained(keys: ChainedKeys, role: Role, now: Instant): void {
    this.#chain = { session: new ChainedSession(this.#crypto, keys, role), since: now, next: undefined }
    this.#carrierUntil = now + CARRIER_STAYS_MS
    this.#keyed = true
  }

  seal(frame: Uint8Array, now: Instant): Uint8Array | FaultCode {
    if (this.#chain !== undefined) return this.#carrier?.control(frame.length, now) ?? this.#chain.session.seal(frame)
    if (!this.#keyed) return this.#carrier === undefined ? frame : this.#carrier.outgoing(frame, now)
    if (!fits(frame.length)) return 'FRAMESEAL_LENGTH'
    // All that we said has arrived, the last word of the agreement among it.
    if (this.#coming !== undefined && this.#lane.idle) this.#goOver(now)
    const control = this.#heard ? this.#control(frame.length, now) : this.#carrier?.control(frame.length, now)
    if (control !== undefined) return control
    const sealed = this.#session.sealVoice(frame)
    return sealed.ok ? sealed.value : sealed.fault.code
  }
  #control(octets: number, now: Instant): Uint8Array | undefined {
    const said = this.#lane.next(now)
    const sealed = said && this.#session.sealControl(said, octets)
    return sealed?.ok === true ? sealed.value : undefined
  }
  #goOver(now: Instant): void {
    this.#session.sendUnder(this.#coming!, now)
    this.#coming = undefined
    this.#lowAt = Number.NEGATIVE_INFINITY
  }

  /** `timestamp`: RTP's, by which the profile `chained` knows what is missing. */
  open(frame: Uint8Array, now: Instant, timestamp = 0): OpenedFrame {
    if (this.#chain !== undefined) return this.#openChained(frame, now, timestamp)
    if (!this.#keyed) {
      if (this.#carrier === undefined) return { voice: frame, news: [] }
      const { voice, messages } = this.#carrier.incoming(frame, now)
      return { ...(voice === undefined ? {} : { voice }), news: [...messagesOf(messages), ...this.#changes()] }
    }
    const opened = this.#session.open(frame, now)
    if (opened.kind === 'refused') {
      const messages = this.#carrier?.openControl(frame, now)
      return messages === undefined ? { fault: opened.code, news: [] } : { news: messagesOf(messages) }
    }
    const news: CallNews[] = []
    if (!this.#heard) {
      this.#heard = true
      this.#lane.guard()
      this.#carrierUntil = now + CARRIER_STAYS_MS
      news.push({ kind: 'heard' })
    }
    if (this.#coming === opened.epoch) this.#goOver(now)
    if (now > this.#carrierUntil) this.#dropCarrier()
    // While the old keys still seal, one change of keys is enough.
    if (this.#session.left < this.#low && this.#coming === undefined && now >= this.#lowAt + LOW_AGAIN_MS) {
      this.#lowAt = now
      news.push({ kind: 'low' })
    }
    if (opened.kind === 'control') return { news: [...news, ...messagesOf(this.#lane.receive(opened.payload, true))] }
    return { voice: opened.frame, news }
  }

  /** A frame after a gap is noise, as its vector comes from the one that is missing; so is what was said before the other side had the keys. */
  #openChained(frame: Uint8Array, now: Instant, timestamp: number): OpenedFrame {
    const chain = this.#chain!
    if (now > this.#carrierUntil) this.#dropCarrier()
    const messages = this.#carrier?.openControl(frame, now)
    const follows = chain.next === timestamp
    chain.next = (timestamp + frame.length) >>> 0
    if (messages !== undefined) return { news: messagesOf(messages) }
    const voice = chain.session.open(frame)
    if (now - chain.since < CHAIN_BEGINS_MS || !follows) return { fault: 'FRAMESEAL_CHAIN', news: [] }
    return { voice, news: [] }
  }

  #changes(): CallNews[] {
    const carrier = this.#carrier!
    const news: CallNews[] = []
    if (carrier.path !== this.#told.path.path) news.push((this.#told.path = { kind: 'path', path: carrier.path }))
    const { meeting } = carrier
    if (meeting !== undefined && !this.#told.meeting) {
      this.#told.meeting = true
      news.push({ kind: 'meeting', token: meeting })
    }
    if (carrier.ready && !this.#told.ready) {
      this.#told.ready = true
      news.push({ kind: 'ready' })
    }
    return news
  }
  #dropCarrier(): void {
    this.#carrier?.[Symbol.dispose]()
    this.#carrier = undefined
  }

  [Symbol.dispose](): void {
    this.#dropCarrier()
    this.#session[Symbol.dispose]()
    this.#chain?.session[Symbol.dispose]()
  }
}

const messagesOf = (messages: readonly LaneMessage[]): CallNews[] => messages.map(({ bytes, sealed }) => ({ kind: 'message', sealed, bytes }))
