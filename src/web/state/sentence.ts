/** Who can hear a call, in a sentence. Pure. */
import { privacyOf } from '../../model/privacy.ts'
import type { Roster } from '../../model/roster.ts'
import type { Words } from '../words/en.ts'
import type { CallView } from './state.ts'

export function sentenceOf(w: Words, r: Roster): string {
  const privacy = privacyOf(r)
  if (r.sealedCall !== undefined && r.phase !== 'left') return isChained(r) ? w.sealedCall.chained : w.sealedCall.sentences[r.sealedCall.state]
  if (privacy === 'sealed') return w.privacy.sealed(r.members.length)
  if (privacy !== 'none') return w.privacy[privacy]
  if (r.waiting) return w.privacy.waiting
  return r.phase === 'healing' ? w.privacy.healing : r.phase === 'left' ? w.privacy.left : w.privacy.joining
}

/** Encrypted by the published cascade, with whom nobody knows: what is "sealed" of other calls is not said of it. */
export const isChained = (r: Roster): boolean => r.sealedCall?.profile === 'chained' && r.sealedCall.state === 'sealed'

export const nameOf = (call: CallView): string => call.person?.name ?? call.room

/** Never stronger than the weakest call that may be heard: `weaker`. */
export const headlineOf = (w: Words, call: CallView, weaker: CallView | undefined): string => (weaker === undefined ? sentenceOf(w, call.roster) : w.calls.weaker(nameOf(weaker), sentenceOf(w, weaker.roster)))
