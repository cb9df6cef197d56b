/** Bridged calls of a plane: plain legs, and the ends of calls at hop legs. */
import type { Ssrc } from '../../base/brand.ts'
import { err, ok, type Result } from '../../base/result.ts'
import type { CryptoPort } from '../../crypto/port.ts'
import { BridgeEnd, type EndWire } from '../plain/bridge-end.ts'
import { PlainLegs, type PlainLegsOptions } from '../plain/plain-legs.ts'
import type { PlainLeg } from '../plain/plain-leg.ts'
import type { Leg } from './leg.ts'
import type { Stream, Streams } from './streams.ts'
import type { BridgeTo, LegId, LegStats, PlainOpened, PlainPeer, PlainSpec } from './types.ts'

/** SSRCs under which one client was ever sent calls with its present keys. */
const MAX_ENDS = 1024

export interface BridgesOptions extends PlainLegsOptions {
  readonly streams: Streams
  readonly leg: (id: LegId) => Leg | undefined
  /** How packets of the stream `ssrc` get to a hop leg. */
  readonly wire: (leg: Leg, ssrc: Ssrc) => EndWire
}

export class Bridges {
  readonly #o: BridgesOptions
  readonly #crypto: CryptoPort
  readonly #plain: PlainLegs<LegId>
  /** The client's streams of plain legs that are tied to a hop. */
  readonly #streams = new Map<LegId, Stream>()

  constructor(options: BridgesOptions) {
    this.#o = options
    this.#crypto = options.crypto
    this.#plain = new PlainLegs(options)
  }
  async open(id: LegId, spec: PlainSpec): Promise<Result<PlainOpened>> {
    const opened = await this.#plain.open(id, spec)
    return opened.ok ? ok({ leg: id, rtp: opened.value.pair.rtp.local, rtcp: opened.value.pair.rtcp.local }) : opened
  }
  negotiate(id: LegId, peer: PlainPeer): Result<void> {
    return this.#plain.negotiate(id, peer)
  }
  bridge(id: LegId, to: BridgeTo): Result<void> {
    const plain = this.#plain.get(id)
    if (plain === undefined) return err('MEDIA_LEG_UNKNOWN', String(id))
    return to.kind === 'hop' ? this.#toHop(id, plain, to) : this.#toPlain(id, plain, to.leg)
  }
  #toPlain(id: LegId, plain: PlainLeg, otherId: LegId): Result<void> {
    const other = this.#plain.get(otherId)
    if (other === undefined || other === plain) return err('MEDIA_LEG_UNKNOWN', String(otherId))
    this.unbridge(id)
    this.unbridge(otherId)
    BridgeEnd.tie(plain.end, other.end)
    return ok(undefined)
  }
  #toHop(id: LegId, plain: PlainLeg, to: Extract<BridgeTo, { kind: 'hop' }>): Result<void> {
    const leg = this.#o.leg(to.leg)
    if (leg === undefined) return err('MEDIA_LEG_UNKNOWN', String(to.leg))
    if (to.send === to.receive || to.send === leg.probe || this.#o.streams.has(to.send)) return err('MEDIA_STREAM_TAKEN', String(to.send))
    const known = this.#o.streams.get(to.receive)
    if (known !== undefined && (known.leg !== leg || known.end === undefined)) return err('MEDIA_STREAM_TAKEN', String(to.receive))
    const end = leg.ends.get(to.send) ?? new BridgeEnd(this.#o.wire(leg, to.send), this.#crypto, to.send)
    if (!leg.ends.has(to.send) && leg.ends.size >= MAX_ENDS) return err('MEDIA_LIMIT', `${MAX_ENDS} streams to one client`)
    for (const [other, stream] of this.#streams) if (other === id || stream === known || stream.end === end) this.unbridge(other)
    const claimed = this.#o.streams.claim(leg, to.receive, plain.end.clockRate)
    if (!claimed.ok) return claimed
    claimed.value.end = end
    leg.ends.set(to.send, end)
    this.#streams.set(id, claimed.value)
    BridgeEnd.tie(plain.end, end)
    return ok(undefined)
  }
  unbridge(id: LegId): Result<void> {
    const plain = this.#plain.get(id)
    if (plain === undefined) return err('MEDIA_LEG_UNKNOWN', String(id))
    plain.end.untie()
    const stream = this.#streams.get(id)
    if (stream !== undefined) {
      this.#o.streams.remove(stream)
      this.#streams.delete(id)
    }
    return ok(undefined)
  }
  /** True where the leg was a plain one. */
  close(id: LegId): boolean {
    if (this.#plain.get(id) === undefined) return false
    this.unbridge(id)
    this.#plain.close(id)
    return true
  }
  /** A hop leg is going. */
  gone(leg: Leg): void {
    for (const [id, stream] of this.#streams) if (stream.leg === leg) this.unbridge(id)
    leg.ends.clear()
  }
  stats(): LegStats[] {
    return [...this.#plain.entries()].map(([leg, p]) => statsOf(leg, p))
  }
  statsOf(id: LegId): LegStats | undefined {
    const plain = this.#plain.get(id)
    return plain && statsOf(id, plain)
  }
  stop(): void {
    this.#plain.stop()
  }
}

const statsOf = (leg: LegId, p: PlainLeg): LegStats => ({
  leg, kind: 'plain', home: true, path: p.target === undefined ? 'none' : 'udp', address: p.target,
  received: p.received, receivedOctets: p.receivedOctets, sent: p.end.packets, sentOctets: p.sentOctets,
  refused: p.refused, limited: p.limited, unsent: p.unsent, lastHeardAt: Number.isFinite(p.heardAt) ? p.heardAt : undefined, streams: p.streams(),
})
