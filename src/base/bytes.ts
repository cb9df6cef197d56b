/** Bounds-checked big-endian reading and writing. Shared by every binary decoder. */

/**
 * Reads a buffer front to back. After the first read past the end `failed` stays true and every
 * read gives zeros, so a decoder checks once, at its end. `done` is what a complete decode wants.
 */
export class ByteReader {
  readonly bytes: Uint8Array
  at: number
  readonly end: number
  failed = false

  constructor(bytes: Uint8Array, from = 0, end = bytes.length) {
    this.bytes = bytes
    this.at = from
    this.end = end
  }
  get left(): number {
    return this.end - this.at
  }
  /** True when everything was read and nothing beyond. */
  get done(): boolean {
    return !this.failed && this.at === this.end
  }
  #take(n: number): number {
    if (this.failed || n < 0 || this.end - this.at < n) {
      this.failed = true
      return -1
    }
    const at = this.at
    this.at += n
    return at
  }
  u8(): number {
    const at = this.#take(1)
    return at < 0 ? 0 : this.bytes[at]!
  }
  u16(): number {
    const at = this.#take(2)
    return at < 0 ? 0 : (this.bytes[at]! << 8) | this.bytes[at + 1]!
  }
  u24(): number {
    return this.u8() * 0x10000 + this.u16()
  }
  u32(): number {
    return this.u16() * 0x10000 + this.u16()
  }
  u64(): bigint {
    return (BigInt(this.u32()) << 32n) | BigInt(this.u32())
  }
  /** A view, not a copy. */
  take(n: number): Uint8Array {
    const at = this.#take(n)
    return at < 0 ? EMPTY : this.bytes.subarray(at, at + n)
  }
  /** A 2-octet length, then that many octets (a view). */
  vec16(): Uint8Array {
    return this.take(this.u16())
  }
  rest(): Uint8Array {
    return this.take(this.left)
  }
}

/** Grows as needed; `finish` gives the written octets as their own array. */
export class ByteWriter {
  #bytes: Uint8Array
  #length = 0
  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity)
  }
  get length(): number {
    return this.#length
  }
  #room(n: number): number {
    const at = this.#length
    if (at + n > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#bytes.length * 2, at + n))
      larger.set(this.#bytes)
      this.#bytes = larger
    }
    this.#length = at + n
    return at
  }
  u8(v: number): this {
    const at = this.#room(1)
    this.#bytes[at] = v
    return this
  }
  u16(v: number): this {
    return this.u8(v >>> 8).u8(v)
  }
  u32(v: number): this {
    return this.u16(v >>> 16).u16(v)
  }
  u64(v: bigint): this {
    return this.u32(Number((v >> 32n) & 0xffffffffn)).u32(Number(v & 0xffffffffn))
  }
  put(bytes: Uint8Array): this {
    const at = this.#room(bytes.length)
    this.#bytes.set(bytes, at)
    return this
  }
  vec16(bytes: Uint8Array): this {
    if (bytes.length > 0xffff) throw new RangeError('vector longer than 65535 octets')
    return this.u16(bytes.length).put(bytes)
  }
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length)
  }
}

const EMPTY = new Uint8Array(0)
const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export const utf8 = (text: string): Uint8Array => encoder.encode(text)

/** Text, or undefined where the octets are not UTF-8. */
export function fromUtf8(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes)
  } catch {
    return undefined
  }
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const p of parts) length += p.length
  const all = new Uint8Array(length)
  let at = 0
  for (const p of parts) {
    all.set(p, at)
    at += p.length
  }
  return all
}

/** For public values only: the time tells where they differ. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** Negative where a comes first in the order of octets, 0 where both are the same; not for secrets. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) if (a[i] !== b[i]) return a[i]! - b[i]!
  return a.length - b.length
}

export function toHex(bytes: Uint8Array): string {
  let s = ''
  for (const b of bytes) s += b.toString(16).padStart(2, '0')
  return s
}

/** Undefined where the text is not an even number of hex digits. */
export function fromHex(text: string): Uint8Array | undefined {
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) return undefined
  const out = new Uint8Array(text.length / 2)
  for (let i = 0; i < out.length; i++) out[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16)
  return out
}
