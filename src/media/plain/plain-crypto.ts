/** SRTP of a plain leg whose peer offered SDES (RFC 4568), and nothing where it did not. */
import { sameBytes } from '../../base/bytes.ts'
import { err, ok, type Result } from '../../base/result.ts'
import type { CryptoPort } from '../../crypto/port.ts'
import type { SrtpKeys } from '../../protocol/srtp/keys.ts'
import { createSrtpReceiver, type SrtpReceiver } from '../../protocol/srtp/receiver.ts'
import { createSrtpSender, type SrtpSender } from '../../protocol/srtp/sender.ts'

export const sameKeys = (a: SrtpKeys | undefined, b: SrtpKeys | undefined): boolean =>
  a === b || (a !== undefined && b !== undefined && a.suite === b.suite && sameBytes(a.masterKey, b.masterKey) && sameBytes(a.masterSalt, b.masterSalt))

/** Of one leg, both ways. */
const RETIRED_LIMIT = 400

export class PlainCrypto implements Disposable {
  readonly #crypto: CryptoPort
  #keys: { readonly receive: SrtpKeys; readonly send: SrtpKeys } | undefined
  #receiver: SrtpReceiver | undefined
  #sender: SrtpSender | undefined
  /** Keys that others took the place of: their numbers would begin anew. */
  readonly #retired: SrtpKeys[] = []

  constructor(crypto: CryptoPort) {
    this.#crypto = crypto
  }
  /** The same keys go on with the same sender: a fresh one would use its IVs again, as would keys of before. Fails with SRTP_KEYS, changing nothing. */
  set(keys: { readonly receive: SrtpKeys; readonly send: SrtpKeys } | undefined): Result<void> {
    const changed = this.#changed(keys)
    if (!changed.ok) return changed
    const receiver = sameKeys(this.#keys?.receive, keys?.receive) ? ok(this.#receiver) : keys === undefined ? ok(undefined) : createSrtpReceiver(this.#crypto, keys.receive)
    if (!receiver.ok) return receiver
    const sender = sameKeys(this.#keys?.send, keys?.send) ? ok(this.#sender) : keys === undefined ? ok(undefined) : createSrtpSender(this.#crypto, keys.send)
    if (!sender.ok) {
      if (receiver.value !== this.#receiver) receiver.value?.[Symbol.dispose]()
      return sender
    }
    if (receiver.value !== this.#receiver) this.#receiver?.[Symbol.dispose]()
    if (sender.value !== this.#sender) this.#sender?.[Symbol.dispose]()
    this.#retired.push(...changed.value)
    this.#receiver = receiver.value
    this.#sender = sender.value
    this.#keys = keys
    return ok(undefined)
  }
  /** The keys that end. */
  #changed(keys: { readonly receive: SrtpKeys; readonly send: SrtpKeys } | undefined): Result<SrtpKeys[]> {
    const ending: SrtpKeys[] = []
    for (const way of ['receive', 'send'] as const) {
      const [before, now] = [this.#keys?.[way], keys?.[way]]
      if (sameKeys(before, now)) continue
      if (now !== undefined && this.#retired.some((k) => sameKeys(k, now))) return err('SRTP_KEYS', 'they were used before')
      if (before !== undefined) ending.push(before)
    }
    return this.#retired.length + ending.length > RETIRED_LIMIT ? err('SRTP_KEYS', 'changed too often') : ok(ending)
  }
  /** In place; the length of the plain packet or a refusal of SRTP. */
  open(data: Uint8Array, rtcp: boolean): number {
    if (this.#receiver === undefined) return data.length
    return rtcp ? this.#receiver.unprotectRtcp(data, data.length) : this.#receiver.unprotect(data, data.length)
  }
  seal(slot: Uint8Array, length: number, number: number): number {
    return this.#sender === undefined ? length : this.#sender.protectNumbered(slot, length, number)
  }
  sealRtcp(slot: Uint8Array, length: number): number {
    return this.#sender === undefined ? length : this.#sender.protectRtcp(slot, length)
  }
  shiftOf(ssrc: number): number {
    return this.#sender?.shiftOf(ssrc) ?? 0
  }
  [Symbol.dispose](): void {
    this.#receiver?.[Symbol.dispose]()
    this.#sender?.[Symbol.dispose]()
    this.#receiver = undefined
    this.#sender = undefined
  }
}
