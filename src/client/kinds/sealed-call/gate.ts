/** The gate in the media thread, as signalling, keys and state have it. */
import type { SealedMedia } from '../../../media/api.ts'
import type { DialogNews } from '../../call.ts'
import type { Sessions } from './sessions.ts'
import { passing, type Policy, type State } from './table.ts'

/** Of the vault's none has this number: what goes there does not come back. */
const NO_SESSION = 0

/** Of the sound, as the signalling describes it. `codec` is absent where it has no room for what sealing needs. */
export type Described = Omit<SealedMedia, 'session' | 'sealed' | 'up' | 'down'>

export function describedOf(news: Extract<DialogNews, { kind: 'media' | 'no-codec' }>): Described {
  const { receives: fillUp, telephoneEvent } = news
  const keys = telephoneEvent === undefined ? {} : { telephoneEvent }
  if (news.kind === 'media') return { codec: news.codec, payloadType: news.payloadType, fillUp, ...keys }
  const { other } = news
  return { codec: undefined, payloadType: other?.sends ?? 0, fillUp, ...(other === undefined ? {} : { other }), ...keys }
}

/** Undefined: the call needs no gate. */
export function gateOf(media: Described, { current, old, keyed, beginning, own }: Sessions, state: State, policy: Policy): SealedMedia | undefined {
  // Whatever led here: called sealed and without keys, nothing passes.
  const passes = passing(state === 'sealed' && !keyed ? 'doubt' : state, policy)
  // An open call needs no vault; one that is being begun has nothing that could pass yet. Words into one that was never looked for go through the gate.
  const apart = media.codec !== undefined && current === undefined && !beginning && passes.up === 'pass' && passes.down === 'pass' && !own.mute
  if (apart) return undefined
  return { ...media, session: current ?? NO_SESSION, sealed: keyed, ...passes, ...(old === undefined ? {} : { old }), ...(own.mute ? { muted: true } : {}), fillUp: media.fillUp && state !== 'early' }
}
