/** The label of a call, computed in this one place, weakest member first. */
import type { CallState, Roster } from './roster.ts'

export type Privacy = 'sealed' | 'bridged' | 'open' | 'none'

export function privacyOf(r: Roster): Privacy {
  if (r.kind === 'open') return 'open'
  if (r.sealedCall !== undefined && r.phase !== 'left') return r.sealedCall.profile === 'chained' && r.sealedCall.state === 'sealed' ? 'open' : CALL[r.sealedCall.state]
  if (r.kind === 'bridged') return 'bridged'
  return r.phase === 'member' ? 'sealed' : 'none'
}

const CALL: Readonly<Record<CallState['state'], Privacy>> = { early: 'open', seeking: 'open', asking: 'open', open: 'open', agreeing: 'none', doubt: 'none', lost: 'none', sealed: 'sealed' }
const CALL_SENTENCES: Readonly<Record<CallState['state'], string>> = {
  early: 'Ringing: anyone on the line can hear this.', seeking: 'Anyone on the line can hear this; looking for the other side.', agreeing: 'Agreeing on keys: nobody hears anything.',
  doubt: 'Nobody hears anything: it is not clear who this is.', sealed: 'Only you and the other side can hear this.', lost: 'Nobody hears anything: what comes is not from the other side.',
  asking: 'Not sealed: nobody hears you. Anyone on the line can hear the other side.', open: 'Anyone on the line can hear this.',
}

/** Whoever is on the local network of one of these phones can hear it, whatever holds beyond. */
export const hasPlainLeg = (r: Pick<Roster, 'phoneLeg' | 'members'>): boolean => r.phoneLeg === 'plain-lan' || r.members.some((m) => m.phoneLeg === 'plain-lan')
const legSentence = (r: Roster): string => (hasPlainLeg(r) ? ' Phone leg: plain on LAN.' : '')

function callSentence({ state, profile, held, muted }: CallState): string {
  if (profile === 'chained' && state === 'sealed') return 'Encrypted by the legacy profile, not authenticated: whoever is on the way can listen with some effort, and change what is heard.'
  return `${CALL_SENTENCES[state]}${held === true && state === 'sealed' ? ' The other side holds the call.' : ''}${muted === true && state === 'sealed' ? ' The other side is muted.' : ''}`
}

/** The one sentence that is shown on every screen. */
export function privacySentence(r: Roster): string {
  const privacy = privacyOf(r)
  if (r.sealedCall !== undefined && r.phase !== 'left') return callSentence(r.sealedCall) + (privacy === 'sealed' ? legSentence(r) : '')
  if (privacy === 'none') return r.phase === 'left' ? 'You have left.' : 'Nobody hears you yet.'
  if (privacy === 'open') return 'Anyone on the line can hear this.'
  if (privacy === 'bridged') return bridgedSentence(r)
  const count = r.members.length
  const people = count === 1 ? 'Only you are here: nobody can hear this.' : `Only these ${count} people can hear this.`
  const gateway = r.members.some((m) => m.kind === 'gateway') ? ' Telephone callers can hear this through a gateway.' : ''
  return people + gateway + legSentence(r)
}

/** The weakest first: who is listed without a proof, then what the server lost sight of. */
function bridgedSentence(r: Roster): string {
  const n = r.callers.length + (r.conference?.more ?? 0)
  const callers = n === 0 ? '' : ` So can anyone on the line of ${n === 1 ? 'an unverified caller' : `${n} unverified callers`}.`
  const recorded = r.conference?.recorded === true || [...r.members, ...r.callers].some((m) => m.presence?.recorded === true)
  const old = r.conference?.current === false ? ' The list of members is old: the server has lost the telephone system.' : ''
  return `Our server can hear this.${callers}${recorded ? ' It is being recorded.' : ''}${old}`
}
