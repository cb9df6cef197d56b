/**
 * Holds key bytes so that they cannot slip into logs, JSON or string concatenation.
 * `dispose` overwrites this copy. JavaScript may have made others (garbage collector moves,
 * arguments to libraries): wiping lowers exposure, it does not promise absence.
 */
export class Secret<T extends Uint8Array = Uint8Array> implements Disposable {
  #bytes: T | undefined
  constructor(bytes: T) {
    this.#bytes = bytes
  }
  /** The live bytes; do not keep the reference beyond the call. Throws after disposal. */
  reveal(): T {
    if (this.#bytes === undefined) throw new Error('secret used after disposal')
    return this.#bytes
  }
  get disposed(): boolean {
    return this.#bytes === undefined
  }
  [Symbol.dispose](): void {
    this.#bytes?.fill(0)
    this.#bytes = undefined
  }
  toString(): string {
    return '[secret]'
  }
  toJSON(): string {
    return '[secret]'
  }
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '[secret]'
  }
}

/** Equality in time that depends on the length alone. */
export function equalConstantTime(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!
  return difference === 0
}
