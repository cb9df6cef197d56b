/**
 * The key agreement of a sealed call (docs/protocol/sealed-calls.md §1): SIGMA with a commitment before it. Sans I/O, one machine per dialog and
 * fork, used once. Lives in the vault.
 */
import { type Instant, instant } from '../../base/brand.ts'
import { compareBytes, concat, sameBytes, utf8 } from '../../base/bytes.ts'
import type { FaultCode } from '../../base/faults/index.ts'
import type { Machine } from '../../base/machine.ts'
import { type Fault, makeFault } from '../../base/result.ts'
import { equalConstantTime } from '../../base/secret.ts'
import type { KeyPair } from '../../crypto/port.ts'
import { type IdentityOptions, openIdentity, type Peer, sealIdentity } from './identity.ts'
import { cpaceSecret, cpaceShare, type CpaceShare } from './cpace.ts'
import { commitment, Schedule, shortString, type ShortString, transcriptOf } from './keys.ts'
import { type Carrier, decodeMessage, encodeMessage, MAC, type Message, NONCE, type Offers, type Role } from './messages.ts'

export const VERSION = 1
const RESEND_MS = 500
const RESEND_MOST_MS = 4000
const GIVE_UP_MS = 20_000
/** Answers to repeated messages, all together: nobody makes us send more. */
const REPEATS = 32

export interface AgreementOptions extends IdentityOptions {
  readonly offers: Omit<Offers, 'versions'>
  /** Of the two people; absent: none, and the other side must have none either. */
  readonly password?: Uint8Array
  /** False where the carrier delivers everything by itself. */
  readonly resend?: boolean
  /** When nobody answers; where there is another carrier to try, earlier. */
  readonly giveUpMs?: number
}

export interface FrameKeys {
  readonly key: Uint8Array
  readonly salt: Uint8Array
  readonly mask: Uint8Array
}

export type AgreementIn = { readonly kind: 'start' } | { readonly kind: 'message'; readonly bytes: Uint8Array } | { readonly kind: 'tick' }
export type AgreementOut =
  | { readonly kind: 'send'; readonly bytes: Uint8Array }
  /** To be compared aloud where there is no certificate, or the other side's is not known yet. */
  | { readonly kind: 'short-string'; readonly value: ShortString }
  /** Both sides have the same keys and know it. `peer` says who it is, as far as a certificate does. */
  | { readonly kind: 'confirmed'; readonly role: Role; readonly send: FrameKeys; readonly receive: FrameKeys; readonly peer: Peer; readonly schedule: Schedule; readonly able: readonly Carrier[] }
  /** Another password: it failed, and whoever looks on is to see a call like any other. Keys that nobody has. */
  | { readonly kind: 'pretend'; readonly send: FrameKeys; readonly receive: FrameKeys }
  /** Something was not taken; the agreement goes on. */
  | { readonly kind: 'refused'; readonly fault: Fault }
  | { readonly kind: 'failed'; readonly fault: Fault }

type Phase = 'idle' | 'committed' | 'responded' | 'opened' | 'keyed' | 'authenticated' | 'confirmed' | 'pretending' | 'failed'
type MessageType = Message['type']

interface Own {
  readonly x25519: KeyPair
  readonly nonce: Uint8Array
  readonly kem?: KeyPair
  /** The encoded `open` of an initiator. */
  readonly open?: Uint8Array
  readonly pake: CpaceShare | undefined
}

const NONE = new Uint8Array(0)
const CHANNEL = utf8('stc sealed v1 password')

export class AgreementMachine implements Machine<AgreementIn, AgreementOut>, Disposable {
  readonly #o: AgreementOptions
  #phase: Phase = 'idle'
  #role: Role | undefined
  #own: Own | undefined
  /** The first four messages as they crossed. */
  readonly #script = new Map<MessageType, Uint8Array>()
  /** What was accepted from the other side, and what we sent for it. */
  readonly #accepted = new Map<MessageType, { readonly bytes: Uint8Array; readonly replies: readonly Uint8Array[] }>()
  #schedule: Schedule | undefined
  #transcript: Uint8Array | undefined
  #ownIdentity: Uint8Array | undefined
  #peerIdentity: Uint8Array | undefined
  #peer: Peer = {}
  #able: readonly Carrier[] = []
  /** Came before the identity that it confirms. */
  #earlyFinished: { readonly message: Extract<Message, { type: 'finished' }>; readonly bytes: Uint8Array } | undefined
  /** What is sent again until the next message comes. */
  #flight: readonly Uint8Array[] = []
  #resendAt = Number.POSITIVE_INFINITY
  #resendMs = RESEND_MS
  #giveUpAt = Number.POSITIVE_INFINITY
  #repeats = 0
  #now = instant(0)
  #out: AgreementOut[] = []

  constructor(options: AgreementOptions) {
    this.#o = options
  }

  get phase(): Phase {
    return this.#phase
  }
  /** Our identity has left, sealed: by it whoever answered can tell whether its password was right. */
  get identified(): boolean {
    return this.#ownIdentity !== undefined
  }
  /** Undefined before the roles are settled. */
  get role(): Role | undefined {
    return this.#role
  }

  step(input: AgreementIn, now: Instant): { readonly out: readonly AgreementOut[]; readonly wakeAt?: Instant } {
    this.#now = now
    this.#out = []
    if (this.#phase !== 'failed') {
      if (input.kind === 'start') this.#start()
      else if (input.kind === 'message') this.#message(input.bytes)
      this.#time()
    }
    const wakeAt = Math.min(this.#resendAt, this.#giveUpAt)
    return wakeAt === Number.POSITIVE_INFINITY ? { out: this.#out } : { out: this.#out, wakeAt: instant(wakeAt) }
  }

  #start(): void {
    if (this.#phase !== 'idle') return
    const { crypto } = this.#o
    const [x25519, kem, nonce] = [crypto.dhKeyPair('x25519'), crypto.kemKeyPair('ml-kem-768'), crypto.bytes(NONCE)]
    const pake = this.#pake()
    const open = encodeMessage({ type: 'open', x25519: x25519.publicKey, kem: kem.publicKey, nonce, offers: this.#offers, pake: pake?.share ?? NONE })
    const commit = encodeMessage({ type: 'commit', hash: commitment(crypto, open) })
    this.#own = { x25519, kem, nonce, open, pake }
    this.#role = 'initiator'
    this.#script.set('commit', commit)
    this.#phase = 'committed'
    this.#giveUpAt = this.#now + (this.#o.giveUpMs ?? GIVE_UP_MS)
    this.#send([commit])
  }
  /** Before anything is known of the other side; the codec is bound, all else is in the transcript. */
  #pake(): CpaceShare | undefined {
    const { crypto, password, offers } = this.#o
    return password === undefined ? undefined : cpaceShare(crypto, { password, channel: concat(CHANNEL, utf8(offers.codec)) })
  }
  get #offers(): Offers {
    return { versions: [VERSION], ...this.#o.offers }
  }

  #message(bytes: Uint8Array): void {
    const m = decodeMessage(bytes)
    if (m === undefined) return this.#refuse('KEYAGREEMENT_MALFORMED', `${bytes.length} octets of type ${bytes[0] ?? 0}`)
    const before = this.#accepted.get(m.type)
    if (before !== undefined) {
      if (!sameBytes(before.bytes, bytes)) return this.#refuse('KEYAGREEMENT_SECOND_MESSAGE', m.type)
      if (++this.#repeats <= REPEATS) for (const reply of before.replies) this.#out.push({ kind: 'send', bytes: reply })
      return
    }
    switch (m.type) {
      case 'commit': return this.#onCommit(m, bytes)
      case 'respond': return this.#onRespond(m, bytes)
      case 'open': return this.#onOpen(m, bytes)
      case 'encapsulated': return this.#onEncapsulated(m, bytes)
      case 'identity': return this.#onIdentity(m, bytes)
      case 'finished': return this.#onFinished(m, bytes)
      // Nobody signed it: it ends what has not begun, and no more.
      case 'legacy': return this.#refuse('KEYAGREEMENT_UNEXPECTED', 'the other side wants the profile `chained`')
      case 'abort': return this.#phase === 'confirmed' || this.#phase === 'pretending' ? this.#refuse('KEYAGREEMENT_UNEXPECTED', m.type) : this.#fail(makeFault('KEYAGREEMENT_ABORTED', m.code), false)
    }
  }

  #onCommit(m: Extract<Message, { type: 'commit' }>, bytes: Uint8Array): void {
    if (this.#phase === 'committed') {
      const order = compareBytes(m.hash, this.#script.get('commit')!.subarray(1))
      if (order === 0) return this.#refuse('KEYAGREEMENT_REFLECTED', 'commit')
      // Glare: the lower commitment initiates. The other side will see it the same way.
      if (order > 0) return
      this.#drop()
    } else if (this.#phase !== 'idle') return this.#refuse('KEYAGREEMENT_UNEXPECTED', 'commit')
    const { crypto } = this.#o
    const [x25519, nonce] = [crypto.dhKeyPair('x25519'), crypto.bytes(NONCE)]
    const pake = this.#pake()
    const respond = encodeMessage({ type: 'respond', x25519: x25519.publicKey, nonce, offers: this.#offers, pake: pake?.share ?? NONE })
    this.#own = { x25519, nonce, pake }
    this.#role = 'responder'
    this.#script.set('commit', bytes)
    this.#script.set('respond', respond)
    this.#phase = 'responded'
    this.#giveUpAt = Math.min(this.#giveUpAt, this.#now + (this.#o.giveUpMs ?? GIVE_UP_MS))
    this.#accept('commit', bytes, [respond])
    // The initiator repeats its commit when this is lost.
    this.#flight = []
    this.#resendAt = Number.POSITIVE_INFINITY
  }

  #onRespond(m: Extract<Message, { type: 'respond' }>, bytes: Uint8Array): void {
    if (this.#phase !== 'committed') return this.#refuse('KEYAGREEMENT_UNEXPECTED', m.type)
    if (!this.#fits(m)) return
    this.#script.set('respond', bytes)
    this.#script.set('open', this.#own!.open!)
    this.#phase = 'opened'
    this.#accept('respond', bytes, [this.#own!.open!])
    this.#short()
  }

  #onOpen(m: Extract<Message, { type: 'open' }>, bytes: Uint8Array): void {
    if (this.#phase !== 'responded') return this.#refuse('KEYAGREEMENT_UNEXPECTED', m.type)
    const { crypto } = this.#o
    if (!equalConstantTime(commitment(crypto, bytes), this.#script.get('commit')!.subarray(1))) return this.#fail(makeFault('KEYAGREEMENT_COMMITMENT'))
    if (!this.#fits(m)) return
    const sealed = crypto.kemEncapsulate('ml-kem-768', m.kem)
    if (sealed === undefined) return this.#fail(makeFault('KEYAGREEMENT_KEY', 'ML-KEM'))
    const encapsulated = encodeMessage({ type: 'encapsulated', ciphertext: sealed.ciphertext })
    this.#script.set('open', bytes)
    this.#script.set('encapsulated', encapsulated)
    const identity = this.#derive(m, sealed.shared)
    if (identity === undefined) return
    this.#accept('open', bytes, [encapsulated, identity])
    this.#short()
  }

  #onEncapsulated(m: Extract<Message, { type: 'encapsulated' }>, bytes: Uint8Array): void {
    if (this.#phase !== 'opened') return this.#refuse('KEYAGREEMENT_UNEXPECTED', m.type)
    const shared = this.#o.crypto.kemDecapsulate('ml-kem-768', this.#own!.kem!.privateKey, m.ciphertext)
    if (shared === undefined) return this.#fail(makeFault('KEYAGREEMENT_KEY', 'ML-KEM'))
    this.#script.set('encapsulated', bytes)
    const theirs = decodeMessage(this.#script.get('respond')!) as Extract<Message, { type: 'respond' }>
    const identity = this.#derive(theirs, shared)
    if (identity !== undefined) this.#accept('encapsulated', bytes, [identity])
  }

  /** Keys stand; our own identity, sealed, or undefined when it failed. */
  #derive(theirs: Extract<Message, { type: 'respond' | 'open' }>, kemShared: Uint8Array): Uint8Array | undefined {
    const { crypto } = this.#o
    const { pake } = this.#own!
    const dhShared = crypto.dh('x25519', this.#own!.x25519.privateKey, theirs.x25519)
    const pakeShared = pake === undefined ? NONE : cpaceSecret(crypto, pake, theirs.pake, this.#role === 'initiator')
    if (dhShared === undefined || pakeShared === undefined) {
      this.#fail(makeFault('KEYAGREEMENT_KEY', dhShared === undefined ? 'X25519' : 'CPace'))
      return undefined
    }
    this.#able = theirs.offers.able
    this.#transcript = transcriptOf(crypto, (['commit', 'respond', 'open', 'encapsulated'] as const).map((t) => this.#script.get(t)!))
    // Here, and in `finished`, is what binds the ciphertext that the short string leaves out.
    this.#schedule = new Schedule(crypto, this.#transcript, [dhShared, kemShared, pakeShared])
    dhShared.fill(0)
    pakeShared.fill(0)
    kemShared.fill(0)
    this.#wipeOwn()
    this.#phase = 'keyed'
    return (this.#ownIdentity = sealIdentity(this.#o, this.#schedule, this.#transcript, this.#role!))
  }

  #onIdentity(m: Extract<Message, { type: 'identity' }>, bytes: Uint8Array): void {
    if (this.#phase !== 'keyed') return this.#refuse('KEYAGREEMENT_UNEXPECTED', m.type)
    if (m.role === this.#role) return this.#refuse('KEYAGREEMENT_REFLECTED', m.type)
    const peer = openIdentity(this.#o, this.#schedule!, this.#transcript!, m)
    if (!peer.ok) return peer.fault.code === 'KEYAGREEMENT_CONFIRMATION' && this.#o.password !== undefined ? this.#pretend(bytes) : this.#fail(peer.fault)
    this.#peer = peer.value
    this.#peerIdentity = bytes
    this.#phase = 'authenticated'
    const role = this.#role!
    const finished = encodeMessage({ type: 'finished', role, mac: this.#schedule!.finishedMac(role, this.#transcript!, this.#bothIdentities()) })
    this.#accept('identity', bytes, [finished])
    // Our identity goes on being repeated: only `finished` says that it came.
    this.#flight = [this.#ownIdentity!]
    if (this.#earlyFinished !== undefined) this.#onFinished(this.#earlyFinished.message, this.#earlyFinished.bytes)
  }

  /** The other side has another password, or somebody tries one: on the way it looks like an agreement that went well. */
  #pretend(identity: Uint8Array): void {
    const { crypto } = this.#o
    this.#phase = 'pretending'
    this.#accept('identity', identity, [encodeMessage({ type: 'finished', role: this.#role!, mac: crypto.bytes(MAC) })])
    this.#flight = [this.#ownIdentity!]
    this.#out.push({ kind: 'failed', fault: makeFault('KEYAGREEMENT_PASSWORD', 'the two passwords differ') })
    this.#schedule?.[Symbol.dispose]()
    if (this.#earlyFinished !== undefined) this.#onFinished(this.#earlyFinished.message, this.#earlyFinished.bytes)
  }

  #onFinished(m: Extract<Message, { type: 'finished' }>, bytes: Uint8Array): void {
    if (m.role === this.#role) return this.#refuse('KEYAGREEMENT_REFLECTED', m.type)
    if (this.#phase === 'keyed') {
      this.#earlyFinished ??= { message: m, bytes }
      return
    }
    if (this.#phase === 'pretending') {
      const keys = (): FrameKeys => ({ key: this.#o.crypto.bytes(32), salt: this.#o.crypto.bytes(12), mask: this.#o.crypto.bytes(32) })
      this.#accept('finished', bytes, [])
      this.#rest()
      this.#out.push({ kind: 'pretend', send: keys(), receive: keys() })
      return
    }
    if (this.#phase !== 'authenticated') return this.#refuse('KEYAGREEMENT_UNEXPECTED', m.type)
    const schedule = this.#schedule!
    if (!equalConstantTime(m.mac, schedule.finishedMac(m.role, this.#transcript!, this.#bothIdentities()))) return this.#fail(makeFault('KEYAGREEMENT_CONFIRMATION', 'finished'))
    this.#accept('finished', bytes, [])
    this.#phase = 'confirmed'
    this.#rest()
    const role = this.#role!
    this.#out.push({
      kind: 'confirmed', role, send: schedule.frameKeys(role, 0), receive: schedule.frameKeys(m.role, 0), schedule, peer: this.#peer, able: this.#able,
    })
  }
  #rest(): void {
    this.#flight = []
    this.#resendAt = this.#giveUpAt = Number.POSITIVE_INFINITY
  }

  /** The initiator's first. */
  #bothIdentities(): Uint8Array {
    return this.#role === 'initiator' ? concat(this.#ownIdentity!, this.#peerIdentity!) : concat(this.#peerIdentity!, this.#ownIdentity!)
  }

  /** Reflections, versions, and whether both were told the same of the call. */
  #fits(m: Extract<Message, { type: 'respond' | 'open' }>): boolean {
    const { offers } = this.#o
    if (sameBytes(m.x25519, this.#own!.x25519.publicKey) || sameBytes(m.nonce, this.#own!.nonce)) this.#refuse('KEYAGREEMENT_REFLECTED', m.type)
    else if (!m.offers.versions.includes(VERSION)) this.#fail(makeFault('KEYAGREEMENT_VERSION', m.offers.versions.join(' ')))
    else if ((m.pake.length > 0) !== (this.#o.password !== undefined)) this.#fail(makeFault('KEYAGREEMENT_PASSWORD', this.#o.password === undefined ? 'the other side asks for one' : 'the other side has none'))
    else if (m.offers.codec !== offers.codec || m.offers.carrier !== offers.carrier) this.#fail(makeFault('KEYAGREEMENT_OFFERS', `${m.offers.codec} over ${m.offers.carrier}`))
    else return true
    return false
  }

  #short(): void {
    this.#out.push({ kind: 'short-string', value: shortString(this.#o.crypto, (['commit', 'respond', 'open'] as const).map((t) => this.#script.get(t)!)) })
  }

  #accept(type: MessageType, bytes: Uint8Array, replies: readonly Uint8Array[]): void {
    this.#accepted.set(type, { bytes: bytes.slice(), replies })
    if (replies.length > 0) this.#send(replies)
  }

  #send(messages: readonly Uint8Array[]): void {
    for (const bytes of messages) this.#out.push({ kind: 'send', bytes })
    this.#flight = messages
    this.#resendMs = RESEND_MS
    this.#resendAt = this.#o.resend === false ? Number.POSITIVE_INFINITY : this.#now + RESEND_MS
  }

  #time(): void {
    if (this.#giveUpAt <= this.#now) return this.#phase === 'pretending' ? this.#rest() : this.#fail(makeFault('KEYAGREEMENT_TIMEOUT', this.#phase))
    if (this.#resendAt > this.#now) return
    for (const bytes of this.#flight) this.#out.push({ kind: 'send', bytes })
    this.#resendMs = Math.min(2 * this.#resendMs, RESEND_MOST_MS)
    this.#resendAt = this.#flight.length === 0 ? Number.POSITIVE_INFINITY : this.#now + this.#resendMs
  }

  #refuse(code: FaultCode, detail?: string): void {
    this.#out.push({ kind: 'refused', fault: makeFault(code, detail) })
  }

  #fail(fault: Fault, tell = true): void {
    if (tell) this.#out.push({ kind: 'send', bytes: encodeMessage({ type: 'abort', code: fault.code }) })
    this.#out.push({ kind: 'failed', fault })
    this[Symbol.dispose]()
  }

  #drop(): void {
    this.#wipeOwn()
    this.#script.clear()
  }
  #wipeOwn(): void {
    this.#own?.x25519.privateKey.fill(0)
    this.#own?.kem?.privateKey.fill(0)
    this.#own?.pake?.secret.fill(0)
  }

  /** Forgets everything that was not handed out. */
  [Symbol.dispose](): void {
    this.#phase = 'failed'
    this.#resendAt = this.#giveUpAt = Number.POSITIVE_INFINITY
    this.#flight = []
    this.#wipeOwn()
    this.#schedule?.[Symbol.dispose]()
  }
}
