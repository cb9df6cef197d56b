/** Who is at the other side of a call, held against the number, the key that it had, and who was there before in this call. */
import { displayName, type Identity, safeText } from '../../../model/identity.ts'
import type { CallProgress } from '../../../vault/api/calls.ts'
import { isCalled, mayBeCalled } from './number.ts'
import { DECIDE, type SealedCallOptions } from './options.ts'

export interface Peer {
  readonly identity?: Identity
  readonly keyId?: string
}
/** `named`: a certificate that is trusted here said who. */
interface Taken {
  readonly keyId?: string
  readonly named: boolean
}
export interface Verdict {
  /** `mismatch`: a person has to decide. */
  readonly event: 'confirmed' | 'mismatch'
  readonly note?: { readonly code: string; readonly text: string }
}

export class Party {
  readonly #o: SealedCallOptions
  #peer: Peer = {}
  /** Who was taken for the other side, by a person or as there was nothing against it. */
  #taken: Taken | undefined

  constructor(options: SealedCallOptions) {
    this.#o = options
  }
  get peer(): Peer {
    return this.#peer
  }
  /** Of the key that is there, as the number's. */
  get memory(): 'new' | 'remembered' | undefined {
    const { keyId } = this.#peer
    if (keyId === undefined || this.#o.withheld === true) return undefined
    return this.#o.expected(this.#o.number) === keyId ? 'remembered' : 'new'
  }

  judge({ identity, keyId, numbers = [], profile }: NonNullable<CallProgress['confirmed']>): Verdict {
    const { number, outgoing } = this.#o
    const expected = this.#o.expected(number)
    const before = this.#taken ?? (expected === undefined ? undefined : { keyId: expected, named: (this.#o.nameOf(number) ?? '') !== '' })
    this.#peer = { ...(identity === undefined ? {} : { identity }), ...(keyId === undefined ? {} : { keyId }) }
    const doubt = before === undefined ? undefined : this.#doubtOf(before)
    if (doubt !== undefined) return { event: 'mismatch', note: { code: 'SEALED_CALL_ANOTHER_KEY', text: `${doubt}: ${DECIDE}` } }
    const fits = this.#o.withheld === true || mayBeCalled(numbers, number)
    // What we dialled is what we meant; who calls is the network's word, and the certificate is better.
    const another = before === undefined && !fits
    // Whoever calls under somebody's number with a certificate of their own making must not become them here.
    const known = outgoing ? fits : identity !== undefined && isCalled(numbers, number)
    if (!(another && outgoing) && profile !== 'chained') this.take(known || expected !== undefined)
    if (!another) return { event: 'confirmed' }
    const text = `The certificate of who is there is for ${safeText(numbers.join(', '), 128)}, not for ${safeText(number, 64)}${outgoing ? `: ${DECIDE}` : ''}`
    return { event: outgoing ? 'mismatch' : 'confirmed', note: { code: 'SEALED_CALL_OTHER_NUMBER', text } }
  }
  /** Another key, nobody any more who vouches for it, or no key at all by which to tell. */
  #doubtOf(before: Taken): string | undefined {
    const { identity, keyId } = this.#peer
    if (keyId !== before.keyId) return `Somebody else answers than before under ${safeText(this.#o.number, 64)}`
    if (before.named && identity === undefined) return `Nobody vouches any more for the certificate of ${safeText(this.#o.number, 64)}`
    // The same password is the same people.
    return keyId === undefined && this.#o.password?.(this.#o.number) === undefined ? 'New keys without a certificate: the words have changed and have to be compared again' : undefined
  }
  /** `remember`: beyond this call too. A key is a number's because it was reached by dialling it, as its certificate says so, or by a person's decision; never by the network's word of who calls. */
  take(remember = true): void {
    const { identity, keyId } = this.#peer
    this.#taken = { named: identity !== undefined, ...(keyId === undefined ? {} : { keyId }) }
    if (keyId !== undefined && remember) this.#o.remember(this.#o.number, keyId, identity === undefined ? '' : displayName(identity))
  }
  /** Somebody was taken: from then on sealing is required. */
  get taken(): boolean {
    return this.#taken !== undefined
  }
}
