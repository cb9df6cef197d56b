/**
 * What an argument has to look like, piece by piece: each shape takes a decoded value and gives the typed one, or `BAD`.
 * Nothing is converted, everything has a bound, and fields that are not named are refused.
 */
import type { CborValue } from '../../protocol/wire/cbor.ts'

export const BAD: unique symbol = Symbol('bad')
export type Shape<T> = (value: CborValue | undefined) => T | typeof BAD

export const integer = (least: number, most: number): Shape<number> => (v) => (typeof v === 'number' && Number.isSafeInteger(v) && v >= least && v <= most ? v : BAD)
export const u32 = integer(0, 0xffff_ffff)
/** Written as whatever is shortest, read as one type. */
export const u64: Shape<bigint> = (v) => {
  const n = typeof v === 'number' && Number.isSafeInteger(v) ? BigInt(v) : v
  return typeof n === 'bigint' && n >= 0n && n <= 0xffff_ffff_ffff_ffffn ? n : BAD
}
export const boolean: Shape<boolean> = (v) => (typeof v === 'boolean' ? v : BAD)
/** At most this many octets. */
export const octets = (limit: number): Shape<Uint8Array> => (v) => (v instanceof Uint8Array && v.length <= limit ? v : BAD)
/** At most this many characters. */
export const text = (limit: number): Shape<string> => (v) => (typeof v === 'string' && v.length <= limit ? v : BAD)

export const oneOf = <T extends string>(...values: readonly T[]): Shape<T> => (v) => ((values as readonly unknown[]).includes(v) ? (v as T) : BAD)
export const optional = <T>(shape: Shape<T>): Shape<T | undefined> => (v) => (v === undefined ? undefined : shape(v))
/** A number or text that the type system tells from others of its kind. */
export const branded = <T>(shape: Shape<unknown>): Shape<T> => shape as Shape<T>

export const either = <A, B>(a: Shape<A>, b: Shape<B>): Shape<A | B> => (v) => {
  const first = a(v)
  return first === BAD ? b(v) : first
}

/** The first that fits. */
export const anyOf = <T>(...shapes: readonly Shape<T>[]): Shape<T> => (v) => {
  for (const shape of shapes) {
    const one = shape(v)
    if (one !== BAD) return one
  }
  return BAD
}

export const list = <T>(shape: Shape<T>, limit: number): Shape<T[]> => (v) => {
  if (!Array.isArray(v) || v.length > limit) return BAD
  const out: T[] = []
  for (const item of v) {
    const one = shape(item)
    if (one === BAD) return BAD
    out.push(one)
  }
  return out
}

/** Exactly these fields; optional ones may be away. */
export function record<T extends object>(fields: { readonly [K in keyof T]-?: Shape<T[K]> }): Shape<T> {
  const names = Object.keys(fields) as (keyof T & string)[]
  return (v) => {
    if (typeof v !== 'object' || v === null || Array.isArray(v) || v instanceof Uint8Array) return BAD
    for (const key of Object.keys(v)) if (!Object.hasOwn(fields, key)) return BAD
    const out: Record<string, unknown> = {}
    for (const name of names) {
      const one = fields[name](v[name])
      if (one === BAD) return BAD
      if (one !== undefined) out[name] = one
    }
    return out as T
  }
}
