/** Faults in German, particulars kept. */
import { type FaultCode, type FaultEntry, faultTable } from '../index.ts'
import { germanFaults } from './index.ts'

type Coded = { readonly code: string; readonly message: string }

export const germanOf = (code: string): FaultEntry | undefined => (Object.hasOwn(germanFaults, code) ? germanFaults[code as FaultCode] : undefined)

/** The sentence of a fault as `makeFault` builds it; what stands between, the particulars, is nobody's language. Other words stay as they are. */
export function inGerman({ code, message }: Coded): string {
  const german = germanOf(code)
  if (german === undefined) return message
  if (message === '') return `${german.what}. ${german.todo}`
  const { what, todo } = faultTable[code as FaultCode]
  if (message === `${what}.`) return `${german.what}.`
  if (!message.startsWith(what) || !message.endsWith(todo) || message.length < what.length + todo.length) return message
  return `${german.what}${message.slice(what.length, message.length - todo.length)}${german.todo}`
}
