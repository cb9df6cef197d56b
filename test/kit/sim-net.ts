/** A simulated network of datagrams in virtual time: seeded, with every fault that a network has. */
import type { AddressPort } from '../../src/net/address.ts'
import { showAddress } from '../../src/net/address.ts'
import type { UdpPort, UdpSocket } from '../../src/net/udp.ts'
import { instant } from '../../src/base/brand.ts'
import { SeededNumbers } from './seeded-random.ts'
import type { VirtualClock } from './virtual-clock.ts'

/** One direction of a host's access link. */
export interface LinkConditions {
  latencyMs: number
  /** Added to the latency, uniform in [0, jitterMs]. Order is kept unless `reorder` says otherwise. */
  jitterMs: number
  /** Probability that a packet is lost. */
  loss: number
  /** Probability that a burst of losses begins with a packet, and its length in packets. */
  burst: number
  burstLength: number
  /** Probability that a packet comes twice. */
  duplicate: number
  /** Probability that a packet is held back by `reorderMs` and overtaken. */
  reorder: number
  reorderMs: number
  /** Nothing passes. */
  down: boolean
}

export const PERFECT: Readonly<LinkConditions> = {
  latencyMs: 1, jitterMs: 0, loss: 0, burst: 0, burstLength: 5, duplicate: 0, reorder: 0, reorderMs: 30, down: false,
}

/** One direction of an access link and what it did. */
export class Link {
  readonly conditions: LinkConditions = { ...PERFECT }
  passed = 0
  lost = 0
  readonly #numbers: SeededNumbers
  #burstLeft = 0
  #lastArrival = 0
  constructor(seed: string) {
    this.#numbers = new SeededNumbers(seed)
  }
  set(change: Partial<LinkConditions>): void {
    Object.assign(this.conditions, change)
  }
  /** Arrival instants of one packet handed in at `now`: none when lost, two when duplicated. */
  transit(now: number): number[] {
    const c = this.conditions
    const n = this.#numbers
    if (this.#burstLeft === 0 && n.chance(c.burst)) this.#burstLeft = c.burstLength
    const inBurst = this.#burstLeft > 0
    if (inBurst) this.#burstLeft--
    if (c.down || inBurst || n.chance(c.loss)) {
      this.lost++
      return []
    }
    this.passed++
    const plain = now + c.latencyMs + c.jitterMs * n.float()
    const arrivals: number[] = []
    if (n.chance(c.reorder)) arrivals.push(plain + c.reorderMs)
    else if (c.jitterMs === 0) arrivals.push(plain)
    else arrivals.push((this.#lastArrival = Math.max(plain, this.#lastArrival)))
    if (n.chance(c.duplicate)) arrivals.push(arrivals[0]! + 1 + 10 * n.float())
    return arrivals
  }
}

/** A packet as it was seen on the wire between two hosts. */
export interface Captured {
  readonly at: number
  readonly from: AddressPort
  readonly to: AddressPort
  readonly data: Uint8Array
}

interface Binding {
  readonly host: SimHost
  readonly socket: SimSocket
}

export class SimNet {
  readonly clock: VirtualClock
  readonly seed: number
  readonly #hosts = new Map<string, SimHost>()
  readonly #partitions = new Set<string>()
  readonly #listeners = new Set<(p: Captured) => void>()

  constructor(clock: VirtualClock, seed = 1) {
    this.clock = clock
    this.seed = seed
  }
  /** A host with one address. With `nat`, others see `nat` and ports of its choosing. */
  host(name: string, address: string, nat?: string): SimHost {
    const host = new SimHost(this, name, address, nat)
    this.claim(nat ?? address, host)
    return host
  }
  claim(address: string, host: SimHost): void {
    if (this.#hosts.has(address)) throw new Error(`address ${address} is taken`)
    this.#hosts.set(address, host)
  }
  release(address: string): void {
    this.#hosts.delete(address)
  }
  /** Cuts two hosts off from each other in both directions, or joins them again. */
  partition(a: SimHost, b: SimHost, cut = true): void {
    for (const key of [`${a.name}>${b.name}`, `${b.name}>${a.name}`]) cut ? this.#partitions.add(key) : this.#partitions.delete(key)
  }
  /** Cuts one direction only. */
  block(from: SimHost, to: SimHost, cut = true): void {
    cut ? this.#partitions.add(`${from.name}>${to.name}`) : this.#partitions.delete(`${from.name}>${to.name}`)
  }
  separated(from: SimHost, to: SimHost): boolean {
    return this.#partitions.has(`${from.name}>${to.name}`)
  }
  /** Sees every packet that a host sends, lost or not. Returns the end of it. */
  capture(listener: (p: Captured) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
  /** A packet from anywhere with any source address, as an attacker on the way could send it. */
  inject(data: Uint8Array, from: AddressPort, to: AddressPort): void {
    this.carry(undefined, data.slice(), from, to)
  }
  carry(sender: SimHost | undefined, data: Uint8Array, from: AddressPort, to: AddressPort): void {
    for (const listener of this.#listeners) listener({ at: this.clock.now(), from, to, data: data.slice() })
    const host = this.#hosts.get(to.address)
    const ups = sender === undefined ? [this.clock.now()] : sender.up.transit(this.clock.now())
    if (host === undefined || (sender !== undefined && this.separated(sender, host))) return
    for (const up of ups) {
      // A link with jitter keeps order, so it must see packets when they reach it.
      if (host.down.conditions.jitterMs > 0) this.clock.at(instant(up), () => this.#deliver(host, data, from, to, up))
      else this.#deliver(host, data, from, to, up)
    }
  }
  #deliver(host: SimHost, data: Uint8Array, from: AddressPort, to: AddressPort, at: number): void {
    for (const down of host.down.transit(at)) {
      // Looked up again at arrival: an address may have moved meanwhile.
      this.clock.at(instant(down), () => this.#hosts.get(to.address)?.arrive(data.slice(), from, to.port))
    }
  }
}

/** One machine: `bind` makes sockets, `up` and `down` are its access link. */
export class SimHost implements UdpPort {
  readonly net: SimNet
  readonly name: string
  readonly up: Link
  readonly down: Link
  address: string
  #nat: string | undefined
  readonly #sockets = new Map<number, Binding>()
  readonly #outside = new Map<number, number>()
  readonly #inside = new Map<number, number>()
  readonly #permitted = new Set<string>()
  #nextPort = 40_000
  #nextOutside = 20_000

  constructor(net: SimNet, name: string, address: string, nat: string | undefined) {
    this.net = net
    this.name = name
    this.address = address
    this.#nat = nat
    this.up = new Link(`${net.seed} ${name} up`)
    this.down = new Link(`${net.seed} ${name} down`)
  }
  bind(at: AddressPort): Promise<UdpSocket> {
    const port = at.port === 0 ? this.#freePort() : at.port
    if (this.#sockets.has(port)) return Promise.reject(Object.assign(new Error(`bind EADDRINUSE ${showAddress(at)}`), { code: 'EADDRINUSE' }))
    const socket = new SimSocket(this, { address: this.address, port })
    this.#sockets.set(port, { host: this, socket })
    return Promise.resolve(socket)
  }
  #freePort(): number {
    while (this.#sockets.has(this.#nextPort)) this.#nextPort++
    return this.#nextPort++
  }
  unbind(port: number): void {
    this.#sockets.delete(port)
  }
  /** Both directions at once. */
  set(change: Partial<LinkConditions>): void {
    this.up.set(change)
    this.down.set(change)
  }
  /** Another address, as after changing the network. Sockets stay; packets to the old address are lost. */
  move(address: string): void {
    this.net.release(this.#nat ?? this.address)
    if (this.#nat === undefined) this.address = address
    else this.#nat = address
    this.net.claim(address, this)
    this.rebind()
  }
  /** The NAT forgets: the next packet gets a new outside port, the old ones lead nowhere. */
  rebind(): void {
    this.#outside.clear()
    this.#inside.clear()
    this.#permitted.clear()
  }
  leave(data: Uint8Array, port: number, to: AddressPort): void {
    this.net.carry(this, data, this.#sourceOf(port, to), to)
  }
  #sourceOf(port: number, to: AddressPort): AddressPort {
    if (this.#nat === undefined) return { address: this.address, port }
    let outside = this.#outside.get(port)
    if (outside === undefined) {
      outside = this.#nextOutside++
      this.#outside.set(port, outside)
      this.#inside.set(outside, port)
    }
    this.#permitted.add(`${outside} ${showAddress(to)}`)
    return { address: this.#nat, port: outside }
  }
  arrive(data: Uint8Array, from: AddressPort, port: number): void {
    if (this.#nat !== undefined) {
      // Endpoint-independent mapping, address-and-port-dependent filtering (RFC 4787 §4, §5).
      const inside = this.#inside.get(port)
      if (inside === undefined || !this.#permitted.has(`${port} ${showAddress(from)}`)) return
      port = inside
    }
    this.#sockets.get(port)?.socket.deliver(data, from)
  }
}

class SimSocket implements UdpSocket {
  readonly local: AddressPort
  readonly #host: SimHost
  #listener: ((data: Uint8Array, from: AddressPort) => void) | undefined
  #open = true
  constructor(host: SimHost, local: AddressPort) {
    this.#host = host
    this.local = local
  }
  send(data: Uint8Array, to: AddressPort): void {
    if (this.#open) this.#host.leave(data.slice(), this.local.port, to)
  }
  onMessage(listener: (data: Uint8Array, from: AddressPort) => void): void {
    this.#listener = listener
  }
  deliver(data: Uint8Array, from: AddressPort): void {
    if (this.#open) this.#listener?.(data, from)
  }
  close(): void {
    this.#open = false
    this.#host.unbind(this.local.port)
  }
}
