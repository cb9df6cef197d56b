/** Calls of the page's phone on its line. */
import type { CallKind } from '../../call.ts'
import { LineMachine } from './machine.ts'

export const lineKind = (): CallKind => ({
  claims: (t) => t.kind === 'line',
  start: (t, media) => new LineMachine({ number: t.room, name: t.name ?? '', phone: media.phone, leg: media.conference }),
})
