/** Whether a certificate that names telephone numbers, or SIP users, names this one. */

const DIGITS = /^\+?[0-9*#]+$/
const plain = (number: string): string => number.toLowerCase().replace(/[\s()./-]/g, '')

/** True as well where there is nothing to compare: the certificate names none, or only names where a number was dialled, or the other way around. */
export function mayBeCalled(names: readonly string[], dialled: string): boolean {
  const wanted = plain(dialled)
  const comparable = names.map(plain).filter((n) => DIGITS.test(n) === DIGITS.test(wanted))
  return wanted === '' || comparable.length === 0 || comparable.some((n) => n === wanted || (DIGITS.test(n) && sameNumber(n, wanted)))
}

/** `+49 30 1234567`, `004930…` and `030 1234567` are one: the longer ends in the shorter without its zeros, seven digits at least. */
function sameNumber(a: string, b: string): boolean {
  const [x, y] = [a, b].map((n) => n.replace(/^\+|^0+/, '')) as [string, string]
  const [short, long] = x.length < y.length ? [x, y] : [y, x]
  return short.length >= 7 && long.endsWith(short)
}
