/** One client's connection, from its greeting to its end. */
import type { Der, Instant } from '../base/brand.ts'
import type { MessageTransport } from '../base/message-transport.ts'
import type { Scheduler } from '../base/ports.ts'
import { err, type Fault, ok, type Result } from '../base/result.ts'
import type { LegId } from '../media/plane/types.ts'
import type { Identity } from '../model/identity.ts'
import type { AddressPort } from '../net/address.ts'
import { type Bucket, fullBucket, type Rate, take } from '../protocol/room/bucket.ts'
import { decodeClientMessage, encodeServerMessage } from '../protocol/wire/codec.ts'
import { Link } from '../protocol/wire/link.ts'
import type { ClientMessage, ServerMessage } from '../protocol/wire/messages.ts'

/** Who is at the other end, as TLS proved. */
export interface Peer {
  readonly identity: Identity
  /** As it was shown in the handshake, own certificate first. */
  readonly chain: readonly Der[]
  readonly remote: AddressPort
  /** Our own address on this connection. */
  readonly local: AddressPort
  exporter(label: string, context: Uint8Array, length: number): Uint8Array
}

/** Comings and goings in rooms; talk in a room is limited there. */
const ROOM_RATE: Rate = { burst: 30, perSecond: 3 }
const HOP_RATE: Rate = { burst: 5, perSecond: 0.2 }

export const sessionLink = (transport: MessageTransport, scheduler: Scheduler): Link<ClientMessage, ServerMessage> =>
  new Link(transport, { decode: decodeClientMessage, encode: encodeServerMessage }, scheduler)

export class Session {
  /** Unguessable: it opens the media door as well, for the same certificate. */
  readonly id: string
  readonly peer: Peer
  readonly link: Link<ClientMessage, ServerMessage>
  greeted = false
  /** What the client named in its greeting. */
  capabilities: ReadonlySet<string> = new Set()
  /** Whether its certificate would still be let in. */
  stillGood: () => Result<void> = () => ok(undefined)
  /** When it was last handed all that holds about revocation. */
  toldAllAt: Instant
  /** The newest generation of hop keys. */
  hopGeneration = 0
  leg: LegId | undefined
  probe = 0
  /** Its media over TLS, when there is one. */
  mediaPath: { close(): void } | undefined
  /** Rooms that know of it. */
  readonly rooms = new Set<string>()
  /** A message of ours that could not be sent although the connection is open: our own mistake, for the log. */
  onUnsent: (fault: Fault) => void = () => {}
  readonly #room: Bucket
  readonly #hop: Bucket

  constructor(id: string, peer: Peer, link: Link<ClientMessage, ServerMessage>, now: Instant) {
    this.id = id
    this.peer = peer
    this.link = link
    this.toldAllAt = now
    this.#room = fullBucket(ROOM_RATE, now)
    this.#hop = fullBucket(HOP_RATE, now)
  }
  get keyId(): string {
    return this.peer.identity.keyId
  }
  /** It understands what we hand on about revocation. */
  get wantsRevocation(): boolean {
    return this.capabilities.has('revocation')
  }
  /** It judges enclaves, and wants what Intel says about platforms. */
  get wantsAttestation(): boolean {
    return this.capabilities.has('attestation')
  }
  mayAskRooms(now: Instant): boolean {
    return take(this.#room, ROOM_RATE, now)
  }
  mayOfferHop(now: Instant): boolean {
    return take(this.#hop, HOP_RATE, now)
  }
  send(m: ServerMessage): void {
    this.trySend(m)
  }
  /** For those who have to know that it went. */
  trySend(m: ServerMessage): Result<void> {
    if (!this.link.open) return err('CHANNEL_CLOSED')
    const sent = this.link.send(m)
    if (!sent.ok && this.link.open) this.onUnsent(sent.fault)
    return sent
  }
  fault(fault: Fault, room?: string): void {
    this.send({ k: 'fault', code: fault.code, message: fault.message.slice(0, 1000), ...(room === undefined ? {} : { room }) })
  }
}
