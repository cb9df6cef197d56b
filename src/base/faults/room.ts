import type { FaultEntry } from './index.ts'

export const roomFaults = {
  ROOM_INTERNAL: { what: 'Internal error in the room layer', todo: 'Please report it with the log.' },
} as const satisfies Record<string, FaultEntry>
