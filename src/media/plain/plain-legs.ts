/** The plain legs of one plane or session: their ports, the way between two of them, and the tick that fills in silence. */
import type { Scheduler } from '../../base/ports.ts'
import { err, ok, type Result } from '../../base/result.ts'
import type { CryptoPort } from '../../crypto/port.ts'
import { type AddressPort, showAddress } from '../../net/address.ts'
import type { UdpPort } from '../../net/udp.ts'
import { Ticker } from '../session/ticker.ts'
import { type Half, PlainLeg } from './plain-leg.ts'
import { bindRtpPair, type PortRange, RtpPorts } from './rtp-pair.ts'
import type { PlainPeer, PlainSpec } from './spec.ts'

const MAX_PLAIN_LEGS = 4000
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

export class PlainLegs<Id extends number> {
  readonly #o: PlainLegsOptions
  readonly #ports: RtpPorts | undefined
  readonly #legs = new Map<Id, PlainLeg>()
  /** Our own sockets by address: a peer that lets two of our legs talk to each other directly (`direct_media`). */
  readonly #ours = new Map<string, Socket>()
  /** What an address of a peer was found to be; forgotten whenever a socket of ours comes or goes. */
  #looked = new WeakMap<AddressPort, Socket | 'foreign'>()
  readonly #ticker: Ticker
  #opening = 0
  #handed = 0
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
    const leg = new PlainLeg({ pair: pair.value, crypto, now: () => scheduler.now(), transmit: (own, packet, to) => this.#transmit(leg, own, packet, to) })
    const negotiated = spec.peer === undefined ? ok(undefined) : leg.negotiate(spec.peer)
    if (!negotiated.ok || this.#stopped) {
      leg.close()
      return negotiated.ok ? err('MEDIA_LEG_UNKNOWN', 'closed while it opened') : negotiated
    }
    this.#legs.set(id, leg)
    for (const at of ['rtp', 'rtcp'] as const) this.#ours.set(showAddress(leg.pair[at].local), { leg, at })
    this.#looked = new WeakMap()
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
    this.#looked = new WeakMap()
    this.#run()
  }
  stop(): void {
    this.#stopped = true
    for (const id of [...this.#legs.keys()]) this.close(id)
    this.#ticker.stop()
  }

  #transmit(leg: PlainLeg, own: Half, packet: Uint8Array, to: AddressPort): void {
    const found = this.#find(to)
    if (found === 'foreign') {
      leg.pair[own].send(packet, to)
      return
    }
    if (this.#handed >= MAX_HANDED) return
    this.#handed++
    found.leg.arrived(found.at, packet, leg.pair[own].local)
    this.#handed--
  }
  #find(to: AddressPort): Socket | 'foreign' {
    let found = this.#looked.get(to)
    if (found === undefined) {
      found = this.#ours.get(showAddress(to)) ?? 'foreign'
      this.#looked.set(to, found)
    }
    return found
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
