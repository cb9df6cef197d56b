/** What a member does of its own accord, tried until it stands. */
import type { BlockNotice } from '../../../model/block-notice.ts'
import type { PhoneLeg } from '../../../model/roster.ts'
import type { Decision, PolicyChange } from '../../../model/policy.ts'

export type OwnAct =
  | { readonly act: 'remove'; readonly keyId: string; readonly ban: boolean }
  | { readonly act: 'blocked'; readonly notice: BlockNotice }
  | { readonly act: 'decide'; readonly decision: Decision }
  | { readonly act: 'amend'; readonly change: PolicyChange; readonly handTo?: string }

export interface PendingAct {
  readonly what: OwnAct
  /** Version of the base when it began. */
  readonly from: number
  tries: number
  /** Its person was removed since it began. */
  gone?: true
}

export type SaidWord = { readonly kind: 'flag'; readonly text: string } | { readonly kind: 'notice'; readonly notice: Uint8Array } | { readonly kind: 'leg'; readonly leg: PhoneLeg }
