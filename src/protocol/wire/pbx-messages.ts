/**
 * Conferences of the PBX on the channel (docs/protocol/pbx.md): who is in a ConfBridge that this client has a call in,
 * as the server learns it from Asterisk. Only towards clients that named the capability `pbx`. Part of the list in `messages.ts`.
 */

export const PBX_CAPABILITY = 'pbx'

/** Client → server. */
export interface PbxClientWire {
  /** A host acts on a conference, or anybody on its own presence; `member` is a number of the newest `pbx-roster`, for what is done to one. */
  'pbx-act': { conference: string; act: PbxAct; member?: number }
}

/** Server → client. */
export interface PbxServerWire {
  /** The certificates that a member showed, its own first, and the `key` that rosters call it by; comes before the first of them. */
  'pbx-certificate': { conference: string; key: string; chain: Uint8Array[] }
  /** The whole conference, after every change. `current` is false while the server has lost Asterisk: then it is the last known one. */
  'pbx-roster': { conference: string; current: boolean; locked: boolean; recorded: boolean; host: boolean; members: PbxMember[]; more: number }
  /** Our last call in the conference is over, or the conference is. */
  'pbx-left': { conference: string }
}

export const PBX_ACTS = ['mute', 'unmute', 'kick', 'lock', 'unlock'] as const
export type PbxAct = (typeof PBX_ACTS)[number]

/** Flags that do not hold are left out. */
export interface PbxMember {
  /** The same as long as this presence lasts; not used again in this conference. */
  id: number
  /** Of a client: its key (SHA-256 of the SubjectPublicKeyInfo, hex), which the certificate has to have. Absent: *unverified*. */
  key?: string
  /** Caller id, for everybody; proves nothing. */
  number?: string
  name?: string
  /** This is the receiver's own call with this SIP Call-ID. */
  call?: string
  muted?: true
  talking?: true
  recorded?: true
  host?: true
}
