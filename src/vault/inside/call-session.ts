/** The keys of one call as the control part keeps them: an agreement over one of the carriers, and another for each change of keys. */
import type { Instant } from '../../base/brand.ts'
import { type Fault, makeFault, type Result } from '../../base/result.ts'
import { LegacyPairing } from '../../protocol/keyagreement/legacy.ts'
import { AgreementMachine, type AgreementIn, type AgreementOptions, type AgreementOut } from '../../protocol/keyagreement/machine.ts'
import { type Carrier, CARRIERS } from '../../protocol/keyagreement/messages.ts'
import { type Bucket, fullBucket, type Rate, take } from '../../protocol/room/bucket.ts'
import type { CallProgress, SessionId } from '../api/calls.ts'
import type { FrameCommand } from './frame-commands.ts'

/** First octet of what is no message of the agreement: hold (1), mute (2). */
const STATE = 16
const COMMIT = 1
const LEGACY = 8
/** Of one call, after the first: other carriers, and changes of keys, which the other side may begin as well. */
const AGREEMENTS: Rate = { burst: 8, perSecond: 0.2 }
/** What a carrier gets that has another behind it. */
const TRY_MS = 5000

export interface CallSessionOptions extends Omit<AgreementOptions, 'offers' | 'resend' | 'giveUpMs'> {
  readonly codec: AgreementOptions['offers']['codec']
  /** What may bring the messages, and whether we look for the other side in the sound. */
  readonly carriers: readonly Carrier[]
  /** The published cascade in place of all else. */
  readonly chained: boolean
  readonly frames: (c: FrameCommand) => void
  /** For each signature with the certificate's key after the first, which `call.begin` was for. Absent: none signs. */
  readonly pay?: (now: Instant) => Result<undefined>
}

type Out = AgreementOut | ReturnType<LegacyPairing['step']>['out'][number]
const rank = (c: Carrier): number => CARRIERS.indexOf(c)

export class CallSession {
  readonly id: SessionId
  readonly #o: CallSessionOptions
  #machine: AgreementMachine | LegacyPairing | undefined
  #carrier: Carrier = 'in-band'
  /** That lead to the other side, as far as is known. */
  readonly #ready = new Set<Carrier>()
  /** Beginnings of the other side over other carriers than ours. */
  readonly #turnedDown = new Map<Carrier, Uint8Array>()
  #wakeAt: Instant | undefined
  /** Undefined: none was begun. */
  #agreements: Bucket | undefined
  /** What was paid for has been signed. */
  #signed = false
  #epoch = -1
  /** Of the peer whose keys these are: another one needs another call. */
  #peerKey: string | undefined

  constructor(id: SessionId, options: CallSessionOptions) {
    this.id = id
    this.#o = options
    const { codec, carriers } = options
    // Two that meet at a server know each other by what they said in the sound.
    options.frames({ op: 'call.begin', session: id, codec, inBand: carriers.includes('in-band') || carriers.includes('server') })
  }

  /** The carrier leads to the other side. The first that does is used, a better one as long as nothing was answered. */
  start(carrier: Carrier, now: Instant): CallProgress {
    this.#ready.add(carrier)
    const waits = this.#machine === undefined || this.#machine.phase === 'idle' || (this.#machine.phase === 'committed' && rank(carrier) < rank(this.#carrier))
    if (!waits) return this.#quiet(now)
    const busy = this.#begin(carrier, now)
    if (busy === undefined) return this.#step({ kind: 'start' }, now, false)
    return this.#machine === undefined ? { ...this.#quiet(now), failed: busy } : this.#refuse(busy, now)
  }
  tick(now: Instant): CallProgress {
    return this.#machine === undefined ? this.#quiet(now) : this.#step({ kind: 'tick' }, now, this.#epoch >= 0 && this.#machine.phase !== 'confirmed')
  }
  /** New keys in place of those in use; agreed on under them. */
  rekey(now: Instant): CallProgress {
    if (!this.#rests || this.#o.chained) return this.#quiet(now)
    const busy = this.#begin(this.#carrier, now)
    // Those that stand go on; it is asked for again.
    return busy === undefined ? this.#step({ kind: 'start' }, now, true) : this.#refuse(busy, now)
  }
  /** Nothing is being agreed on, and there are keys: a change of them that failed can be begun anew. */
  get #rests(): boolean {
    const phase = this.#machine?.phase
    return phase === 'confirmed' || (phase === 'failed' && this.#epoch >= 0)
  }
  /** `sealed`: it came in a frame under this call's keys. */
  message(bytes: Uint8Array, sealed: boolean, carrier: Carrier, now: Instant): CallProgress {
    if (bytes[0] === STATE) return { ...this.#quiet(now), ...(sealed && bytes.length === 2 ? { state: { hold: (bytes[1]! & 1) !== 0, mute: (bytes[1]! & 2) !== 0 } } : {}) }
    // Whoever hears music on hold looks for who is there now, beside the keys that stand: nothing becomes of it, and it is no attack.
    if (this.#epoch >= 0 && !sealed && !this.#o.chained && bytes[0] === COMMIT) return this.#quiet(now)
    const confirmed = this.#machine?.phase === 'confirmed'
    // Two that are to meet at a server hear each other in the sound as well.
    if (this.#epoch < 0 && carrier === 'in-band' && !this.#o.carriers.includes(carrier)) return this.#unexpected('a carrier that is switched off', now)
    if (this.#epoch >= 0 && this.#rests && bytes[0] === COMMIT && sealed) {
      const busy = this.#begin(this.#carrier, now)
      if (busy !== undefined) return this.#refuse(busy, now)
    }
    // New keys come under the old ones, or not at all. Unsealed is only what completes the first agreement, repeated.
    else if (this.#epoch >= 0 && !confirmed && !sealed) return this.#unexpected('outside the sealed frames', now)
    else if (this.#epoch < 0 && (bytes[0] === COMMIT || bytes[0] === LEGACY)) {
      if (this.#yields(carrier)) {
        const busy = this.#begin(carrier, now)
        if (busy !== undefined) return this.#refuse(busy, now)
      } else if (carrier !== this.#carrier) {
        // For when ours leads nowhere: some carriers say it only once.
        this.#turnedDown.set(carrier, bytes)
        return this.#quiet(now)
      }
    } else if (!sealed && carrier !== this.#carrier) return this.#unexpected(`over ${carrier}`, now)
    return this.#machine === undefined ? this.#unexpected('nothing was begun', now) : this.#step({ kind: 'message', bytes }, now, sealed)
  }
  /** The other side begins over this carrier: is what we have given up for it? */
  #yields(carrier: Carrier): boolean {
    const phase = this.#machine?.phase
    if (phase === undefined || phase === 'idle') return true
    // Who has answered is told by whoever asks that it goes another way; who waits for an answer goes the better way.
    return carrier !== this.#carrier && (phase === 'responded' || (phase === 'committed' && rank(carrier) < rank(this.#carrier)))
  }
  say(hold: boolean, mute: boolean): void {
    if (this.#epoch >= 0 && !this.#o.chained) this.#o.frames({ op: 'call.say', session: this.id, message: Uint8Array.of(STATE, (hold ? 1 : 0) | (mute ? 2 : 0)) })
  }

  /** A fault when there were too many; nothing has changed then. */
  #begin(carrier: Carrier, now: Instant): Fault | undefined {
    const busy = this.#pay(now)
    if (busy !== undefined) return busy
    this.#machine?.[Symbol.dispose]()
    this.#carrier = carrier
    const { crypto, identity, judge, password, codec, carriers, chained } = this.#o
    // A server is only known to be one once both are there.
    const able = carriers.filter((c) => c !== 'server' || this.#ready.has(c) || carrier === c)
    // Under keys that stand the frames' own carrier brings all of it, and there is no other.
    const first = this.#epoch < 0
    const others = first && carrier !== 'in-band' && able.some((c) => c !== carrier)
    const way = { crypto, resend: first && carrier === 'message', ...(password === undefined ? {} : { password }), ...(others ? { giveUpMs: TRY_MS } : {}) }
    this.#machine = chained ? new LegacyPairing(way) : new AgreementMachine({ ...way, judge, ...(identity === undefined ? {} : { identity }), offers: { carrier, able, codec } })
    return undefined
  }
  #pay(now: Instant): Fault | undefined {
    if (this.#agreements === undefined) {
      this.#agreements = fullBucket(AGREEMENTS, now)
      return undefined
    }
    if (!take(this.#agreements, AGREEMENTS, now)) return makeFault('VAULT_BUSY', `more than ${AGREEMENTS.burst} changes of keys at once in a call`)
    // A beginning that came to no signature has cost nothing: the other side makes any number of those.
    if (!this.#signed) return undefined
    const paid = this.#o.pay?.(now)
    if (paid?.ok === false) return paid.fault
    this.#signed = false
    return undefined
  }

  /** `inFrames`: under the keys that stand. What completes the first agreement goes the way that the rest of it came: the other side has no keys yet to open frames with. */
  #step(input: AgreementIn, now: Instant, inFrames: boolean): CallProgress {
    const { out, wakeAt } = this.#machine!.step(input, now)
    this.#signed ||= this.#machine instanceof AgreementMachine && this.#machine.identified
    const send: Uint8Array[] = []
    const refused: Fault[] = []
    let progress: Partial<CallProgress> = {}
    for (const o of out as readonly Out[]) {
      if (o.kind === 'send') send.push(o.bytes)
      else if (o.kind === 'refused') refused.push(o.fault)
      // Of new keys nobody compares words: they were agreed on under those that were.
      else if (o.kind === 'short-string') progress = this.#epoch >= 0 ? progress : { ...progress, shortString: o.value }
      else if (o.kind === 'failed') progress = { ...progress, failed: o.fault }
      else if (o.kind === 'pretend') this.#o.frames({ op: 'call.keys', session: this.id, epoch: 0, keys: { send: o.send, receive: o.receive } })
      else if (o.kind === 'paired') {
        this.#epoch = 0
        this.#o.frames({ op: 'call.chained', session: this.id, keys: o.keys, role: o.role })
        progress = { ...progress, confirmed: { epoch: 0, role: o.role, profile: 'chained', carrier: this.#carrier, missed: [] } }
      } else progress = { ...progress, ...this.#confirmed(o) }
    }
    // One try of a password for each call: another carrier would be another one.
    const tried = this.#o.password !== undefined && this.#machine instanceof AgreementMachine && this.#machine.identified
    if (progress.failed?.code === 'KEYAGREEMENT_TIMEOUT' && this.#epoch < 0 && !inFrames && !tried) {
      const next = this.#nextCarrier()
      if (next !== undefined) return this.#instead(next, now, [...refused, makeFault('KEYAGREEMENT_TIMEOUT', `over ${this.#lost}`)])
    }
    const framed = inFrames || this.#carrier === 'in-band'
    if (framed) for (const message of send) this.#o.frames({ op: 'call.say', session: this.id, message })
    this.#wakeAt = wakeAt
    return { ...this.#quiet(now), send: framed ? [] : send, carrier: this.#carrier, refused, ...progress }
  }
  /** Nothing, and when to ask again. */
  #quiet(now: Instant): CallProgress {
    return { send: [], refused: [], ...(this.#wakeAt === undefined ? {} : { wakeInMs: Math.max(0, this.#wakeAt - now) }) }
  }
  #unexpected(what: string, now: Instant): CallProgress {
    return this.#refuse(makeFault('KEYAGREEMENT_UNEXPECTED', what), now)
  }
  #refuse(fault: Fault, now: Instant): CallProgress {
    return { ...this.#quiet(now), refused: [fault] }
  }

  #instead(next: Carrier, now: Instant, refused: readonly Fault[]): CallProgress {
    const begun = this.#turnedDown.get(next)
    const started = this.start(next, now)
    const answered = begun === undefined ? undefined : this.message(begun, false, next, now)
    return { ...started, ...answered, send: [...started.send, ...(answered?.send ?? [])], refused: [...refused, ...started.refused, ...(answered?.refused ?? [])] }
  }
  #lost: Carrier = 'in-band'
  /** The one that was used leads nowhere. */
  #nextCarrier(): Carrier | undefined {
    this.#lost = this.#carrier
    this.#ready.delete(this.#carrier)
    this.#machine = undefined
    return CARRIERS.find((c) => this.#ready.has(c))
  }

  #confirmed(o: Extract<AgreementOut, { kind: 'confirmed' }>): Partial<CallProgress> {
    o.schedule[Symbol.dispose]()
    const { identity, keyId, numbers } = o.peer
    if (this.#epoch >= 0 && keyId !== this.#peerKey) return { failed: makeFault('KEYAGREEMENT_IDENTITY', 'another one than before') }
    this.#peerKey = keyId
    this.#o.frames({ op: 'call.keys', session: this.id, epoch: ++this.#epoch, keys: { send: o.send, receive: o.receive } })
    // Both could have done better: somebody, or something, took it away.
    const missed = this.#epoch > 0 ? [] : this.#o.carriers.filter((c) => rank(c) < rank(this.#carrier) && o.able.includes(c))
    return { confirmed: { epoch: this.#epoch, role: o.role, profile: 'sealed', carrier: this.#carrier, missed, ...(identity === undefined ? {} : { identity }), ...(keyId === undefined ? {} : { keyId }), ...(numbers === undefined ? {} : { numbers }) } }
  }

  end(): void {
    this.#machine?.[Symbol.dispose]()
    this.#o.frames({ op: 'end', session: this.id })
  }
}
