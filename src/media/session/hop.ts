/** The client's end of a hop: which way media goes to the server, and the packets on it. */
import { instant, type Ssrc } from '../../base/brand.ts'
import type { Scheduler } from '../../base/ports.ts'
import { makeFault, type Fault } from '../../base/result.ts'
import type { CryptoPort } from '../../crypto/port.ts'
import { copyAddress, sameAddress, type AddressPort } from '../../net/address.ts'
import { type BuildingSocket, buildingSocket, sendFrom, type UdpPort } from '../../net/udp.ts'
import type { HopId, MediaEvent, SrtpKeys } from '../api.ts'
import { readU32 } from '../../protocol/rtp/octets.ts'
import { CHALLENGE, ECHO, PROBE, readPathMessage, RESPONSE, writePathMessage, type PathSubtype } from '../hop/path-message.ts'
import type { PacketPath } from '../packet-path.ts'
import { BridgeEnd, type EndWire } from '../plain/bridge-end.ts'
import { HopPackets } from './hop-packets.ts'

/** Every second the state is looked at and UDP is probed while it does not answer; then every 5 s. */
const CHECK_MS = 1000
const PROBE_MS = 5000
/** A way that did not answer for this long is dead, even if packets still come by it: ours may not arrive. */
const DEAD_MS = 3000
/** One by which nothing came either, sooner. */
const DEAD_AND_SILENT_MS = 2000
/** Echoes in a row until a way that died is trusted again: a flapping one would cost audio at every change. */
const TRUST_AGAIN = 3
const MAX_REMOTES = 8

export interface HopKeySet {
  readonly generation: number
  readonly remotes: readonly AddressPort[]
  readonly receive: SrtpKeys
  readonly send: SrtpKeys
  readonly probe: Ssrc
}

export interface HopOptions {
  readonly id: HopId
  readonly udp: UdpPort
  readonly scheduler: Scheduler
  readonly crypto: CryptoPort
  readonly emit: (e: MediaEvent) => void
  /** An authenticated RTP packet; `payload` is a copy. */
  readonly onMedia: (ssrc: Ssrc, timestamp: number, payload: Uint8Array) => void
}

/** One way: UDP or TLS. */
interface Way {
  alive: boolean
  heardAt: number
  /** Instant of the first question that was not answered; undefined: nothing open. */
  askedAt: number | undefined
  lastProbe: number
  /** Echoes still missing until it may be used. */
  missing: number
  token: Uint8Array
  roundTripMs: number | undefined
}

const newWay = (): Way => ({ alive: false, heardAt: Number.NEGATIVE_INFINITY, askedAt: undefined, lastProbe: Number.NEGATIVE_INFINITY, missing: 1, token: new Uint8Array(0), roundTripMs: undefined })

export class Hop {
  readonly id: HopId
  readonly #o: HopOptions
  readonly #packets: HopPackets
  readonly #sockets: BuildingSocket[] = []
  readonly #binding = [false, false]
  #remotes: readonly AddressPort[] = []
  /** The server's address that answered first. */
  #remote: AddressPort | undefined
  #tls: PacketPath | undefined
  readonly #udpWay = newWay()
  #tlsWay = newWay()
  #active: 'none' | 'udp' | 'tls' = 'none'
  #told = ''
  /** Bridged calls by the SSRC that comes from the server. */
  readonly #calls = new Map<Ssrc, BridgeEnd>()
  /** Their ends by the SSRC that goes there: kept while the keys are, so that none is numbered twice. */
  readonly #ends = new Map<Ssrc, BridgeEnd>()
  #stopTimer: (() => void) | undefined
  #closed = false
  probe = 0 as Ssrc
  #generation = 0
  /** The last one that was told to be worn. */
  #worn = 0

  constructor(options: HopOptions) {
    this.id = options.id
    this.#o = options
    this.#packets = new HopPackets(options.crypto, options.scheduler)
  }
  get active(): 'none' | 'udp' | 'tls' {
    return this.#active
  }
  /** Keys of the first or of a later generation. */
  open(keys: HopKeySet): void {
    const installed = this.#packets.install(keys.generation, keys.receive, keys.send)
    if (!installed.ok) {
      this.#fault(installed.fault)
      return
    }
    for (const [ssrc, end] of this.#ends) if (end.peer === undefined) this.#ends.delete(ssrc)
    this.#generation = keys.generation
    this.probe = keys.probe
    this.#remotes = keys.remotes.slice(0, MAX_REMOTES)
    if (this.#remote !== undefined && !this.#remotes.some((r) => sameAddress(r, this.#remote!))) this.#remote = undefined
    // Until the server hears the new keys it sends under the old, and may hear nothing else for seconds.
    if (this.#active === 'tls' || (this.#active === 'udp' && this.#remote !== undefined)) this.#ask(this.#wayInUse()!, this.#active === 'udp' ? this.#remote : undefined)
    void this.#bind()
  }
  /** The second TLS connection, or its end. */
  tls(path: PacketPath | undefined): void {
    this.#tls?.close()
    this.#tls = path
    this.#tlsWay = newWay()
    path?.onPacket((data) => this.#packet(data, undefined, path))
    if (path === undefined) this.#choose()
    else if (this.#generation > 0) this.#ask(this.#tlsWay, undefined)
  }
  /** One RTP packet of `ssrc`, protected, by the way that is in use. Lost when there is none. */
  send(ssrc: Ssrc, payloadType: number, timestamp: number, payload: Uint8Array, level?: number): void {
    if (this.#active === 'none') return
    const packet = this.#packets.sealRtp(ssrc, payloadType, timestamp, payload, level)
    if (packet !== undefined) this.#transmit(packet, packet.length, this.#active === 'tls' ? undefined : this.#remote)
  }
  /** The end of a bridged call here: what comes as `receive` goes to the other end, what that one gets goes out as `send`. */
  callEnd(send: Ssrc, receive: Ssrc): BridgeEnd {
    const end = this.#ends.get(send) ?? new BridgeEnd(this.#wire(send), this.#o.crypto, send)
    this.#ends.set(send, end)
    this.#calls.set(receive, end)
    return end
  }
  dropCall(receive: Ssrc): void {
    this.#calls.get(receive)?.untie()
    this.#calls.delete(receive)
  }
  #wire(send: Ssrc): EndWire {
    const transmit = (slot: Uint8Array, sealed: number): boolean => {
      if (sealed < 0 || this.#active === 'none') return false
      this.#transmit(slot, sealed, this.#active === 'tls' ? undefined : this.#remote)
      return true
    }
    return {
      slot: () => this.#socket(this.#active === 'udp' ? this.#remote : undefined)?.slot(),
      rtp: (slot, length, number) => transmit(slot, this.#packets.sealNumbered(slot, length, number)),
      rtcp: (slot, length) => void transmit(slot, this.#packets.sealReport(slot, length)),
      shift: () => this.#packets.shiftOf(send),
    }
  }
  close(): void {
    this.#closed = true
    // Frames may still come from the vault.
    this.#active = 'none'
    for (const receive of [...this.#calls.keys()]) this.dropCall(receive)
    this.#stopTimer?.()
    for (const s of this.#sockets.splice(0)) s.close()
    this.#tls?.close()
    this.#packets[Symbol.dispose]()
  }

  /** One socket for each family that the server has. */
  async #bind(): Promise<void> {
    for (const six of [false, true]) {
      if (this.#binding[six ? 1 : 0] || !this.#remotes.some((r) => r.address.includes(':') === six)) continue
      this.#binding[six ? 1 : 0] = true
      try {
        const socket = buildingSocket(await this.#o.udp.bind({ address: six ? '::' : '0.0.0.0', port: 0 }))
        if (this.#closed) return socket.close()
        socket.onMessage((data, from) => this.#packet(data, from, undefined))
        this.#sockets[six ? 1 : 0] = socket
        // Questions that were asked before there was a socket went nowhere.
        this.#udpWay.lastProbe = Number.NEGATIVE_INFINITY
      } catch (e) {
        this.#fault(makeFault('NET_BIND', e instanceof Error ? e.message : String(e)))
      }
    }
    this.#check()
  }
  #fault({ code, message }: Fault): void {
    this.#o.emit({ op: 'fault', code, message, about: `hop ${this.id}` })
  }

  /** Looks at both ways, asks where needed, and comes again in a second. */
  #check(): void {
    if (this.#closed) return
    this.#stopTimer?.()
    this.#packets.expire()
    const now = this.#o.scheduler.now()
    const udp = this.#udpWay
    if (this.#due(udp, now)) for (const r of this.#remote === undefined || !udp.alive ? this.#remotes : [this.#remote]) this.#ask(udp, r)
    if (this.#tls !== undefined && this.#due(this.#tlsWay, now)) this.#ask(this.#tlsWay, undefined)
    for (const way of [udp, this.#tlsWay]) {
      const unanswered = way.askedAt === undefined ? 0 : now - way.askedAt
      if (way.alive && (unanswered >= DEAD_MS || (unanswered >= DEAD_AND_SILENT_MS && now - way.heardAt >= DEAD_AND_SILENT_MS))) {
        way.alive = false
        way.missing = TRUST_AGAIN
      }
    }
    this.#choose()
    if (this.#worn < this.#generation && this.#packets.worn) {
      this.#worn = this.#generation
      this.#o.emit({ op: 'hop.worn', hop: this.id, generation: this.#generation })
    }
    this.#stopTimer = this.#o.scheduler.at(instant(now + CHECK_MS), () => this.#check())
  }
  #due(way: Way, now: number): boolean {
    // A way that carries nothing is asked at leisure; one in use that fell silent, at once.
    const quiet = way.alive && way.askedAt === undefined && !(this.#wayInUse() === way && now - way.heardAt >= CHECK_MS && now - way.lastProbe >= PROBE_MS / 2)
    return now - way.lastProbe >= (quiet ? PROBE_MS : CHECK_MS) - 1
  }
  #wayInUse(): Way | undefined {
    return this.#active === 'udp' ? this.#udpWay : this.#active === 'tls' ? this.#tlsWay : undefined
  }
  #ask(way: Way, to: AddressPort | undefined): void {
    const now = this.#o.scheduler.now()
    // The same token to all addresses of one round.
    if (now !== way.lastProbe) way.token = this.#o.crypto.bytes(8)
    way.lastProbe = now
    way.askedAt ??= now
    this.#say(PROBE, way.token, to, this.#wayInUse() === way)
  }
  #choose(): void {
    const before = this.#active
    const tls = this.#tls !== undefined && this.#tlsWay.alive
    if (this.#udpWay.alive) this.#active = 'udp'
    else if (tls) this.#active = 'tls'
    // With nothing alive the last way is kept: an outage ends where it began.
    else if (this.#active === 'tls' && this.#tls === undefined) this.#active = this.#remote === undefined ? 'none' : 'udp'
    // So that the server follows at once, even when we have nothing to say.
    if (this.#active !== before && this.#active !== 'none') this.#ask(this.#wayInUse()!, this.#active === 'udp' ? this.#remote : undefined)
    this.#tell()
  }
  #tell(): void {
    const way = this.#wayInUse()
    const path = way?.alive === true ? this.#active : 'none'
    if (path === this.#told) return
    this.#told = path
    const roundTripMs = way?.roundTripMs
    this.#o.emit({ op: 'hop.path', hop: this.id, path, ...(path === 'none' || roundTripMs === undefined ? {} : { roundTripMs }) })
  }

  #packet(data: Uint8Array, from: AddressPort | undefined, via: PacketPath | undefined): void {
    if (from === undefined ? via !== this.#tls : !this.#remotes.some((r) => sameAddress(r, from))) return
    const kind = this.#packets.open(data)
    if (kind === undefined) return
    const way = from === undefined ? this.#tlsWay : this.#udpWay
    way.heardAt = this.#o.scheduler.now()
    if (kind === 'rtp') this.#rtp(data)
    else this.#rtcp(data.subarray(0, this.#packets.length), way, from)
  }
  #rtp(data: Uint8Array): void {
    const h = this.#packets.header
    const call = this.#calls.get(h.ssrc)
    if (call !== undefined) call.peer?.forward(data, h, this.#packets.generation, this.#o.scheduler.now())
    else this.#o.onMedia(h.ssrc, h.timestamp, data.slice(h.payloadAt, h.payloadAt + h.payloadLength))
  }
  #rtcp(packet: Uint8Array, way: Way, from: AddressPort | undefined): void {
    const call = this.#calls.get(readU32(packet, 4) as Ssrc)
    if (call !== undefined) {
      call.report(packet)
      return
    }
    const message = readPathMessage(packet)
    if (!message.ok) return
    if (message.value.subtype === CHALLENGE) this.#say(RESPONSE, message.value.token, from, this.#wayInUse() === way)
    else if (message.value.subtype === ECHO) this.#echo(way, message.value.token, from)
  }
  #echo(way: Way, token: Uint8Array, from: AddressPort | undefined): void {
    if (!token.every((v, i) => v === way.token[i])) return
    way.roundTripMs = this.#o.scheduler.now() - way.lastProbe
    way.askedAt = undefined
    if (way.alive) return
    if (--way.missing > 0) return
    way.alive = true
    if (from !== undefined) this.#remote = copyAddress(from)
    this.#choose()
  }
  #say(subtype: PathSubtype, token: Uint8Array, to: AddressPort | undefined, use: boolean): void {
    const packet = this.#packets.sealRtcp((buf: Uint8Array) => writePathMessage(buf, { subtype, ssrc: this.probe, token, use }))
    if (packet !== undefined) this.#transmit(packet, packet.length, to)
  }
  #transmit(slot: Uint8Array, length: number, to: AddressPort | undefined): void {
    const socket = this.#socket(to)
    if (to === undefined) this.#tls?.send(slot.subarray(0, length))
    else if (socket !== undefined) sendFrom(socket, slot, length, to)
  }
  #socket(to: AddressPort | undefined): BuildingSocket | undefined {
    return to === undefined ? undefined : this.#sockets[to.address.includes(':') ? 1 : 0]
  }
}
