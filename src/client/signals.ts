/** What a phone without a screen is told by a short tone. */
import type { ToneName } from '../audio/tones.ts'
import type { CallEvent } from '../model/roster.ts'

const BY_NOTE: Readonly<Record<string, ToneName>> = {
  CLIENT_MEMBER_JOINED: 'join', CLIENT_MEMBER_LEFT: 'leave', CLIENT_MEMBER_REMOVED: 'leave', CLIENT_MUTED: 'mute', CLIENT_UNMUTED: 'unmute',
}

export function signalFor(e: CallEvent): ToneName | undefined {
  if (e.kind === 'note' && e.prominent === true) return 'attention'
  if (e.kind === 'note') return Object.hasOwn(BY_NOTE, e.code) ? BY_NOTE[e.code] : undefined
  if (e.kind === 'act') return e.prominent ? 'attention' : undefined
  if (e.kind === 'flag' || e.kind === 'notice') return 'attention'
  if (e.kind === 'knock') return 'join'
  // Nobody hears us until it is over.
  return e.kind === 'phase' && e.phase === 'healing' ? 'attention' : undefined
}
