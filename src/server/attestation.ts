/** What Intel says about platforms, for clients that judge each other's enclaves: from files, handed on unread. Nothing of it has to be believed here. */
import type { ServerWire } from '../protocol/wire/messages.ts'

export class Attestation {
  readonly #sets = new Map<string, Uint8Array>()
  #changed: () => void = () => {}

  onChange(listener: () => void): void {
    this.#changed = listener
  }
  put(name: string, collateral: Uint8Array): void {
    this.#sets.set(name, collateral)
    this.#changed()
  }
  /** One set each. */
  updates(): ({ k: 'attestation' } & ServerWire['attestation'])[] {
    return [...this.#sets.values()].map((collateral) => ({ k: 'attestation', collateral: [collateral] }))
  }
}
