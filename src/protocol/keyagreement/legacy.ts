/**
 * Pairing of the profile `chained`, as published (*Encrypted VoIP communications using Intel SGX*): each side says 32 random octets and, unless
 * there is a password, a P-256 key; the secret is the x coordinate or the password. Nobody is authenticated, nothing is confirmed.
 */
import { type Instant, instant } from '../../base/brand.ts'
import { compareBytes, sameBytes } from '../../base/bytes.ts'
import type { Machine } from '../../base/machine.ts'
import { type Fault, makeFault } from '../../base/result.ts'
import type { CryptoPort, KeyPair } from '../../crypto/port.ts'
import { type ChainedKeys, chainedKeys } from '../frameseal/chained.ts'
import type { AgreementIn } from './machine.ts'
import { decodeMessage, encodeMessage, RANDOM, type Role } from './messages.ts'

const RESEND_MS = 500
const RESEND_MOST_MS = 4000
const GIVE_UP_MS = 20_000
const REPEATS = 32
const NONE = new Uint8Array(0)

export interface LegacyOptions {
  readonly crypto: CryptoPort
  readonly password?: Uint8Array
  readonly resend?: boolean
  readonly giveUpMs?: number
}

export type LegacyOut =
  | { readonly kind: 'send'; readonly bytes: Uint8Array }
  /** The lower random is the published system's A. */
  | { readonly kind: 'paired'; readonly role: Role; readonly keys: ChainedKeys }
  | { readonly kind: 'refused'; readonly fault: Fault }
  | { readonly kind: 'failed'; readonly fault: Fault }

export class LegacyPairing implements Machine<AgreementIn, LegacyOut>, Disposable {
  readonly #o: LegacyOptions
  #phase: 'idle' | 'committed' | 'confirmed' | 'failed' = 'idle'
  #own: { readonly random: Uint8Array; readonly key: KeyPair | undefined; readonly message: Uint8Array } | undefined
  #theirs: Uint8Array | undefined
  #repeats = 0
  #resendAt = Number.POSITIVE_INFINITY
  #resendMs = RESEND_MS
  #giveUpAt = Number.POSITIVE_INFINITY
  #out: LegacyOut[] = []

  constructor(options: LegacyOptions) {
    this.#o = options
  }
  get phase(): 'idle' | 'committed' | 'confirmed' | 'failed' {
    return this.#phase
  }

  step(input: AgreementIn, now: Instant): { readonly out: readonly LegacyOut[]; readonly wakeAt?: Instant } {
    this.#out = []
    if (this.#phase !== 'failed') {
      if (input.kind === 'start') this.#start(now)
      else if (input.kind === 'message') this.#message(input.bytes, now)
      this.#time(now)
    }
    const wakeAt = Math.min(this.#resendAt, this.#giveUpAt)
    return wakeAt === Number.POSITIVE_INFINITY ? { out: this.#out } : { out: this.#out, wakeAt: instant(wakeAt) }
  }

  #start(now: Instant): void {
    if (this.#phase !== 'idle') return
    const { crypto, password } = this.#o
    const random = crypto.bytes(RANDOM)
    const key = password === undefined ? crypto.dhKeyPair('p256') : undefined
    this.#own = { random, key, message: encodeMessage({ type: 'legacy', random, publicKey: key?.publicKey ?? NONE }) }
    this.#phase = 'committed'
    this.#giveUpAt = now + (this.#o.giveUpMs ?? GIVE_UP_MS)
    this.#resendAt = this.#o.resend === false ? Number.POSITIVE_INFINITY : now + RESEND_MS
    this.#out.push({ kind: 'send', bytes: this.#own.message })
  }

  #message(bytes: Uint8Array, now: Instant): void {
    const m = decodeMessage(bytes)
    if (m === undefined) return this.#refuse('KEYAGREEMENT_MALFORMED')
    // Nobody signed it: it ends what does not stand, and no more.
    if (m.type === 'commit') return this.#phase === 'confirmed' ? this.#refuse('KEYAGREEMENT_UNEXPECTED') : this.#fail(makeFault('KEYAGREEMENT_OFFERS', 'the other side does not want the profile `chained`'))
    if (m.type !== 'legacy') return this.#refuse('KEYAGREEMENT_UNEXPECTED')
    if (this.#theirs !== undefined) {
      if (!sameBytes(this.#theirs, bytes)) return this.#refuse('KEYAGREEMENT_SECOND_MESSAGE')
      if (++this.#repeats <= REPEATS) this.#out.push({ kind: 'send', bytes: this.#own!.message })
      return
    }
    this.#start(now)
    const own = this.#own!
    const order = compareBytes(own.random, m.random)
    if (order === 0) return this.#refuse('KEYAGREEMENT_REFLECTED')
    if ((m.publicKey.length === 0) !== (own.key === undefined)) return this.#fail(makeFault('KEYAGREEMENT_PASSWORD', own.key === undefined ? 'the other side has none' : 'the other side asks for one'))
    const { crypto, password } = this.#o
    const secret = own.key === undefined ? password!.slice() : crypto.dh('p256', own.key.privateKey, m.publicKey)
    if (secret === undefined) return this.#fail(makeFault('KEYAGREEMENT_KEY', 'P-256'))
    this.#theirs = bytes.slice()
    const role: Role = order < 0 ? 'initiator' : 'responder'
    const keys = role === 'initiator' ? chainedKeys(crypto, secret, own.random, m.random) : chainedKeys(crypto, secret, m.random, own.random)
    secret.fill(0)
    own.key?.privateKey.fill(0)
    this.#phase = 'confirmed'
    this.#resendAt = this.#giveUpAt = Number.POSITIVE_INFINITY
    this.#out.push({ kind: 'paired', role, keys })
  }

  #time(now: Instant): void {
    if (this.#giveUpAt <= now) return this.#fail(makeFault('KEYAGREEMENT_TIMEOUT', this.#phase))
    if (this.#resendAt > now) return
    this.#out.push({ kind: 'send', bytes: this.#own!.message })
    this.#resendMs = Math.min(2 * this.#resendMs, RESEND_MOST_MS)
    this.#resendAt = now + this.#resendMs
  }
  #refuse(code: 'KEYAGREEMENT_MALFORMED' | 'KEYAGREEMENT_UNEXPECTED' | 'KEYAGREEMENT_SECOND_MESSAGE' | 'KEYAGREEMENT_REFLECTED'): void {
    this.#out.push({ kind: 'refused', fault: makeFault(code, 'chained') })
  }
  #fail(fault: Fault): void {
    this.#out.push({ kind: 'send', bytes: encodeMessage({ type: 'abort', code: fault.code }) }, { kind: 'failed', fault })
    this[Symbol.dispose]()
  }
  [Symbol.dispose](): void {
    this.#phase = 'failed'
    this.#resendAt = this.#giveUpAt = Number.POSITIVE_INFINITY
    this.#own?.key?.privateKey.fill(0)
  }
}
