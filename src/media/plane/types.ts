/**
 * The media plane. Hop legs lead to clients; between them run the routes of rooms: packets are forwarded
 * as they are, except that each hop has its own SRTP keys and each receiver its own sequence numbers.
 * Plain legs lead to phones and a PBX, each on ports of its own; a bridge ties one to a stream pair of a
 * hop leg, or to another plain leg, and translates RTP and RTCP between the two (RFC 3550 §7.2).
 */
import type { Brand, Ssrc } from '../../base/brand.ts'
import type { Fault, Result } from '../../base/result.ts'
import type { AddressPort } from '../../net/address.ts'
import type { SrtpKeys } from '../api.ts'
import type { PacketPath } from '../packet-path.ts'
import type { StreamStats } from '../plain/meter.ts'
import type { PlainPeer, PlainSpec } from '../plain/spec.ts'
import type { Whereabouts } from './whereabouts.ts'

export type { StreamStats } from '../plain/meter.ts'
export type { Filling } from '../plain/bridge-end.ts'
export type { PlainPeer, PlainSpec } from '../plain/spec.ts'

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
  /** False where another plane of the same port exchanges its path messages (link.ts). */
  readonly home?: boolean
  /** Where all planes of the port find out where it is (whereabouts.ts). */
  readonly place?: number
}

export type LegPath = 'none' | 'udp' | 'path'

/** A plain leg that is open. */
export interface PlainOpened {
  readonly leg: LegId
  /** Our ports, for the SDP: an even one and the odd one above it. */
  readonly rtp: AddressPort
  readonly rtcp: AddressPort
}

export interface RouteOptions {
  /** Hz, for the statistics alone; left out: found out from the stream. */
  readonly clockRate?: number
  /**
   * Of all streams with this `group` only `count` are forwarded at a time, by the level in their header extension
   * (protocol/rtp/level-steps.ts), which stays behind. A stream that is let in brings its last moments with it.
   */
  readonly loudest?: { readonly group: number; readonly count: number }
  /** Packets of this stream may wait for so long, ms, so that several for one listener go down in one piece (UDP_SEGMENT), where the socket can. */
  readonly holdMs?: number
}

/** A stream of a room, and the leg that it comes from. */
export interface RoomStream {
  readonly from: LegId
  readonly ssrc: Ssrc
}

/** What a plain leg is tied to. */
export type BridgeTo =
  /** `receive` comes from the client and goes to the plain leg's peer; `send` goes to the client. Both belong to this call alone. */
  | { readonly kind: 'hop'; readonly leg: LegId; readonly receive: Ssrc; readonly send: Ssrc }
  | { readonly kind: 'plain'; readonly leg: LegId }

/** Since the leg was opened. */
export interface LegStats {
  readonly leg: LegId
  readonly kind: 'hop' | 'plain'
  /** Its path messages are exchanged by the plane that says this. */
  readonly home: boolean
  /** A plain leg's is `udp` once its peer has answered. */
  readonly path: LegPath
  /** Where the client was last proved to be, or where packets for a plain leg's peer go. */
  readonly address: AddressPort | undefined
  /** Authenticated RTP packets of known streams. */
  readonly received: number
  readonly receivedOctets: number
  /** RTP packets handed to the path. */
  readonly sent: number
  readonly sentOctets: number
  /** Forged, replayed or otherwise refused by SRTP; at a plain leg also what came from strangers or is no RTP. */
  readonly refused: number
  /** Dropped because the source sent too much. */
  readonly limited: number
  /** Not sent: no path yet. */
  readonly unsent: number
  /** Instant of the last authenticated packet, in the plane's clock. */
  readonly lastHeardAt: number | undefined
  /** What came, stream by stream: those of routes and bridges now, a plain leg's newest eight. */
  readonly streams: readonly StreamStats[]
}

/** Sums over legs that were closed, so that what is counted never shrinks. */
export type PlaneTotals = { -readonly [K in 'received' | 'receivedOctets' | 'sent' | 'sentOctets' | 'refused' | 'limited' | 'unsent' | 'forged' | 'replayed' | 'lost']: number }

export const noTotals = (): PlaneTotals => ({ received: 0, receivedOctets: 0, sent: 0, sentOctets: 0, refused: 0, limited: 0, unsent: 0, forged: 0, replayed: 0, lost: 0 })

export function addTo(totals: PlaneTotals, leg: LegStats): void {
  for (const k of ['received', 'receivedOctets', 'sent', 'sentOctets', 'refused', 'limited', 'unsent'] as const) totals[k] += leg[k]
  for (const s of leg.streams) addStream(totals, s)
}

export function addStream(totals: PlaneTotals, s: StreamStats): void {
  totals.forged += s.forged
  totals.replayed += s.replayed
  // Copies that the network made may outnumber what it lost.
  totals.lost += Math.max(0, s.lost)
}

export interface PlaneStats {
  /** Datagrams sent, the pieces that they went down in, and calls of the system; native only. */
  readonly sends?: { readonly datagrams: number; readonly messages: number; readonly calls: number }
  /** Datagrams that this machine lost, since the start: built and not sent, come to the clients' port and without room there. As far as the system tells. */
  readonly own?: { readonly unsent: number; readonly overflowed: number }
  readonly legs: LegStats[]
  readonly stray: number
  /** Of legs that are closed, and streams that ended. */
  readonly past: PlaneTotals
}

/** What several planes count of the same legs. Where a leg is says the plane that exchanges its path messages. */
export function addStats(planes: readonly PlaneStats[]): PlaneStats {
  const legs = new Map<LegId, LegStats>()
  const past = noTotals()
  for (const plane of planes) {
    for (const k of Object.keys(past) as (keyof PlaneTotals)[]) past[k] += plane.past[k]
    for (const l of plane.legs) {
      const known = legs.get(l.leg)
      legs.set(l.leg, known === undefined ? l : addLegs(known, l))
    }
  }
  const of = (k: 'datagrams' | 'messages' | 'calls'): number => planes.reduce((n, p) => n + (p.sends?.[k] ?? 0), 0)
  const sends = { datagrams: of('datagrams'), messages: of('messages'), calls: of('calls') }
  const own = { unsent: planes.reduce((n, p) => n + (p.own?.unsent ?? 0), 0), overflowed: planes.reduce((n, p) => n + (p.own?.overflowed ?? 0), 0) }
  return { legs: [...legs.values()], own, stray: planes.reduce((n, p) => n + p.stray, 0), past, ...(planes.some((p) => p.sends !== undefined) && { sends }) }
}

function addLegs(a: LegStats, b: LegStats): LegStats {
  const sum = (k: keyof typeof a & keyof PlaneTotals): number => a[k] + b[k]
  const { leg, kind, path, address } = b.home ? b : a
  return {
    leg, kind, path, address, home: a.home || b.home, received: sum('received'), receivedOctets: sum('receivedOctets'), sent: sum('sent'), sentOctets: sum('sentOctets'),
    refused: sum('refused'), limited: sum('limited'), unsent: sum('unsent'), streams: [...a.streams, ...b.streams],
    lastHeardAt: a.lastHeardAt === undefined || b.lastHeardAt === undefined ? (a.lastHeardAt ?? b.lastHeardAt) : Math.max(a.lastHeardAt, b.lastHeardAt),
  }
}

export interface MediaPlane {
  readonly local: AddressPort
  open(leg: LegSpec): Result<LegId>
  /** Fresh keys for an open leg. The client's packets under the old ones pass for 2 s more. */
  rekey(leg: LegId, keys: LegKeys): Result<void>
  /** A second way to this client besides UDP, or none any more. Taken and given up by `close` as well. */
  attach(leg: LegId, path: PacketPath | undefined): Result<void>
  /**
   * Stream `ssrc` may come from `from` and goes to `to` from now on. Packets of streams without a route are
   * dropped.
   */
  route(from: LegId, ssrc: Ssrc, to: readonly LegId[], options?: RouteOptions): Result<void>
  /**
   * The same for many at once: each of these streams goes to all of `members` but the one that it comes from. Costs as much as there are
   * streams and members, not their product. Who is unknown is left out; the first fault is told when all else is done.
   */
  routeRoom(streams: readonly RoomStream[], members: readonly LegId[], options?: RouteOptions): Result<void>
  unroute(from: LegId, ssrc: Ssrc): Result<void>
  /** RTP and RTCP with a phone or a PBX on a pair of ports of its own. */
  openPlain(spec: PlainSpec): Promise<Result<PlainOpened>>
  /** A signalled change of a plain leg's peer (an answer, a re-INVITE): the only way for its media to move. */
  negotiate(leg: LegId, peer: PlainPeer): Result<void>
  /** Packets pass between a plain leg and `to` from now on, in both directions. What either was tied to is let go. */
  bridge(plain: LegId, to: BridgeTo): Result<void>
  unbridge(plain: LegId): Result<void>
  close(leg: LegId): void
  stats(): LegStats[]
  /** Datagrams of no known stream, or too long or short, since the start. */
  readonly stray: number
  readonly past: PlaneTotals
  stop(): void
}

/** About the leg of a probe's SSRC. */
export type LinkMessage =
  /** To its home: an authentic packet with the newest index came from there; undefined: by its own path. */
  | { readonly op: 'heard'; readonly probe: Ssrc; readonly from: AddressPort | undefined; readonly octets: number }
  /** It was heard under these keys, so it can open what is sent under them. */
  | { readonly op: 'generation'; readonly probe: Ssrc; readonly generation: number }

/** How one of the planes reaches the others. Messages between two of them keep their order. */
export interface PlaneLink {
  /** Which one this is, and how many there are. */
  readonly worker: number
  readonly workers: number
  /** Where all clients of the port are; left out: there is no other plane. */
  readonly where?: Whereabouts
  send(to: number, m: LinkMessage): void
  onMessage(listener: (m: LinkMessage) => void): void
  close(): void
}

/** What a plane stands on. */
export interface PlaneFacts {
  readonly provider: 'native' | 'portable'
  /** Why it is not the native one, where that was wished for. */
  readonly fallback: Fault | undefined
  /** Threads that share the port. */
  readonly workers: number
  /** Octets that the system keeps of what comes and goes at the port of the clients, 0: unknown; and what it was asked for. */
  readonly buffers: { readonly receive: number; readonly send: number; readonly wanted: number }
}

/** A plane that may run in another thread: commands return at once, what is refused comes as a fault. */
export interface PlaneHandle {
  readonly local: AddressPort
  /** Streams whose SSRCs are equal modulo this number are handled together; so must be a `loudest` group, and both streams of a call. */
  readonly workers: number
  open(leg: LegSpec): LegId
  rekey(leg: LegId, keys: LegKeys): void
  attach(leg: LegId, path: PacketPath | undefined): void
  route(from: LegId, ssrc: Ssrc, to: readonly LegId[], options?: RouteOptions): void
  routeRoom(streams: readonly RoomStream[], members: readonly LegId[], options?: RouteOptions): void
  unroute(from: LegId, ssrc: Ssrc): void
  openPlain(spec: PlainSpec): Promise<Result<PlainOpened>>
  negotiate(leg: LegId, peer: PlainPeer): void
  bridge(plain: LegId, to: BridgeTo): void
  unbridge(plain: LegId): void
  close(leg: LegId): void
  stats(): Promise<PlaneStats>
  onFault(listener: (fault: Fault) => void): void
  /** Closes the socket and every leg. */
  stop(): Promise<void>
}
