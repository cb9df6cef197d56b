/** The frames of all sealed calls of a vault, by their numbers. */
import type { Clock } from '../../base/ports.ts'
import type { CryptoPort } from '../../crypto/port.ts'
import type { ChainedKeys } from '../../protocol/frameseal/chained.ts'
import type { SealedCodec } from '../../protocol/frameseal/frame.ts'
import type { EpochKeys } from '../../protocol/frameseal/session.ts'
import type { Role } from '../../protocol/keyagreement/messages.ts'
import { encodeNews } from '../api/call-news.ts'
import type { Frame, FrameBatch } from '../api/frames.ts'
import { CallFrames } from './call-frames.ts'

export type CallFrameCommand =
  /** A sealed call: frames pass through it, sealed once it has keys. */
  | { readonly op: 'call.begin'; readonly session: number; readonly codec: SealedCodec; readonly inBand: boolean }
  /** A message for the other side, in control frames. */
  | { readonly op: 'call.say'; readonly session: number; readonly message: Uint8Array }
  | { readonly op: 'call.keys'; readonly session: number; readonly epoch: number; readonly keys: EpochKeys }
  /** The published cascade in place of epochs. */
  | { readonly op: 'call.chained'; readonly session: number; readonly keys: ChainedKeys; readonly role: Role }

const EMPTY = new Uint8Array(0)

export class CallEngine {
  readonly #crypto: CryptoPort
  readonly #clock: Clock
  readonly #frames: number | undefined
  readonly #calls = new Map<number, CallFrames>()

  /** `frames`: under one key; tests shrink it. */
  constructor(crypto: CryptoPort, clock: Clock, frames?: number) {
    this.#frames = frames
    this.#crypto = crypto
    this.#clock = clock
  }

  /** False: it is for no call of ours. */
  command(c: { readonly op: string; readonly session: number } | CallFrameCommand): boolean {
    const command = c as CallFrameCommand | { readonly op: 'end'; readonly session: number }
    if (command.op === 'call.begin') {
      this.#calls.set(command.session, new CallFrames(this.#crypto, this.#frames === undefined ? command : { ...command, frames: this.#frames }))
      return true
    }
    const call = this.#calls.get(command.session)
    if (call === undefined) return false
    if (command.op === 'call.say') call.say(command.message)
    // Not taken: eight changes within two seconds, of the other side's making. What it seals under them does not open, and the call is lost.
    else if (command.op === 'call.keys') void call.keys(command.epoch, command.keys, this.#clock.now())
    else if (command.op === 'call.chained') call.chained(command.keys, command.role, this.#clock.now())
    else if (command.op === 'end') this.#end(command.session, call)
    return true
  }

  /** Undefined: the batch is of no call. */
  run(batch: FrameBatch): FrameBatch | undefined {
    const call = this.#calls.get(batch.session)
    return call && { ...batch, frames: batch.frames.map((f) => (batch.op === 'seal' ? this.#seal(call, f) : this.#open(call, f))) }
  }
  #seal(call: CallFrames, { ssrc, timestamp, data }: Frame): Frame {
    const sealed = call.seal(data, this.#clock.now())
    return typeof sealed === 'string' ? { ssrc, timestamp, data: EMPTY, fault: sealed } : { ssrc, timestamp, data: sealed }
  }
  #open(call: CallFrames, { ssrc, timestamp, data }: Frame): Frame {
    const { voice = EMPTY, fault, news } = call.open(data, this.#clock.now(), timestamp)
    return { ssrc, timestamp, data: voice, ...(fault === undefined ? {} : { fault }), ...(news.length === 0 ? {} : { news: encodeNews(news) }) }
  }

  /** Wipes all keys. */
  end(): void {
    for (const [id, call] of [...this.#calls]) this.#end(id, call)
  }
  #end(id: number, call: CallFrames): void {
    call[Symbol.dispose]()
    this.#calls.delete(id)
  }
}
