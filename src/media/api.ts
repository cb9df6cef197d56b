/**
 * Commands to and events from the media thread of a client. Everything here is plain data that
 * crosses a MessagePort by structured clone.
 */
import type { Ssrc } from '../base/brand.ts'
import type { Forwarding } from '../model/policy.ts'
import type { AddressPort } from '../net/address.ts'
import type { SrtpKeys } from '../protocol/srtp/keys.ts'
import type { PlainPeer, StreamStats } from './plane/types.ts'

export type { SrtpKeys, SrtpSuite } from '../protocol/srtp/keys.ts'
export type { Filling, PlainPeer, StreamStats } from './plane/types.ts'

/** As on the wire and in SDP: G.722's RTP clock says 8000 while it samples at 16 kHz (RFC 3551 §4.5.2). */
export type PhoneCodec = 'g722' | 'pcmu' | 'pcma' | 'opus'
/** The one codec of a sealed room, fixed in its group context. */
export type RoomCodec = 'g722' | 'opus'

/** What was negotiated with a phone by SDP. */
export interface RtpPhoneMedia {
  readonly kind: 'rtp'
  readonly codec: PhoneCodec
  readonly payloadType: number
  /** Payload type of telephone-event at the codec's clock, when the phone offered it. */
  readonly telephoneEvent?: number
  /** Packet time that the phone asked for, 10–60 ms. */
  readonly ptimeMs: number
  readonly remote: AddressPort
  /** The phone holds us or does not send: nothing of its stream goes into the room. */
  readonly hold: boolean
  /** We may send to the phone (its direction is sendrecv or recvonly). */
  readonly send: boolean
  /** SDES (RFC 4568), when the phone leg is SRTP. */
  readonly srtp?: { readonly receive: SrtpKeys; readonly send: SrtpKeys }
}

/** A robot's or the terminal's sound: PCM in this process, 16 kHz mono. */
export interface PcmMedia {
  readonly kind: 'pcm'
  /** What it says, played in a loop from the start of the leg; empty: silence. */
  readonly speech: Int16Array
  /** Ask for everything heard as `heard` events. */
  readonly record: boolean
}

/**
 * A phone that lives in a browser: one `Int16Array` of 16 kHz mono per message, both ways, over this port. The port is
 * transferred to the media thread; what comes in may have any length up to 120 ms, what goes out is 20 ms.
 */
export interface StreamMedia {
  readonly kind: 'stream'
  readonly port: MessagePortLike
}

export type HandsetMedia = RtpPhoneMedia | PcmMedia | StreamMedia

export type PhoneId = number
export type HopId = number
export type ConferenceId = number
export type CallId = number

export type MediaCommand =
  /** Keys of a fresh generation with the server. Replaces the earlier generation of the same id 2 s after packets under these came, and after 10 s in any case. */
  | { readonly op: 'hop.open'; readonly hop: HopId; readonly generation: number; readonly remotes: readonly AddressPort[]; readonly receive: SrtpKeys; readonly send: SrtpKeys; readonly probe: Ssrc }
  | { readonly op: 'hop.close'; readonly hop: HopId }
  /** The second TLS connection, as a port that carries whole SRTP packets both ways (`Uint8Array` messages). */
  | { readonly op: 'hop.tls'; readonly hop: HopId; readonly port: MessagePortLike | undefined }
  /** Opens the local side; answered by `phone.opened` (port 0 for pcm) or `fault`. `bind` is our address towards the phone. */
  | { readonly op: 'phone.open'; readonly phone: PhoneId; readonly bind: string; readonly media: HandsetMedia }
  | { readonly op: 'phone.set'; readonly phone: PhoneId; readonly media: HandsetMedia }
  /** A tone or spoken prompt (16 kHz PCM), mixed over what the phone hears. */
  | { readonly op: 'phone.play'; readonly phone: PhoneId; readonly pcm: Int16Array }
  /** A key for whoever is at the other end of this leg (RFC 4733). */
  | { readonly op: 'phone.digit'; readonly phone: PhoneId; readonly digit: string }
  /** What each of two phones says the other hears; `muted`: `with` gets silence. Again to change that; undefined ends it. A phone has one such other. */
  | { readonly op: 'phone.patch'; readonly phone: PhoneId; readonly with: PhoneId | undefined; readonly muted: boolean }
  | { readonly op: 'phone.close'; readonly phone: PhoneId }
  /**
   * Joins a phone to a room: uplink under `ssrc`, downlink mixed from all announced senders. `session` is the vault's. In a
   * `loudest` room every packet says a stepped level to the server (protocol/rtp/level-steps.ts).
   */
  | { readonly op: 'conference.open'; readonly conference: ConferenceId; readonly hop: HopId; readonly phone: PhoneId; readonly ssrc: Ssrc; readonly session: number; readonly codec: RoomCodec; readonly forwarding?: Forwarding }
  | { readonly op: 'conference.mute'; readonly conference: ConferenceId; readonly muted: boolean }
  /** Nothing is sealed while false (not in the group yet, epoch not confirmed, healing). */
  | { readonly op: 'conference.send'; readonly conference: ConferenceId; readonly on: boolean }
  /** The full list of senders that may be heard; others are dropped and their state freed. */
  | { readonly op: 'conference.senders'; readonly conference: ConferenceId; readonly senders: readonly Ssrc[] }
  /** Moves the room to another phone leg (a phone that crashed and came back). */
  | { readonly op: 'conference.phone'; readonly conference: ConferenceId; readonly phone: PhoneId }
  /** Somebody looks: levels ten times a second. */
  | { readonly op: 'conference.meters'; readonly conference: ConferenceId; readonly on: boolean }
  /** What the user set for single senders, 0 to 4; 1 for everybody else. Replaces what was set before. */
  | { readonly op: 'conference.volumes'; readonly conference: ConferenceId; readonly volumes: readonly (readonly [ssrc: Ssrc, gain: number])[] }
  /** The next `frames` frames of the uplink as the members get them and as they go out; answered by `conference.tapped`. */
  | { readonly op: 'conference.tap'; readonly conference: ConferenceId; readonly frames: number }
  | { readonly op: 'conference.close'; readonly conference: ConferenceId }
  /**
   * A bridged call: the phone's RTP and RTCP pass as packets, both ways, no sample is looked at. Opens a pair of ports on `bind`, our
   * address towards the phone; answered by `call.opened` or `fault` (about `call N`). `peer`: what the phone's SDP says, when it is
   * known; nothing passes before. `streams`: the way through the server, when it is known.
   */
  | { readonly op: 'call.open'; readonly call: CallId; readonly bind: string; readonly peer?: PlainPeer; readonly streams?: CallStreams }
  /** What was negotiated with the phone, now or anew (answer, re-INVITE, UPDATE). The only way for its media to move. */
  | { readonly op: 'call.peer'; readonly call: CallId; readonly peer: PlainPeer }
  /** Other streams, e.g. of a fresh connection; what the phone hears goes on without a break. Undefined: nothing passes for now. */
  | { readonly op: 'call.streams'; readonly call: CallId; readonly streams: CallStreams | undefined }
  /** A call through a provider: both its parties are at this machine's legs, `call` and `to`, and packets pass between them. */
  | { readonly op: 'call.tie'; readonly call: CallId; readonly to: CallId }
  /** Frames of a tied call, named by its leg at the provider, go through the vault; again to change what passes. */
  | { readonly op: 'call.seal'; readonly call: CallId; readonly sealed: SealedMedia | undefined }
  /** Over what its phone hears; 16 kHz. */
  | { readonly op: 'call.play'; readonly call: CallId; readonly pcm: Int16Array }
  /** Words to the phone of a bridged call, or of a tied one by its phone's leg, that stands: it is silent to the other side until they are said. */
  | { readonly op: 'call.say'; readonly call: CallId; readonly formats: readonly SpokenFormat[]; readonly telephoneEvents: readonly number[]; readonly pcm: Int16Array }
  | { readonly op: 'call.close'; readonly call: CallId }
  | { readonly op: 'stop' }

/** A codec of a bridged call with its payload types: those that the phone takes and that it sends by. */
export interface SpokenFormat {
  readonly codec: PhoneCodec
  readonly takes: number
  readonly sends: number
}

/** A codec by its name (RFC 4855), with the payload types that the phone takes and that it sends by. */
export interface OtherCodec {
  readonly name: string
  readonly takes: number
  readonly sends: number
}

/** How the frames of a call are treated between its two legs. */
export interface SealedMedia {
  /** The vault's number (`call.begin`). */
  readonly session: number
  /** Keys that were lost: frames that open under them are told, and played. */
  readonly old?: number
  /** Undefined: one that has no room for what sealing needs; its packets pass as they are, or not at all. */
  readonly codec: 'g722' | 'pcmu' | 'pcma' | undefined
  /** That one, for silence and words in it. */
  readonly other?: OtherCodec
  readonly payloadType: number
  readonly telephoneEvent?: number
  /** There are keys: nothing passes beside the codec's frames. */
  readonly sealed: boolean
  /** What the phone says and hears; `silence` keeps the streams going. */
  readonly up: 'pass' | 'silence'
  readonly down: 'pass' | 'silence'
  /** The person is muted: silence in place of what the phone says, frame for frame; keys are still passed where `up` passes. */
  readonly muted?: true
  /** Frames go out even while the phone sends none. */
  readonly fillUp: boolean
}

/** The two streams of a bridged call on a hop. The server gives both numbers; both are this call's alone. */
export interface CallStreams {
  readonly hop: HopId
  /** Under which the phone's packets go to the server: `receive` of the server's bridge. */
  readonly send: Ssrc
  /** Under which the other side's come: `send` of the server's bridge. */
  readonly receive: Ssrc
}

export interface MessagePortLike {
  postMessage(m: unknown): void
  close(): void
}

/** Since the stream began. */
export interface SenderStats {
  readonly ssrc: Ssrc
  /** Opened, in time or late. */
  readonly received: number
  readonly lost: number
  /** Arrived after their turn to be played. */
  readonly late: number
  /** Refused by the vault: forged, replayed, unknown epoch. Never played. */
  readonly unopened: number
  /** Low eight bits of the epoch of its newest frame that opened. */
  readonly epochBits?: number
  /** Code of the newest refusal, cleared by the next good frame. */
  readonly lastFault?: string
  readonly concealed: number
  readonly played: number
  /** dBov, 0 loudest to 127 silence (RFC 6464), of the last 200 ms. */
  readonly level: number
  readonly bufferMs: number
  /** Interarrival jitter, RFC 3550 §6.4.1, in ms. */
  readonly jitterMs: number
  /** Instant of the first decoded frame, in the media thread's clock; undefined: nothing heard yet. */
  readonly firstHeardAt?: number
}

export type MediaEvent =
  | { readonly op: 'phone.opened'; readonly phone: PhoneId; readonly local: AddressPort }
  | { readonly op: 'phone.dtmf'; readonly phone: PhoneId; readonly digit: string }
  /** No RTP from the phone for a while, or RTP again: for display only, never for ending a call. */
  | { readonly op: 'phone.silent'; readonly phone: PhoneId; readonly silent: boolean }
  | { readonly op: 'phone.heard'; readonly phone: PhoneId; readonly pcm: Int16Array }
  /** How media reaches the server now. */
  | { readonly op: 'hop.path'; readonly hop: HopId; readonly path: 'none' | 'udp' | 'tls'; readonly roundTripMs?: number }
  /** The keys of this generation have seen half of the streams that they may, one way or the other. Said once. */
  | { readonly op: 'hop.worn'; readonly hop: HopId; readonly generation: number }
  /** Every second, and at the first decoded frame of a sender. */
  | { readonly op: 'conference.stats'; readonly conference: ConferenceId; readonly sent: number; readonly senders: readonly SenderStats[]; readonly ownLevel: number; readonly lateTicks: number }
  /** Our ports for the SDP towards the phone. */
  | { readonly op: 'call.opened'; readonly call: CallId; readonly rtp: AddressPort; readonly rtcp: AddressPort }
  /** Every five seconds: packets from and to the phone, and its newest streams. */
  | { readonly op: 'call.stats'; readonly call: CallId; readonly received: number; readonly sent: number; readonly refused: number; readonly streams: readonly StreamStats[] }
  /** What the frames of a sealed call brought besides sound (vault/api/call-news.ts). */
  | { readonly op: 'call.news'; readonly call: CallId; readonly news: Uint8Array }
  /** Frames of the last half second, and those among them that did not open. */
  | { readonly op: 'call.frames'; readonly call: CallId; readonly opened: number; readonly refused: number }
  /** Pressed at the phone of a call whose frames go through the vault. */
  | { readonly op: 'call.digit'; readonly call: CallId; readonly digit: string }
  /** dBov as in `SenderStats.level`; ten times a second while `conference.meters` is on. */
  | { readonly op: 'conference.levels'; readonly conference: ConferenceId; readonly own: number; readonly levels: readonly (readonly [ssrc: Ssrc, level: number])[] }
  /** 16 kHz PCM of the same time: the uplink's codec frames decoded after opening, and its sealed octets taken for codec frames. */
  | { readonly op: 'conference.tapped'; readonly conference: ConferenceId; readonly members: Int16Array; readonly server: Int16Array; readonly octets: Uint8Array }
  | { readonly op: 'fault'; readonly code: string; readonly message: string; readonly about: string }
