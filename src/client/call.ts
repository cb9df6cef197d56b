/** The contract between a kind of call (a machine without I/O) and the client that drives it. */
import type { Machine } from '../base/machine.ts'
import type { Fault, Result } from '../base/result.ts'
import type { MediaCommand, MediaEvent, OtherCodec } from '../media/api.ts'
import type { Decision, PolicyChange } from '../model/policy.ts'
import type { CallEvent, PhoneLeg } from '../model/roster.ts'
import type { ClientMessage, ServerMessage } from '../protocol/wire/messages.ts'
import type { PbxAct } from '../protocol/wire/pbx-messages.ts'
import type { CallCodec, VaultCallName, VaultCalls } from '../vault/api/calls.ts'

/** Keys that belong together, as `*1`, are pressed within that time. */
export const MENU_KEY_MS = 1500

/** What was dialled, after the dial plan took its prefix off. */
export interface Target {
  /** A sealed room, a conference of the PBX that we have a call in, or a call through a provider or (`line`) of the page's phone, `room` being its number. */
  readonly kind: 'room' | 'conference' | 'call' | 'line'
  readonly room: string
  /** Of a call: we dialled. */
  readonly outgoing?: boolean
  /** Of a call: the account's domain, where it is known at which account it is. */
  readonly account?: string
  /** Of a call: the network does not say who calls. */
  readonly withheld?: boolean
  /** Of who calls, as the network says. */
  readonly name?: string
}

/** The media thread's numbers for the parts of this call, chosen by the client. */
export interface CallMedia {
  readonly conference: number
  readonly hop: number
  readonly phone: number
}

/** What the signalling of a call through a provider says. */
export type DialogNews =
  /** Both descriptions are known, now or anew. `receives`: the other side wants packets. */
  | { readonly kind: 'media'; readonly codec: CallCodec; readonly payloadType: number; readonly telephoneEvent?: number; readonly receives: boolean }
  /** The two agreed on a codec that has no room for what sealing needs, now or anew; `other`: which, unless on none. */
  | { readonly kind: 'no-codec'; readonly other?: OtherCodec; readonly receives: boolean; readonly telephoneEvent?: number }
  | { readonly kind: 'answered' }
  /** Somebody wanted to go on as fax data (T.38); it was refused. */
  | { readonly kind: 'fax' }
  /** Our phone holds the call, or is back. */
  | { readonly kind: 'hold'; readonly held: boolean }
  /** Messages inside the signalling reach the other side's stc; and one of its messages. */
  | { readonly kind: 'reached' }
  | { readonly kind: 'message'; readonly bytes: Uint8Array }
  /** `fault`: why, where it never stood or broke. */
  | { readonly kind: 'over'; readonly fault?: Fault }

export type CallIn =
  | { readonly kind: 'dialog'; readonly news: DialogNews }
  | { readonly kind: 'start' }
  | { readonly kind: 'wire'; readonly message: ServerMessage }
  /** The answer to the `vault` output of the same `ref`. */
  | { readonly kind: 'vault'; readonly ref: number; readonly result: Result<unknown> }
  | { readonly kind: 'media'; readonly event: MediaEvent }
  | { readonly kind: 'channel'; readonly up: boolean; readonly reason?: string }
  | { readonly kind: 'mute'; readonly muted: boolean }
  /** A person goes on with a call as it is, by another way than a key of the phone. */
  | { readonly kind: 'accept' }
  /** The words of a call through a provider were compared aloud, and are the same: these. */
  | { readonly kind: 'compared'; readonly words: readonly string[] }
  /** What its user wants of the room. */
  | { readonly kind: 'command'; readonly command: RoomCommand }
  /** A host removes a member. */
  | { readonly kind: 'remove'; readonly leaf: number; readonly ban: boolean }
  /** What a host does in a conference of the PBX, to one member or to all. */
  | { readonly kind: 'act'; readonly act: PbxAct; readonly leaf?: number }
  /** The phone came back on another leg. */
  | { readonly kind: 'phone'; readonly phone: number }
  /** How its sound gets here, now or anew. */
  | { readonly kind: 'phone-leg'; readonly leg: PhoneLeg }
  /** What is known of certificates has changed. */
  | { readonly kind: 'recheck' }
  | { readonly kind: 'leave' }
  | { readonly kind: 'tick' }

/** Members are named by key: a leaf index may belong to somebody else by the time it is done. */
export type RoomCommand =
  | { readonly do: 'decide'; readonly decision: Decision }
  | { readonly do: 'amend'; readonly change: PolicyChange }
  | { readonly do: 'hand-over'; readonly keyId: string }
  | { readonly do: 'remove'; readonly keyId: string; readonly ban: boolean }
  | { readonly do: 'flag'; readonly text: string }
  | { readonly do: 'block'; readonly keyId: string; readonly reason: string }

export type VaultRequest = { readonly [K in VaultCallName]: { readonly call: K; readonly args: VaultCalls[K]['in'] } }[VaultCallName]

export type CallOut =
  | { readonly kind: 'send'; readonly message: ClientMessage }
  | { readonly kind: 'vault'; readonly ref: number; readonly request: VaultRequest }
  | { readonly kind: 'media'; readonly command: MediaCommand }
  | { readonly kind: 'event'; readonly event: CallEvent }
  /** Inside the signalling of a call through a provider: a question whether the other side understands, or a message for it. */
  | { readonly kind: 'signal'; readonly call: number; readonly what: 'probe' | Uint8Array }
  /** We are in: the phone may be answered now. At most once. */
  | { readonly kind: 'joined' }
  /** The call is over; `fault` when it never stood or broke for good. Last output. */
  | { readonly kind: 'over'; readonly reason: string; readonly fault?: Fault }

export type CallMachine = Machine<CallIn, CallOut>

export interface CallKind {
  claims(t: Target): boolean
  start(t: Target, media: CallMedia): CallMachine
}
