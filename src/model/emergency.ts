/** Emergency numbers: they go past every rule, in the client's dial plan and in the server's. */

/** 112 and 911 work from mobile phones everywhere; the rest is by country (ISO 3166). */
const EMERGENCY: Readonly<Record<string, readonly string[]>> = {
  AT: ['112', '122', '133', '144'], AU: ['000', '106', '112'], BE: ['100', '101', '112'], BR: ['190', '192', '193'],
  CA: ['911'], CH: ['112', '117', '118', '144', '1414'], CN: ['110', '119', '120'], DE: ['110', '112'],
  DK: ['112'], ES: ['112'], FI: ['112'], FR: ['15', '17', '18', '112', '114'], GB: ['112', '999'], IE: ['112', '999'],
  IN: ['112', '100', '101', '102'], IT: ['112', '113', '115', '118'], JP: ['110', '118', '119'], NL: ['112'],
  NO: ['110', '112', '113'], NZ: ['111'], PL: ['112', '997', '998', '999'], PT: ['112'], SE: ['112'], US: ['911'],
}

/** A sane default where the configuration names none. */
export const emergencyNumbers = (country?: string): readonly string[] => (country === undefined ? ['112', '911'] : (EMERGENCY[country.toUpperCase()] ?? ['112', '911']))

/** Phones may add separators, and `tel:` numbers a plus. */
export function isEmergencyNumber(numbers: readonly string[], dialled: string): boolean {
  const digits = dialled.replaceAll(/[-.() ]/g, '').replace(/^\+/, '')
  return numbers.includes(digits)
}
