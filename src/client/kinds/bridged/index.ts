/** A conference of the PBX, as its server reports it, as a kind of call. Its sound is the SIP relay's. */
import type { CallKind } from '../../call.ts'
import { BridgedMachine } from './machine.ts'

export { BridgedMachine } from './machine.ts'

export const bridgedKind = (): CallKind => ({
  claims: (t) => t.kind === 'conference',
  start: (t) => new BridgedMachine(t.room),
})
