import type { FaultEntry } from './index.ts'

export const clientFaults = {
  CLIENT_INTERNAL: { what: 'Internal error in the client', todo: 'Please report it with the log.' },
  CLIENT_ADMIN_UNREACHABLE: { what: 'No server answers at this admin address', todo: 'Check that the server runs with "admin" in its configuration, and name that configuration with -c.' },
  CLIENT_SERVER_SILENT: { what: 'The server does not answer for this room', todo: 'Check that the server runs; the client goes on trying.' },
  CLIENT_NOT_LET_IN: { what: 'Nobody in the room let us in in time', todo: 'Ask somebody in the room whether it is locked, or try again.' },
  CLIENT_ROOM_REFUSED: { what: 'The room refused us', todo: 'The reason is in the message; ask a host of the room.' },
  CLIENT_CHANNEL_LOST: { what: 'The connection to the server is gone', todo: 'The client reconnects by itself; check the network when it does not.' },
  CLIENT_NO_CHANNEL: { what: 'There is no connection to the server', todo: 'Check the server address and the network.' },
  CLIENT_UNKNOWN_NUMBER: { what: 'This number leads nowhere', todo: 'Dial the room prefix and a room, for example 8000.' },
  CLIENT_EMERGENCY: { what: 'Emergency calls cannot be placed through this client', todo: 'Use another phone now.' },
  CLIENT_REPLACED: { what: 'Another connection with your certificate took your place in the room', todo: 'If that was not you, your key is in other hands: have the certificate revoked.' },
  CLIENT_REMOVED: { what: 'You were removed from the room', todo: 'Ask a host of the room.' },
  CLIENT_NOT_ADMITTED: { what: 'No host let us in', todo: 'Ask a host of the room to admit you, then dial again.' },
  CLIENT_BUSY: { what: 'Too many calls at once', todo: 'End another call first.' },
  CLIENT_REALM: { what: 'Client and server are of different realms', todo: 'Give both the same `realm` in their configurations.' },
  CLIENT_ROOM_TAKEN: { what: 'Another phone of this client is in this room', todo: 'Hang up there first, or give the second phone a client with a certificate of its own.' },
  CLIENT_NOT_RUNNING: { what: 'No client runs with this configuration', todo: 'Start it with "stc client -c FILE", or name the configuration of the one that runs with -c.' },
  CLIENT_ENDING: { what: 'The client is ending', todo: 'Dial again when it has been started anew.' },
} as const satisfies Record<string, FaultEntry>
