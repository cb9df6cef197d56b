/** Writing DER (X.690 §10), as far as certificates need it. */
import type { Der, UnixTime } from '../base/brand.ts'
import { concat, utf8 } from '../base/bytes.ts'
import { TAG } from '../protocol/x509/der.ts'
import { civilTime } from '../protocol/x509/time.ts'

export function element(tag: number, ...parts: readonly Uint8Array[]): Der {
  const body = concat(...parts)
  const octets: number[] = []
  for (let n = body.length; n > 0; n = Math.floor(n / 256)) octets.unshift(n % 256)
  const length = body.length < 0x80 ? [body.length] : [0x80 | octets.length, ...octets]
  return concat(Uint8Array.of(tag, ...length), body) as Der
}

export const sequence = (...parts: readonly Uint8Array[]): Der => element(TAG.sequence, ...parts)
export const set = (...parts: readonly Uint8Array[]): Der => element(TAG.set, ...parts)
export const boolean = (value: boolean): Der => element(TAG.boolean, Uint8Array.of(value ? 0xff : 0))
export const octetString = (bytes: Uint8Array): Der => element(TAG.octetString, bytes)
export const bitString = (bytes: Uint8Array, unused = 0): Der => element(TAG.bitString, Uint8Array.of(unused), bytes)
export const utf8String = (text: string): Der => element(TAG.utf8String, utf8(text))
/** UTF-16, big-endian. */
export const bmpString = (text: string): Der => element(TAG.bmpString, Uint8Array.from([...text].flatMap((c) => [c.charCodeAt(0) >> 8, c.charCodeAt(0) & 0xff])))
export const nothing = (): Der => element(TAG.null)
/** `[n]` EXPLICIT, or IMPLICIT of a constructed type when given its content. */
export const tagged = (n: number, ...parts: readonly Uint8Array[]): Der => element(0xa0 | n, ...parts)

/** A non-negative integer from its magnitude. */
export function unsigned(magnitude: Uint8Array): Der {
  const start = magnitude.findIndex((octet) => octet !== 0)
  const minimal = start < 0 ? Uint8Array.of(0) : magnitude.subarray(start)
  return element(TAG.integer, minimal[0]! >= 0x80 ? concat(Uint8Array.of(0), minimal) : minimal)
}

export const integer = (value: number): Der => unsigned(Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value))

export function oid(dotted: string): Der {
  const [top = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  const octets = [top * 40 + second, ...rest].flatMap((arc) => {
    const digits = [arc % 128]
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) digits.unshift(0x80 | left % 128)
    return digits
  })
  return element(TAG.oid, Uint8Array.from(octets))
}

/** UTCTime up to 2049, GeneralizedTime from 2050 (RFC 5280 §4.1.2.5). */
export function time(t: UnixTime): Der {
  const c = civilTime(t)
  const digits = [c.month, c.day, c.hour, c.minute, c.second].map((n) => String(n).padStart(2, '0')).join('')
  return c.year >= 1950 && c.year < 2050
    ? element(TAG.utcTime, utf8(`${String(c.year % 100).padStart(2, '0')}${digits}Z`))
    : element(TAG.generalizedTime, utf8(`${String(c.year).padStart(4, '0')}${digits}Z`))
}
