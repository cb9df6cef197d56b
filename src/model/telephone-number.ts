/** Numbers, and names of SIP users, as people and networks write them. */

const DIGITS = /^\+?[0-9*#]+$/
/** Without what is there for the eye, and without parameters (`;phone-context=…`). */
export const plainNumber = (number: string): string => number.replace(/;.*$/s, '').toLowerCase().replace(/[\s()./-]/g, '')
export const isDigits = (number: string): boolean => DIGITS.test(plainNumber(number))

/** `+49 30 1234567`, `004930…` and `030 1234567` are one: the longer ends in the shorter without its zeros, seven digits at least. Names are compared as they are. */
export function sameNumber(a: string, b: string): boolean {
  const [p, q] = [plainNumber(a), plainNumber(b)]
  if (p === q) return true
  if (!DIGITS.test(p) || !DIGITS.test(q)) return false
  const [x, y] = [p, q].map((n) => n.replace(/^\+|^0+/, '')) as [string, string]
  const [short, long] = x.length < y.length ? [x, y] : [y, x]
  return short.length >= 7 && long.endsWith(short)
}

/** What is kept under a number, however it was written; several where it is not clear whose number it is. */
export const keptUnder = <T>(all: ReadonlyMap<string, T>, number: string): readonly T[] =>
  all.has(number) ? [all.get(number)!] : [...new Set([...all].filter(([n]) => sameNumber(n, number)).map(([, kept]) => kept))]

/** What networks and PBXs write in the place of who calls where they do not say it: RFC 3323 §4.1.1.3, Asterisk's defaults, and what gateways make of a missing number. */
const NOBODY = new Set(['', '0', 'anonymous', 'asterisk', 'invalid', 'nonumber', 'private', 'restricted', 'unavailable', 'unknown', 'withheld'])
export const isNobody = (number: string): boolean => NOBODY.has(plainNumber(number)) || plainNumber(number).startsWith('anonymous')
