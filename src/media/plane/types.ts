/**
 * The media plane: legs towards clients and the routes between them. Packets are forwarded as they
 * are, except that each hop has its own SRTP keys and each receiver its own sequence numbers.
 */
import type { Brand, Ssrc } from '../../base/brand.ts'
import type { Fault, Result } from '../../base/result.ts'
import type { AddressPort } from '../../net/address.ts'
import type { SrtpKeys } from '../api.ts'
import type { PacketPath } from '../packet-path.ts'

export type LegId = Brand<number, 'LegId'>

/** Keys of one connection of one client, as agreed on its channel. */
export interface LegKeys {
  /** Rises with every agreement; a generation is never used twice. */
  readonly generation: number
  /** What the client sends under. */
  readonly receive: SrtpKeys
  readonly send: SrtpKeys
}

export interface LegSpec extends LegKeys {
  /** SSRC of path messages in both directions; belongs to this leg alone. */
  readonly probe: Ssrc
}

export type LegPath = 'none' | 'udp' | 'path'

/** Since the leg was opened. */
export interface LegStats {
  readonly leg: LegId
  readonly path: LegPath
  /** Where the client was last proved to be. */
  readonly address: AddressPort | undefined
  /** Authenticated RTP packets of known streams. */
  readonly received: number
  readonly receivedOctets: number
  /** RTP packets handed to the path. */
  readonly sent: number
  readonly sentOctets: number
  /** Forged, replayed or otherwise refused by SRTP. */
  readonly refused: number
  /** Dropped because the source sent too much. */
  readonly limited: number
  /** Not sent: no path yet. */
  readonly unsent: number
  /** Instant of the last authenticated packet, in the plane's clock. */
  readonly lastHeardAt: number | undefined
}

export interface MediaPlane {
  readonly local: AddressPort
  open(leg: LegSpec): Result<LegId>
  /** Fresh keys for an open leg. The client's packets under the old ones pass for 2 s more. */
  rekey(leg: LegId, keys: LegKeys): Result<void>
  /** A second way to this client besides UDP, or none any more. Taken and given up by `close` as well. */
  attach(leg: LegId, path: PacketPath | undefined): Result<void>
  /** Stream `ssrc` may come from `from` and goes to `to` from now on. Packets of streams without a route are dropped. */
  route(from: LegId, ssrc: Ssrc, to: readonly LegId[]): Result<void>
  unroute(from: LegId, ssrc: Ssrc): Result<void>
  close(leg: LegId): void
  stats(): LegStats[]
  /** Datagrams of no known stream, or too long or short, since the start. */
  readonly stray: number
  stop(): void
}

/** A plane that may run in another thread: commands return at once, what is refused comes as a fault. */
export interface PlaneHandle {
  readonly local: AddressPort
  open(leg: LegSpec): LegId
  rekey(leg: LegId, keys: LegKeys): void
  attach(leg: LegId, path: PacketPath | undefined): void
  route(from: LegId, ssrc: Ssrc, to: readonly LegId[]): void
  unroute(from: LegId, ssrc: Ssrc): void
  close(leg: LegId): void
  stats(): Promise<{ readonly legs: LegStats[]; readonly stray: number }>
  onFault(listener: (fault: Fault) => void): void
  /** Closes the socket and every leg. */
  stop(): Promise<void>
}
