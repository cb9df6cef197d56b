/** The keys of one call as the control part keeps them: an agreement, and another for each change of keys. */
import type { Instant } from '../../base/brand.ts'
import { type Fault, makeFault } from '../../base/result.ts'
import { AgreementMachine, type AgreementIn, type AgreementOptions } from '../../protocol/keyagreement/machine.ts'
import type { CallProgress, SessionId } from '../api/calls.ts'
import type { FrameCommand } from './frame-commands.ts'

/** First octet of what is no message of the agreement: hold (1), mute (2). */
const STATE = 16

export interface CallSessionOptions extends AgreementOptions {
  readonly frames: (c: FrameCommand) => void
}

export class CallSession {
  readonly id: SessionId
  readonly #o: CallSessionOptions
  #machine: AgreementMachine
  #epoch = -1
  /** Of the peer whose keys these are: another one needs another call. */
  #peerKey: string | undefined

  constructor(id: SessionId, options: CallSessionOptions) {
    this.id = id
    this.#o = options
    this.#machine = new AgreementMachine(options)
    options.frames({ op: 'call.begin', session: id, codec: options.offers.codec, inBand: options.offers.carrier === 'in-band' })
  }

  start(now: Instant): CallProgress {
    return this.#step({ kind: 'start' }, now)
  }
  tick(now: Instant): CallProgress {
    return this.#step({ kind: 'tick' }, now)
  }
  /** New keys in place of those in use; agreed on under them. */
  rekey(now: Instant): CallProgress {
    if (this.#machine.phase !== 'confirmed') return { send: [], refused: [] }
    this.#machine = new AgreementMachine(this.#o)
    return this.start(now)
  }
  /** `sealed`: it came in a frame under this call's keys. */
  message(bytes: Uint8Array, sealed: boolean, now: Instant): CallProgress {
    if (bytes[0] === STATE) return { send: [], refused: [], ...(sealed && bytes.length === 2 ? { state: { hold: (bytes[1]! & 1) !== 0, mute: (bytes[1]! & 2) !== 0 } } : {}) }
    if (this.#epoch >= 0 && this.#machine.phase === 'confirmed' && bytes[0] === 1 && sealed) this.#machine = new AgreementMachine(this.#o)
    // New keys come under the old ones, or not at all.
    else if (this.#epoch >= 0 && this.#machine.phase !== 'confirmed' && !sealed) return { send: [], refused: [makeFault('KEYAGREEMENT_UNEXPECTED', 'outside the sealed frames')] }
    return this.#step({ kind: 'message', bytes }, now)
  }
  say(hold: boolean, mute: boolean): void {
    if (this.#epoch >= 0) this.#o.frames({ op: 'call.say', session: this.id, message: Uint8Array.of(STATE, (hold ? 1 : 0) | (mute ? 2 : 0)) })
  }

  #step(input: AgreementIn, now: Instant): CallProgress {
    // What completes the first agreement goes the way that it came: the other side has no keys yet to open frames with.
    const inFrames = this.#o.offers.carrier === 'in-band' || this.#epoch >= 0
    const { out, wakeAt } = this.#machine.step(input, now)
    const send: Uint8Array[] = []
    const refused: Fault[] = []
    let progress: Partial<CallProgress> = {}
    for (const o of out) {
      if (o.kind === 'send') send.push(o.bytes)
      else if (o.kind === 'refused') refused.push(o.fault)
      // Of new keys nobody compares words: they were agreed on under those that were.
      else if (o.kind === 'short-string') progress = this.#epoch >= 0 ? progress : { ...progress, shortString: o.value }
      else if (o.kind === 'failed') progress = { ...progress, failed: o.fault }
      else progress = { ...progress, ...this.#confirmed(o, now) }
    }
    if (inFrames) for (const message of send) this.#o.frames({ op: 'call.say', session: this.id, message })
    return { send: inFrames ? [] : send, refused, ...progress, ...(wakeAt === undefined ? {} : { wakeInMs: Math.max(0, wakeAt - now) }) }
  }

  #confirmed(o: Extract<ReturnType<AgreementMachine['step']>['out'][number], { kind: 'confirmed' }>, _now: Instant): Partial<CallProgress> {
    o.schedule[Symbol.dispose]()
    const { identity, keyId } = o.peer
    if (this.#epoch >= 0 && keyId !== this.#peerKey) return { failed: makeFault('KEYAGREEMENT_IDENTITY', 'another one than before') }
    this.#peerKey = keyId
    this.#o.frames({ op: 'call.keys', session: this.id, epoch: ++this.#epoch, keys: { send: o.send, receive: o.receive } })
    return { confirmed: { epoch: this.#epoch, role: o.role, ...(identity === undefined ? {} : { identity }), ...(keyId === undefined ? {} : { keyId }) } }
  }

  end(): void {
    this.#machine[Symbol.dispose]()
    this.#o.frames({ op: 'end', session: this.id })
  }
}
