/** The rooms that a client knows of: from its configuration, and those that it is in. */
import type { ClientConfig } from '../client/config.ts'
import type { WatchedCall } from '../client/watch.ts'

export interface ShownRoom {
  readonly room: string
  /** What a phone dials; conferences of the PBX have numbers of their own. */
  readonly dial?: string
  readonly call?: Pick<WatchedCall, 'call' | 'phase' | 'sentence' | 'seconds' | 'members' | 'callers'>
}

export function roomsOf(config: ClientConfig, calls: readonly WatchedCall[]): ShownRoom[] {
  const { roomPrefix, names } = config.dialPlan
  const named = Object.entries(names).map(([dial, room]): ShownRoom => ({ room, dial }))
  const own = Object.keys(config.rooms).filter((r) => r !== 'default').map((room): ShownRoom => ({ room, dial: `${roomPrefix}${room}` }))
  const known = [...named, ...own].filter((r, i, all) => all.findIndex((x) => x.room === r.room) === i)
  const inCall = calls.filter((c) => !known.some((r) => r.room === c.room)).map((c): ShownRoom => ({ room: c.room, ...(c.kind === 'sealed' ? { dial: `${roomPrefix}${c.room}` } : {}) }))
  return [...known, ...inCall].map((r) => {
    const call = calls.find((c) => c.room === r.room)
    return call === undefined ? r : { ...r, call }
  })
}
