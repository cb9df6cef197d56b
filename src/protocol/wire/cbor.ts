/**
 * A strict subset of CBOR (RFC 8949): integers of 64 bits, byte strings, text, arrays, maps with text keys, true,
 * false and null. Heads are in their one shortest form (§4.2.1), lengths definite, keys unique and written in order; no tags,
 * no floats. Hostile octets cannot nest, repeat keys or announce
 * lengths that are not there: nothing is allocated before its octets were seen.
 */
import { ByteReader, ByteWriter, fromUtf8, utf8 } from '../../base/bytes.ts'
import type { Result } from '../../base/result.ts'
import { err, ok } from '../../base/result.ts'
import { CBOR_DEPTH, CBOR_ITEMS, CBOR_KEY_LIMIT } from './limits.ts'

/** Integers beyond 2^53 are `bigint`; maps have no prototype. */
export type CborValue = number | bigint | string | boolean | null | Uint8Array | CborValue[] | { [key: string]: CborValue }

// Major types (§3.1) and simple values (§3.3).
const UNSIGNED = 0
const NEGATIVE = 1
const BYTES = 2
const TEXT = 3
const ARRAY = 4
const MAP = 5
const FALSE = 0xf4
const TRUE = 0xf5
const NULL = 0xf6
const U64_MAX = 0xffff_ffff_ffff_ffffn

/** Fields that are undefined are left out. Throws on what the subset cannot express: our own bug. */
export function encodeCbor(value: unknown): Uint8Array {
  const w = new ByteWriter(512)
  write(w, value)
  return w.finish()
}

function write(w: ByteWriter, v: unknown): void {
  if (typeof v === 'number' || typeof v === 'bigint') writeInteger(w, v)
  else if (typeof v === 'string') writeText(w, v)
  else if (v === null) w.u8(NULL)
  else if (typeof v === 'boolean') w.u8(v ? TRUE : FALSE)
  else if (v instanceof Uint8Array) {
    writeHead(w, BYTES, BigInt(v.length))
    w.put(v)
  } else if (Array.isArray(v)) {
    writeHead(w, ARRAY, BigInt(v.length))
    for (const item of v) write(w, item)
  } else if (typeof v === 'object') writeMap(w, v)
  else throw new TypeError(`no CBOR for ${typeof v}`)
}

function writeInteger(w: ByteWriter, v: number | bigint): void {
  if (typeof v === 'number' && !Number.isSafeInteger(v)) throw new TypeError(`no CBOR for the number ${v}`)
  const n = BigInt(v)
  if (n >= 0n) writeHead(w, UNSIGNED, n)
  else writeHead(w, NEGATIVE, -1n - n)
}

function writeText(w: ByteWriter, text: string): void {
  const octets = utf8(text)
  writeHead(w, TEXT, BigInt(octets.length))
  w.put(octets)
}

/** Keys in the order of their encodings (§4.2.1): shorter first, then by octets. */
function writeMap(w: ByteWriter, map: object): void {
  const entries = Object.entries(map).filter(([, v]) => v !== undefined)
  const keyed = entries.map(([key, value]) => ({ octets: utf8(key), key, value }))
  keyed.sort((a, b) => compareKeys(a.octets, b.octets))
  writeHead(w, MAP, BigInt(keyed.length))
  for (const { key, value } of keyed) {
    writeText(w, key)
    write(w, value)
  }
}

function compareKeys(a: Uint8Array, b: Uint8Array): number {
  if (a.length !== b.length) return a.length - b.length
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!
  return 0
}

function writeHead(w: ByteWriter, major: number, n: bigint): void {
  if (n < 0n || n > U64_MAX) throw new TypeError('no CBOR for integers beyond 64 bits')
  const top = major << 5
  if (n < 24n) w.u8(top | Number(n))
  else if (n <= 0xffn) w.u8(top | 24).u8(Number(n))
  else if (n <= 0xffffn) w.u8(top | 25).u16(Number(n))
  else if (n <= 0xffff_ffffn) w.u8(top | 26).u32(Number(n))
  else w.u8(top | 27).u64(n)
}

/** Exactly one value and nothing behind it. Byte strings are copies. */
export function decodeCbor(bytes: Uint8Array): Result<CborValue> {
  const d = new Decoder(bytes)
  const value = d.value(0)
  if (value === undefined) return err('CHANNEL_BAD_CBOR', `${d.why ?? 'it ends early'} at octet ${d.at}`)
  return d.left === 0 ? ok(value) : err('CHANNEL_BAD_CBOR', `${d.left} octets behind the end`)
}

class Decoder {
  readonly #r: ByteReader
  #items = 0
  why: string | undefined

  constructor(bytes: Uint8Array) {
    this.#r = new ByteReader(bytes)
  }
  get at(): number {
    return this.#r.at
  }
  get left(): number {
    return this.#r.left
  }

  #fail(why: string): undefined {
    this.why ??= why
    return undefined
  }

  value(depth: number): CborValue | undefined {
    if (++this.#items > CBOR_ITEMS) return this.#fail('too many values')
    const first = this.#r.u8()
    if (this.#r.failed) return this.#fail('it ends early')
    if (first === FALSE) return false
    if (first === TRUE) return true
    if (first === NULL) return null
    const n = this.#argument(first & 0x1f)
    if (n === undefined) return undefined
    switch (first >>> 5) {
      case UNSIGNED: return small(n)
      case NEGATIVE: return small(-1n - n)
      case BYTES: return this.#octets(n)?.slice()
      case TEXT: return this.#text(n)
      case ARRAY: return this.#array(n, depth)
      case MAP: return this.#map(n, depth)
      default: return this.#fail('a tag, a float or an unknown simple value')
    }
  }

  /** The number in the head (§3), in its shortest form. */
  #argument(info: number): bigint | undefined {
    const r = this.#r
    if (info < 24) return BigInt(info)
    let n: bigint
    let least: bigint
    if (info === 24) {
      n = BigInt(r.u8())
      least = 24n
    } else if (info === 25) {
      n = BigInt(r.u16())
      least = 0x100n
    } else if (info === 26) {
      n = BigInt(r.u32())
      least = 0x1_0000n
    } else if (info === 27) {
      n = r.u64()
      least = 0x1_0000_0000n
    } else return this.#fail('an indefinite length or reserved value')
    if (r.failed) return this.#fail('it ends early')
    return n < least ? this.#fail('a number that is not in its shortest form') : n
  }

  #octets(length: bigint): Uint8Array | undefined {
    if (length > BigInt(this.#r.left)) return this.#fail('it ends early')
    return this.#r.take(Number(length))
  }

  #text(length: bigint): string | undefined {
    const octets = this.#octets(length)
    if (octets === undefined) return undefined
    return fromUtf8(octets) ?? this.#fail('text that is not UTF-8')
  }

  #array(count: bigint, depth: number): CborValue[] | undefined {
    if (!this.#mayHold(count, depth)) return undefined
    const out: CborValue[] = []
    for (let i = 0n; i < count; i++) {
      const v = this.value(depth + 1)
      if (v === undefined) return undefined
      out.push(v)
    }
    return out
  }

  #map(count: bigint, depth: number): { [key: string]: CborValue } | undefined {
    if (!this.#mayHold(2n * count, depth)) return undefined
    const out = Object.create(null) as { [key: string]: CborValue }
    for (let i = 0n; i < count; i++) {
      const key = this.value(depth + 1)
      if (key === undefined) return undefined
      if (typeof key !== 'string' || key.length > CBOR_KEY_LIMIT) return this.#fail('a map key that is no short text')
      if (key in out) return this.#fail('a map key that comes twice')
      const v = this.value(depth + 1)
      if (v === undefined) return undefined
      out[key] = v
    }
    return out
  }

  /** Each value has one octet at least: a count beyond what is left is a lie. */
  #mayHold(count: bigint, depth: number): boolean {
    if (depth >= CBOR_DEPTH) this.#fail('nested too deeply')
    else if (count > BigInt(this.#r.left)) this.#fail('it ends early')
    return this.why === undefined
  }
}

const small = (n: bigint): number | bigint => (n >= BigInt(Number.MIN_SAFE_INTEGER) && n <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(n) : n)
