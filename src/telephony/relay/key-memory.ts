/** SRTP keys that phones have offered: each protects one call (RFC 3711 §9.1). What is kept of them is a keyed hash. */
import { toHex } from '../../base/bytes.ts'
import type { SdesKey } from '../../protocol/sdp/index.ts'

const KEPT = 20_000

export class KeyMemory {
  readonly #hmac: (data: Uint8Array) => Uint8Array
  /** Hash of the master key → the call's. */
  readonly #calls = new Map<string, string>()

  /** `hmac`: under a key that nobody else has. */
  constructor(hmac: (data: Uint8Array) => Uint8Array) {
    this.#hmac = hmac
  }
  /** True the first time, and for the same call: a challenged INVITE comes again with its key. */
  fresh(key: SdesKey, callId: string): boolean {
    const name = toHex(this.#hmac(key.masterKey))
    const before = this.#calls.get(name)
    if (before === undefined) {
      if (this.#calls.size >= KEPT) this.#calls.delete(this.#calls.keys().next().value!)
      this.#calls.set(name, callId)
    }
    return before === undefined || before === callId
  }
}
