/** The dial plan: what a dialled number means. The one place that knows the kinds of call. */
import { isEmergencyNumber } from '../model/emergency.ts'
import type { CallKind, Target } from './call.ts'

export { emergencyNumbers } from '../model/emergency.ts'

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

export const isEmergency = (plan: DialPlan, number: string): boolean => isEmergencyNumber(plan.emergencyNumbers, number)

export const chooseKind = (kinds: readonly CallKind[], target: Target): CallKind | undefined => kinds.find((k) => k.claims(target))
