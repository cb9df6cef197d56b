/** The sealed conference as a kind of call. */
import type { CallKind } from '../../call.ts'
import { ConferenceMachine } from './machine.ts'
import type { ConferenceOptions } from './state.ts'

export { ConferenceMachine } from './machine.ts'
export type { ConferenceOptions } from './state.ts'

export function conferenceKind(options: Pick<ConferenceOptions, 'sha256' | 'chance' | 'unix' | 'meet'> & { readonly newRoom: (room: string) => ConferenceOptions['newRoom'] }): CallKind {
  return {
    claims: (t) => t.kind === 'room',
    start: (t, media) => new ConferenceMachine({ ...options, room: t.room, media, newRoom: options.newRoom(t.room) }),
  }
}
