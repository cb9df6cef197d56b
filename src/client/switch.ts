/** The dial plan: what a dialled number means. The one place that knows the kinds of call. */
import type { CallKind, Target } from './call.ts'

export interface DialPlan {
  /** What stands in front of a room, taken off: with `8`, dialling 8123 is room `123`. */
  readonly roomPrefix: string
  /** Full numbers or names that are rooms, e.g. {'support': 'help-desk'}. */
  readonly roomNames: Readonly<Record<string, string>>
  readonly emergencyNumbers: readonly string[]
}

export type Dialled =
  | { readonly kind: 'emergency' }
  | { readonly kind: 'target'; readonly target: Target }
  | { readonly kind: 'unknown' }

const ROOM = /^[a-z0-9][a-z0-9._-]{0,63}$/

/** Emergency numbers come first, whatever the prefix says (DESIGN §1). */
export function dial(plan: DialPlan, dialled: string): Dialled {
  const number = dialled.toLowerCase()
  if (isEmergency(plan, number)) return { kind: 'emergency' }
  const named = Object.hasOwn(plan.roomNames, number) ? plan.roomNames[number] : undefined
  if (named !== undefined) return { kind: 'target', target: { kind: 'room', room: named } }
  if (number.startsWith(plan.roomPrefix)) {
    const room = number.slice(plan.roomPrefix.length)
    if (ROOM.test(room)) return { kind: 'target', target: { kind: 'room', room } }
  }
  return { kind: 'unknown' }
}

/** Phones may add separators, and `tel:` numbers a plus. */
export function isEmergency(plan: DialPlan, number: string): boolean {
  const digits = number.replaceAll(/[-.() ]/g, '').replace(/^\+/, '')
  return plan.emergencyNumbers.includes(digits)
}

export const chooseKind = (kinds: readonly CallKind[], target: Target): CallKind | undefined => kinds.find((k) => k.claims(target))

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
