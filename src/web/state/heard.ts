/** Several calls at once: which of them are heard, and what may be said above one of them. Pure. */
import { type Privacy, privacyOf } from '../../model/privacy.ts'
import type { CallView, State } from './state.ts'

/** Who hears most, first. */
const WEAKEST_FIRST: readonly Privacy[] = ['open', 'bridged', 'sealed', 'none']
const rank = (c: CallView): number => WEAKEST_FIRST.indexOf(privacyOf(c.roster))

/** The calls that are shown: not the echo room, and not what another call shows. */
export function shownCalls({ snapshot, calls }: Pick<State, 'snapshot' | 'calls'>): readonly CallView[] {
  return calls.filter((c) => c.room !== snapshot?.echoRoom && c.hidden !== true)
}

/** The echo room opens by itself where its view is in nobody's way: dialled by the page's own phone, or by another while no other call is shown. */
export function echoOpens(state: Pick<State, 'snapshot' | 'calls'>): boolean {
  const { snapshot, calls } = state
  const echo = calls.find((c) => c.room === snapshot?.echoRoom)
  return echo !== undefined && (snapshot?.browser.call === echo.id || shownCalls(state).length === 0)
}

/**
 * Of the other calls the weakest, where it is weaker than this one. A phone puts a call on hold and takes the next without telling:
 * what is said may go to either, unless the page itself holds one.
 */
export function weakerThan(shown: CallView, state: Pick<State, 'snapshot' | 'calls'>): CallView | undefined {
  const line = state.snapshot?.line?.call
  const others = shownCalls(state).filter((c) => c.id !== shown.id && !(line?.call === c.id && line.held))
  const weakest = others.toSorted((a, b) => rank(a) - rank(b))[0]
  return weakest !== undefined && rank(weakest) < rank(shown) ? weakest : undefined
}

/** Nobody is heard in it before somebody has answered a question there. */
export const asks = ({ roster }: CallView): boolean => {
  const state = roster.phase === 'left' ? undefined : roster.sealedCall?.state
  return state === 'asking' || state === 'doubt' || state === 'lost'
}
