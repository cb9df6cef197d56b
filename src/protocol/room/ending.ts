/** The end of a generation: everybody is told, the number rises, the room is remembered for a while. */
import { instant } from '../../base/brand.ts'
import type { Room } from './state.ts'

/** The group is dead for most: members and joiners begin anew. */
export function reset(room: Room, reason: string): void {
  const { state } = room
  const g = state.group
  if (g === undefined) return
  const sessions = new Set([...g.members.filter((m) => m.reachable), ...waiting(room)].map((p) => p.session))
  close(room)
  room.note(`reset: ${reason}`)
  for (const session of sessions) room.send(session, { k: 'room-reset', room: room.name, generation: state.generation, reason })
}

/** The last member is gone: whoever waits may be the first of the next group. */
export function endGeneration(room: Room): void {
  const sessions = waiting(room).map((q) => q.session)
  close(room)
  room.note('empty')
  for (const session of sessions) room.info(session)
}

function close(room: Room): void {
  const { state, limits, now } = room
  delete state.group
  state.generation++
  state.lingerUntil = instant(now + limits.lingerMs)
}

function waiting(room: Room): { session: string }[] {
  const g = room.state.group
  if (g === undefined) return []
  return [...g.queue, ...g.lobby, ...(g.flight?.adds.map((a) => a.request).filter((q) => !q.abandoned) ?? [])]
}
