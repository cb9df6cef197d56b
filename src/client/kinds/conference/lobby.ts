/** Whoever knocks: the server passes their request on, our vault says who it is. */
import type { ServerWire } from '../../../protocol/wire/messages.ts'
import type { ConferenceState } from './state.ts'

export function onKnock(s: ConferenceState, m: ServerWire['room-knock']): void {
  const { session } = s
  if (session === undefined || s.phase !== 'member') return
  s.ask('room.knock', { session, keyPackage: m.keyPackage }, (r) => {
    if (s.session !== session) return
    if (r.ok) s.event({ kind: 'knock', at: s.now, request: m.request, identity: r.value.identity, member: r.value.kind })
    else s.note(r.fault.code, `somebody knocks whom we cannot identify: ${r.fault.message}`)
  })
}

export function onKnockOver(s: ConferenceState, m: ServerWire['room-knock-over']): void {
  if (s.roster.knocking.some((k) => k.request === m.request)) s.event({ kind: 'knock-over', at: s.now, request: m.request })
}
