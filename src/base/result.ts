import type { FaultCode } from './faults/index.ts'
import { faultTable } from './faults/index.ts'

/** What went wrong, in a form for programs (`code`) and for people (`message`). Codes are stable. */
export interface Fault {
  readonly code: FaultCode
  /** One sentence: what happened, with particulars, and what to do about it. */
  readonly message: string
  /** The fault that led to this one, when another layer noticed it first. */
  readonly cause?: Fault
}

export type Result<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly fault: Fault }

export const ok = <T>(value: T): Result<T> => ({ ok: true, value })

/** A failed result. `detail` is appended to the registered sentence; it must hold no secret. */
export const err = (code: FaultCode, detail?: string, cause?: Fault): { ok: false; fault: Fault } => ({
  ok: false,
  fault: makeFault(code, detail, cause),
})

export function makeFault(code: FaultCode, detail?: string, cause?: Fault): Fault {
  const { what, todo } = faultTable[code]
  const message = `${what}${detail === undefined ? '' : `: ${detail}`}. ${todo}`
  return cause === undefined ? { code, message } : { code, message, cause }
}

/** The value, or an exception: only where failure is our own bug (tests, constants). */
export function must<T>(r: Result<T>): T {
  if (r.ok) return r.value
  throw new Error(`${r.fault.code}: ${r.fault.message}`)
}
