/** Calls to single people through any provider, sealed inside the codec. */
import type { CallKind } from '../../call.ts'
import { SealedCallMachine } from './machine.ts'
import type { SealedCallOptions } from './options.ts'

/** Whose number it is: extension 100 at one provider is not extension 100 at another. `account` is empty where it is not known at which. */
export interface Numbered {
  readonly account: string
  readonly number: string
}

/** What is remembered of numbers beyond a call. */
export interface NumberMemory {
  readonly keyOf: (who: Numbered) => string | undefined
  readonly nameOf: (who: Numbered) => string | undefined
  readonly remember: (who: Numbered, keyId: string, name: string) => void
}

export type SealedCallKindOptions = Omit<SealedCallOptions, 'call' | 'number' | 'outgoing' | 'withheld' | 'expected' | 'nameOf' | 'remember'> & { readonly numbers: NumberMemory }

export const sealedCallKind = ({ numbers, ...o }: SealedCallKindOptions): CallKind => ({
  claims: (t) => t.kind === 'call',
  start: (t, { conference }) => {
    const who = { account: t.account ?? '', number: t.room }
    // All who say nothing are not one person: nothing is expected of them, and nothing remembered.
    const withheld = t.outgoing !== true && t.withheld === true
    return new SealedCallMachine({
      ...o, call: conference, number: t.room, outgoing: t.outgoing === true, withheld,
      expected: () => (withheld ? undefined : numbers.keyOf(who)), nameOf: () => (withheld ? undefined : numbers.nameOf(who)),
      remember: (_, keyId, name) => (withheld ? undefined : numbers.remember(who, keyId, name)),
    })
  },
})
