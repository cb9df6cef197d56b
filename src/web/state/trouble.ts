/** What stands in the way of a call, the worst first, as one of the causes that people can do something about. */
import type { PageFault } from '../../model/page.ts'
import type { State } from './state.ts'

export type Cause =
  | 'client-gone' | 'locked' | 'server-gone' | 'server-silent' | 'certificate-revoked' | 'certificate-expired' | 'certificate-not-yet' | 'clock' | 'not-trusted' | 'refused' | 'udp-blocked' | 'no-voice'

export interface Trouble {
  readonly cause: Cause
  /** Nothing works until it is gone. */
  readonly grave: boolean
  readonly fault?: PageFault
  /** For the clock: how far it is off. */
  readonly seconds?: number
}

/** A clock that is further off than this ends calls, because delegations do. */
const CLOCK_LIMIT_S = 120

/** In a call whose sound goes over the server, and no way is found for it. Looking for one takes a moment (`VOICELESS_MS`). */
export function isVoiceless({ link, snapshot, calls }: State): boolean {
  return link === 'open' && snapshot?.server.state === 'up' && snapshot.server.path === 'none' && calls.some((c) => c.line !== '' && c.roster.kind !== 'open' && c.roster.sealedCall === undefined)
}
export const VOICELESS_MS = 1500

/** `voiceless`: it has been so for `VOICELESS_MS`. */
export function troubleOf(s: State, voiceless = false): Trouble | undefined {
  if (s.link === 'lost') return { cause: 'client-gone', grave: true }
  if (s.link === 'locked') return { cause: 'locked', grave: true }
  const server = s.snapshot?.server
  if (server === undefined || s.snapshot?.setup !== undefined) return undefined
  const { fault, clockAheadS = 0 } = server
  if (server.state === 'down') return { cause: causeOf(fault, Math.abs(clockAheadS) > CLOCK_LIMIT_S), grave: true, ...(fault === undefined ? {} : { fault }) }
  if (server.silent === true) return { cause: 'server-silent', grave: false }
  if (voiceless && isVoiceless(s)) return { cause: 'no-voice', grave: true }
  if (Math.abs(clockAheadS) > CLOCK_LIMIT_S) return { cause: 'clock', grave: false, seconds: clockAheadS }
  if (server.state === 'up' && server.path === 'tls') return { cause: 'udp-blocked', grave: false }
  return undefined
}

function causeOf(fault: PageFault | undefined, clockIsWrong: boolean): Cause {
  const said = `${fault?.code ?? ''} ${fault?.message ?? ''}`
  if (/REVOKED/i.test(said)) return 'certificate-revoked'
  if (/NOT_YET_VALID|not valid yet|not yet valid/i.test(said)) return clockIsWrong ? 'clock' : 'certificate-not-yet'
  if (/EXPIRED/i.test(said)) return clockIsWrong ? 'clock' : 'certificate-expired'
  if (/UNKNOWN_ISSUER|UNKNOWN_CA|unknown ca|not trusted|NO_CERTIFICATE/i.test(said)) return 'not-trusted'
  if (/CHANNEL_REFUSED|CLIENT_REALM|CHANNEL_VERSION|CHANNEL_TOO_MANY|CHANNEL_NOT_STC|CHANNEL_TLS/.test(said)) return 'refused'
  return 'server-gone'
}
