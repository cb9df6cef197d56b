/** The plain legs of one plane or session: their ports, the way between two of them, and the tick that fills in silence. */
import type { Scheduler } from '../../base/ports.ts'
import { err, ok, type Result } from '../../base/result.ts'
import type { CryptoPort } from '../../crypto/port.ts'
import { type AddressPort, showAddress } from '../../net/address.ts'
import { sendFrom, type UdpPort } from '../../net/udp.ts'
import { MAX_PACKET } from '../hop/receiving.ts'
import { Ticker } from '../session/ticker.ts'
import { type Half, PlainLeg } from './plain-leg.ts'
import { bindRtpPair, type PortRange, RtpPorts } from './rtp-pair.ts'
import type { PlainPeer, PlainSpec } from './spec.ts'

const MAX_PLAIN_LEGS = 4000
/** What protection may add. */
const SLACK = 64
/** Handed from one of our legs to another; more is a circle. */
const MAX_HANDED = 2

export interface PlainLegsOptions {
  readonly udp: UdpPort
  readonly scheduler: Scheduler
  readonly crypto: CryptoPort
  /** Ports for calls; left out: the system picks. */
  readonly ports?: PortRange
}

interface Socket {
  readonly leg: PlainLeg
  readonly at: Half
}

/** What the address that a leg sends to was found to be. */
interface Looked {
  to: AddressPort | undefined
  round: number
  found: Socket | 'foreign'
}

export class PlainLegs<Id extends number> {
  readonly #o: PlainLegsOptions
  readonly #ports: RtpPorts | undefined
  readonly #legs = new Map<Id, PlainLeg>()
  /** Our own sockets by address: a peer that lets two of our legs talk to each other directly (`direct_media`). */
  readonly #ours = new Map<string, Socket>()
  /** Grows whenever a socket of ours comes or goes: what an address of a peer was found to be is forgotten then. */
  #round = 0
  readonly #ticker: Ticker
  #opening = 0
  #handed = 0
  readonly #hands = Array.from({ length: MAX_HANDED }, () => new Uint8Array(MAX_PACKET + SLACK))
  #stopped = false

  constructor(options: PlainLegsOptions) {
    this.#o = options
    this.#ports = options.ports && new RtpPorts(options.scheduler, options.ports)
    this.#ticker = new Ticker(options.scheduler, () => this.#tick())
  }
  get(id: Id): PlainLeg | undefined {
    return this.#legs.get(id)
  }
  entries(): IterableIterator<[Id, PlainLeg]> {
    return this.#legs.entries()
  }
  /** Fails with MEDIA_LIMIT, MEDIA_PORTS, NET_BIND, or what `negotiate` says. */
  async open(id: Id, spec: PlainSpec): Promise<Result<PlainLeg>> {
    if (this.#legs.size + this.#opening >= MAX_PLAIN_LEGS) return err('MEDIA_LIMIT', `${MAX_PLAIN_LEGS} plain legs`)
    const { udp, crypto, scheduler } = this.#o
    this.#opening++
    const pair = await (this.#ports === undefined ? bindRtpPair(udp, spec.bind) : this.#ports.bind(udp, spec.bind))
    this.#opening--
    if (!pair.ok) return pair
    const looked: Looked = { to: undefined, round: 0, found: 'foreign' }
    const leg = new PlainLeg({ pair: pair.value, crypto, now: () => scheduler.now(), transmit: (own, slot, length, to) => this.#transmit(leg, own, slot, length, to, looked) })
    const negotiated = spec.peer === undefined ? ok(undefined) : leg.negotiate(spec.peer)
    if (!negotiated.ok || this.#stopped) {
      leg.close()
      return negotiated.ok ? err('MEDIA_LEG_UNKNOWN', 'closed while it opened') : negotiated
    }
    this.#legs.set(id, leg)
    for (const at of ['rtp', 'rtcp'] as const) this.#ours.set(showAddress(leg.pair[at].local), { leg, at })
    this.#round++
    this.#run()
    return ok(leg)
  }
  negotiate(id: Id, peer: PlainPeer): Result<void> {
    const done = this.#legs.get(id)?.negotiate(peer) ?? err('MEDIA_LEG_UNKNOWN', String(id))
    this.#run()
    return done
  }
  close(id: Id): void {
    const leg = this.#legs.get(id)
    if (leg === undefined) return
    leg.close()
    this.#legs.delete(id)
    for (const at of ['rtp', 'rtcp'] as const) this.#ours.delete(showAddress(leg.pair[at].local))
    this.#round++
    this.#run()
  }
  stop(): void {
    this.#stopped = true
    for (const id of [...this.#legs.keys()]) this.close(id)
    this.#ticker.stop()
  }

  #transmit(leg: PlainLeg, own: Half, slot: Uint8Array, length: number, to: AddressPort, looked: Looked): void {
    if (to !== looked.to || looked.round !== this.#round) {
      looked.to = to
      looked.round = this.#round
      looked.found = this.#ours.get(showAddress(to)) ?? 'foreign'
    }
    const { found } = looked
    if (found === 'foreign') {
      sendFrom(leg.pair[own], slot, length, to)
      return
    }
    if (this.#handed >= MAX_HANDED) return
    // What is handed over goes out of a slot as well, perhaps of this very one.
    const packet = this.#hands[this.#handed++]!
    packet.set(slot.subarray(0, length))
    found.leg.arrived(found.at, packet.subarray(0, length), leg.pair[own].local)
    this.#handed--
  }
  /** No timer for nothing. */
  #run(): void {
    for (const leg of this.#legs.values()) if (leg.filling) return this.#ticker.start()
    this.#ticker.stop()
  }
  #tick(): void {
    const now = this.#o.scheduler.now()
    for (const leg of this.#legs.values()) leg.tick(now)
  }
}
