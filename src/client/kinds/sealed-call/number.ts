/** Whether a certificate that names telephone numbers, or SIP users, names this one. */
import { isDigits, plainNumber, sameNumber } from '../../../model/telephone-number.ts'

/** True as well where there is nothing to compare: the certificate names none, or only names where a number was dialled, or the other way around. */
export function mayBeCalled(names: readonly string[], dialled: string): boolean {
  const comparable = names.filter((n) => isDigits(n) === isDigits(dialled))
  return plainNumber(dialled) === '' || comparable.length === 0 || isCalled(comparable, dialled)
}

export const isCalled = (names: readonly string[], dialled: string): boolean => plainNumber(dialled) !== '' && names.some((n) => sameNumber(n, dialled))
