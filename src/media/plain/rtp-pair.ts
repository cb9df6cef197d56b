/** Ports for RTP and RTCP: an even one with the odd one above it (RFC 3550 §11), from a range or from the system. */
import type { Clock } from '../../base/ports.ts'
import type { Result } from '../../base/result.ts'
import { err, ok } from '../../base/result.ts'
import type { AddressPort } from '../../net/address.ts'
import { type BuildingSocket, buildingSocket, type UdpPort } from '../../net/udp.ts'

const TRIES = 64
/** Packets of a call that ended are still on their way; a new call must not get them. */
const REUSE_MS = 10_000

export interface RtpPair {
  readonly rtp: BuildingSocket
  readonly rtcp: BuildingSocket
}

const built = async (udp: UdpPort, at: AddressPort): Promise<BuildingSocket> => buildingSocket(await udp.bind(at))

/** Inclusive. */
export interface PortRange {
  readonly first: number
  readonly last: number
}

const reason = (e: unknown): string => (e instanceof Error ? e.message : String(e))

/** Ports that the system picks. */
export async function bindRtpPair(udp: UdpPort, address: string): Promise<Result<RtpPair>> {
  let last = 'no even port with a free neighbour'
  for (let i = 0; i < TRIES; i++) {
    let first: BuildingSocket
    try {
      first = await built(udp, { address, port: 0 })
    } catch (e) {
      return err('NET_BIND', reason(e))
    }
    const { port } = first.local
    try {
      // An odd port found first is the RTCP half.
      const second = await built(udp, { address, port: port % 2 === 0 ? port + 1 : port - 1 })
      return ok(port % 2 === 0 ? { rtp: first, rtcp: second } : { rtp: second, rtcp: first })
    } catch (e) {
      last = reason(e)
      first.close()
    }
  }
  return err('NET_BIND', last)
}

/** Pairs of a range, one after the other around the circle; a pair given back rests before it is used again. */
export class RtpPorts {
  readonly #clock: Clock
  readonly #first: number
  readonly #pairs: number
  /** By pair: when it may be used again; infinity while it is in use. */
  readonly #freeAt = new Map<number, number>()
  #next = 0

  constructor(clock: Clock, range: PortRange) {
    this.#clock = clock
    this.#first = range.first + (range.first % 2)
    this.#pairs = Math.max(0, Math.floor((range.last - this.#first + 1) / 2))
  }
  /** Fails with MEDIA_PORTS when no pair is free. */
  async bind(udp: UdpPort, address: string): Promise<Result<RtpPair>> {
    let taken = 'all are in use'
    for (let i = 0; i < Math.min(this.#pairs, TRIES); i++) {
      const port = this.#take()
      if (port === undefined) break
      const bound = await bindBoth(udp, address, port)
      if (bound.ok) return ok(this.#lent(bound.value, port))
      this.#freeAt.set(port, this.#clock.now() + REUSE_MS)
      taken = bound.fault.message
    }
    return err('MEDIA_PORTS', taken)
  }
  #take(): number | undefined {
    const now = this.#clock.now()
    for (let i = 0; i < this.#pairs; i++) {
      const port = this.#first + 2 * this.#next
      this.#next = (this.#next + 1) % this.#pairs
      if ((this.#freeAt.get(port) ?? now) > now) continue
      this.#freeAt.set(port, Number.POSITIVE_INFINITY)
      return port
    }
    return undefined
  }
  #lent(pair: RtpPair, port: number): RtpPair {
    const rtp: BuildingSocket = {
      local: pair.rtp.local,
      slot: () => pair.rtp.slot(),
      sendSlot: (length, to) => pair.rtp.sendSlot(length, to),
      send: (data, to) => pair.rtp.send(data, to),
      onMessage: (listener) => pair.rtp.onMessage(listener),
      close: () => {
        pair.rtp.close()
        this.#freeAt.set(port, this.#clock.now() + REUSE_MS)
      },
    }
    return { rtp, rtcp: pair.rtcp }
  }
}

async function bindBoth(udp: UdpPort, address: string, port: number): Promise<Result<RtpPair>> {
  let rtp: BuildingSocket | undefined
  try {
    rtp = await built(udp, { address, port })
    return ok({ rtp, rtcp: await built(udp, { address, port: port + 1 }) })
  } catch (e) {
    rtp?.close()
    return err('NET_BIND', reason(e))
  }
}
