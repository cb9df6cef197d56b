/** Calls to single people through any provider, sealed inside the codec. */
import type { CallKind } from '../../call.ts'
import { SealedCallMachine } from './machine.ts'
import type { SealedCallOptions } from './options.ts'

export const sealedCallKind = (o: Omit<SealedCallOptions, 'call' | 'number' | 'outgoing'>): CallKind => ({
  claims: (t) => t.kind === 'call',
  start: (t, { conference }) => new SealedCallMachine({ ...o, call: conference, number: t.room, outgoing: t.outgoing === true }),
})
