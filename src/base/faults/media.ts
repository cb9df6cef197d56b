import type { FaultEntry } from './index.ts'

export const mediaFaults = {
  MEDIA_INTERNAL: { what: 'Internal error in the media layer', todo: 'Please report it with the log.' },
  MEDIA_PATH_MESSAGE: { what: 'A path message of the media connection is malformed', todo: 'It was dropped; if it goes on, look for another version at the other end.' },
  MEDIA_LEG_UNKNOWN: { what: 'There is no such media leg', todo: 'It was closed before; open it again.' },
  MEDIA_STREAM_TAKEN: { what: 'The stream number belongs to another leg', todo: 'Every stream needs an SSRC of its own.' },
  MEDIA_LIMIT: { what: 'A limit of the media layer was reached', todo: 'Close calls or rooms that are no longer needed.' },
  MEDIA_GENERATION: { what: 'A generation of keys came twice or too late', todo: 'Make a fresh connection; keys are never used twice.' },
  MEDIA_PHONE_UNKNOWN: { what: 'There is no such phone leg', todo: 'It was closed before; open it again.' },
  MEDIA_HOP_UNKNOWN: { what: 'There is no such media connection to the server', todo: 'Open it before the conference.' },
  MEDIA_CONFERENCE_UNKNOWN: { what: 'There is no such conference in the media thread', todo: 'It was closed before; open it again.' },
  MEDIA_VAULT: { what: 'The vault did not answer for frames', todo: 'Restart the client; frames are lost meanwhile.' },
  MEDIA_CODEC: { what: 'The codec is not available', todo: 'Choose another codec.' },
  MEDIA_WORKER: { what: 'The media thread ended', todo: 'Restart the program and report the log.' },
  NET_BIND: { what: 'A UDP port could not be opened', todo: 'Check the address and that no other program holds the port.' },
  RTP_TRUNCATED: { what: 'An RTP packet is shorter than its header says', todo: 'Look for a program that sends something else to this port.' },
  RTP_VERSION: { what: 'A packet is not RTP version 2', todo: 'Look for a program that sends something else to this port.' },
  RTP_PADDING: { what: 'The padding of an RTP packet is longer than the packet', todo: 'Update the software of the sender.' },
  RTP_TELEPHONE_EVENT: { what: 'A key press (RFC 4733) is malformed', todo: 'Check the DTMF settings of the phone.' },
  RTCP_MALFORMED: { what: 'An RTCP packet is malformed', todo: 'Update the software of the sender; the sound is not affected.' },
} as const satisfies Record<string, FaultEntry>
