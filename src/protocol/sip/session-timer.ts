/** Session timers (RFC 4028): both ends notice when the other has gone without a BYE. */
import type { Header, SipRequest, SipResponse } from './message.ts'
import { headerOf, secondsOf, tokensOf } from './message.ts'
import { paramOf, Scanner } from './scanner.ts'

export interface SessionTimer {
  readonly intervalSeconds: number
  readonly refresher: 'us' | 'them'
}

/** §5: smaller intervals are refused. */
export const minSessionSeconds = 90
/** Ours where the peer names none. */
export const defaultSessionSeconds = 1800

/** When the refresher sends, and when the other side gives up (§10), in ms after the last refresh. */
export const refreshAfterMs = (t: SessionTimer): number => t.intervalSeconds * 500
export const expireAfterMs = (t: SessionTimer): number => (t.intervalSeconds - Math.min(32, Math.floor(t.intervalSeconds / 3))) * 1000

export type SessionTimerAnswer =
  /** 422 with these header fields. */
  | { readonly kind: 'tooSmall'; readonly headers: readonly Header[] }
  /** `headers` go into the 2xx. No timer where the peer does not know them and asks for none. */
  | { readonly kind: 'accepted'; readonly timer?: SessionTimer; readonly headers: readonly Header[] }

/** What the side that is called, or refreshed, answers (§9). */
export function answerSessionTimer(request: SipRequest): SessionTimerAnswer {
  const supported = tokensOf(request, 'Supported').includes('timer')
  const asked = parseSessionExpires(headerOf(request, 'Session-Expires'))
  const least = Math.max(minSessionSeconds, firstSeconds(headerOf(request, 'Min-SE')) ?? 0)
  if (asked !== undefined && asked.seconds < minSessionSeconds) {
    // Without support the caller could do nothing with a 422: a proxy set it, and raises it by itself (§9).
    if (supported) return { kind: 'tooSmall', headers: [{ name: 'Min-SE', value: String(minSessionSeconds) }] }
  }
  if (asked === undefined && !supported) return { kind: 'accepted', headers: [] }
  const intervalSeconds = Math.max(asked?.seconds ?? defaultSessionSeconds, least)
  // The caller refreshes unless it cannot or wants us to (§9 table 2).
  const refresher = !supported || asked?.refresher === 'uas' ? 'uas' : 'uac'
  const headers = [{ name: 'Session-Expires', value: `${intervalSeconds};refresher=${refresher}` }, ...(refresher === 'uac' ? [{ name: 'Require', value: 'timer' }] : [])]
  return { kind: 'accepted', timer: { intervalSeconds, refresher: refresher === 'uac' ? 'them' : 'us' }, headers }
}

/** In a refresh that we send: we go on as refresher (§7.4). */
export const refreshHeaders = (t: SessionTimer): readonly Header[] => [
  { name: 'Supported', value: 'timer' },
  { name: 'Session-Expires', value: `${t.intervalSeconds};refresher=uac` },
  { name: 'Min-SE', value: String(minSessionSeconds) },
]

/** What a 2xx to our refresh says; without Session-Expires the peer drops the timer and we keep ours (§7.2). */
export function timerOfResponse(response: SipResponse, before: SessionTimer): SessionTimer {
  const told = parseSessionExpires(headerOf(response, 'Session-Expires'))
  if (told === undefined) return before
  return { intervalSeconds: Math.max(told.seconds, minSessionSeconds), refresher: told.refresher === 'uas' ? 'them' : 'us' }
}

function parseSessionExpires(value: string | undefined): { seconds: number; refresher: string | undefined } | undefined {
  const seconds = firstSeconds(value)
  if (value === undefined || seconds === undefined) return undefined
  const scan = new Scanner(value)
  scan.digits()
  return { seconds, refresher: paramOf(scan.params() ?? [], 'refresher')?.toLowerCase() }
}

/** A day at most: larger intervals are as good as none, and must not overflow a timer. */
function firstSeconds(value: string | undefined): number | undefined {
  const digits = value === undefined ? undefined : new Scanner(value).digits()
  return digits === undefined ? undefined : Math.min(secondsOf(digits) ?? 86_400, 86_400)
}
