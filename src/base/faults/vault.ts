import type { FaultEntry } from './index.ts'

export const vaultFaults = {
  VAULT_SESSION_UNKNOWN: { what: 'The vault has no such membership', todo: 'Dial the room again.' },
  VAULT_SESSION_STATE: { what: 'The membership is not ready for that', todo: 'Wait for the welcome, or dial the room again.' },
  VAULT_FULL: { what: 'The vault holds as many memberships or connections as it can', todo: 'Leave a room first.' },
  VAULT_PIPE_UNKNOWN: { what: 'The vault has no such connection, or it is not secured yet', todo: 'Wait until the connection to the server stands.' },
  VAULT_TLS: { what: 'The connection to the server failed', todo: 'Check the address of the server and that its certificate is of an authority you trust.' },
  VAULT_SERVER_NAME: { what: 'The server shows a certificate for another name', todo: 'Check the name of the server in the configuration; somebody may be in the way.' },
  VAULT_FRAME_UNANNOUNCED: { what: 'A frame came before its sender said that the stream is its own', todo: 'Nothing needs to be done if it stops within a second.' },
  VAULT_FRAME_WRONG_STREAM: { what: 'A frame came on a stream that is not its sender\'s', todo: 'Somebody on the way mixes up streams: the frame is not played.' },
  VAULT_MEMBER_ENDED: { what: 'A frame of a member whose certificate has expired or was revoked', todo: 'It is not played; the member is removed shortly, or has to renew its certificate.' },
  VAULT_MEMBER_STAYS: { what: 'Somebody whose certificate has expired or was revoked is still in the room', todo: 'You are not heard by anybody until it is removed: a host can do that, or leave and meet elsewhere; the server does not do its part.' },
  VAULT_FRAME_BLOCKED: { what: 'Somebody in the room is blocked by a signed notice', todo: 'Nothing of theirs is played; when they are not removed within seconds nothing is sent any more, and the room begins anew without them.' },
  VAULT_MEMORY: { what: 'What is remembered of rooms and blocked keys is damaged', todo: 'Restore the folder of the client\'s data from a backup; without it an old policy could come back unnoticed.' },
  VAULT_BATCH: { what: 'A batch of frames is malformed or too large', todo: 'Please report it with the log.' },
  VAULT_CALL: { what: 'A call to the vault is malformed or comes at the wrong time', todo: 'Please report it with the log.' },
  VAULT_BUSY: { what: 'The vault has been asked too much at once', todo: 'Nothing needs to be done if it stops within a second.' },
  VAULT_START: { what: 'The vault process could not be started', todo: 'Run "stc vault show" to see why, or start with --vault in-process until it is repaired.' },
  VAULT_STOPPED: { what: 'The vault has stopped working', todo: 'Another one is started and rooms are joined again by themselves; please report it when it happens twice.' },
  VAULT_DEAD: { what: 'The vault has stopped working', todo: 'Start the client again; please report it with the log.' },
} as const satisfies Record<string, FaultEntry>
