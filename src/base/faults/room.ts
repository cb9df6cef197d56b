import type { FaultEntry } from './index.ts'

export const roomFaults = {
  ROOM_INTERNAL: { what: 'Internal error in the room layer', todo: 'Please report it with the log.' },
  ROOM_FULL: { what: 'The room has as many members as it takes', todo: 'Wait until somebody leaves, or use a room of another policy.' },
  ROOM_FORWARDING: { what: 'The server does not offer this way of forwarding', todo: 'Choose "all", or ask who runs the server.' },
  ROOM_DRAINING: { what: 'This server is about to be restarted and begins no new rooms', todo: 'Try again in some minutes, or use another server. Rooms that are open go on.' },
  ROOM_TOO_MANY: { what: 'There are as many rooms as allowed', todo: 'Leave a room first, or ask who runs the server.' },
  ROOM_QUEUE_FULL: { what: 'Too many people wait to be let in', todo: 'Try again in a few seconds.' },
  ROOM_NOT_ADMITTED: { what: 'The members did not let you in', todo: 'Ask the host of the room; the reason names the rule.' },
  ROOM_NOBODY_COMMITS: { what: 'No member could let you in', todo: 'Try again; if it stays so, the members should leave and enter anew.' },
  ROOM_JOIN_TIMEOUT: { what: 'Nobody let you in for too long', todo: 'Try again.' },
  ROOM_RATE: { what: 'Too many requests to the room', todo: 'Wait a few seconds.' },
  ROOM_STATE: { what: 'The request does not fit your place in the room', todo: 'Ask for the room again.' },
  ROOM_EPOCH: { what: 'The message names an epoch that the room is not in', todo: 'Apply what was ordered, then say it again.' },
  ROOM_BAD_COMMIT: { what: 'The commit is not what was asked for', todo: 'The member that sent it is broken or hostile; the next one was asked.' },
  ROOM_BAD_FRAMING: { what: 'The message is not an MLS PublicMessage with a commit', todo: 'The member that sent it is broken or hostile.' },
} as const satisfies Record<string, FaultEntry>
