import type { CallCarrier } from '../../../vault/api/calls.ts'
import type { Policy } from './table.ts'

export interface SealedCallOptions {
  /** The leg at the provider, which names the call to the media thread. */
  readonly call: number
  /** Dialled, or as the network says who calls. */
  readonly number: string
  readonly outgoing: boolean
  /** The network does not say who calls: `number` is nobody's. */
  readonly withheld?: boolean
  readonly policy: Policy
  /** What may bring the messages of the agreement, the best first. */
  readonly carriers: readonly CallCarrier[]
  /** That the two people know; the other side must have the same. */
  readonly password?: (number: string) => string | undefined
  /** The published cascade in place of all else: labelled, not authenticated. */
  readonly chained?: (number: string) => boolean
  /** Without our certificate: the words alone. */
  readonly anonymous: boolean
  /** The key that this number had the last time. */
  readonly expected: (number: string) => string | undefined
  /** Whom its certificate named then; empty where nobody vouched for it. */
  readonly nameOf: (number: string) => string | undefined
  readonly remember: (number: string, keyId: string, name: string) => void
}

/** The digit that accepts what is not sealed. */
export const ACCEPT = '*'
export const DECIDE = `nobody hears you. Press ${ACCEPT} to talk all the same, or hang up`
