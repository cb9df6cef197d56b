/**
 * The way over UDP to a PBX or provider in several places. Nobody answers in a place from which nothing at all has come for as long as three copies of
 * a request took: then the next one is asked (RFC 3263 §4.3), and whoever waits for an answer is told so. There it stays while it answers.
 */
import { instant } from '../base/brand.ts'
import type { AddressPort } from '../net/address.ts'
import { clientKey, parseMessage, tagOf } from '../protocol/sip/index.ts'
import { keepAlive, onlyFrom, type PbxTransport, type PbxTransportOptions } from './pbx-transport.ts'
import { sameFlow, type SipFlow, type SipTransport, type TransportListener } from './transport.ts'

/** INVITE and all else go out at 0, 0.5 and 1.5 s (RFC 3261 §17.1); less than what a caller is left without a word for. */
const SILENT_MS = 3000
/** Requests that are waited for at once in all places, and requests remembered of which a place said nothing. */
const WAITING_LIMIT = 200
const UNHEARD_LIMIT = 200

/** One request in one place. */
interface Waiting {
  readonly place: number
  stop(): void
}

export class UdpWay implements PbxTransport {
  readonly name = 'UDP'
  readonly #o: Pick<PbxTransportOptions, 'remotes' | 'scheduler' | 'keepAliveMs'>
  readonly #udp: SipTransport
  readonly #flows: readonly SipFlow[]
  #at = 0
  #listener: TransportListener | undefined
  #stopKeeping: () => void = () => {}
  /** By transaction. */
  readonly #waiting = new Map<string, Waiting>()
  /** Places that said nothing to a request, by what it is called in each of them; the oldest first. */
  readonly #unheard = new Map<string, Set<number>>()
  /** Places that have said something: they may do so again, through the NAT. */
  readonly #known = new Set<number>()

  constructor(options: Pick<PbxTransportOptions, 'remotes' | 'scheduler' | 'keepAliveMs'>, udp: SipTransport) {
    this.#o = options
    this.#udp = udp
    this.#flows = options.remotes.map((remote) => ({ transport: 'UDP', local: udp.local, remote }))
    if (options.keepAliveMs !== undefined) this.#keepOpen(options.keepAliveMs)
  }
  get local(): AddressPort {
    return this.#udp.local
  }
  way(within?: SipFlow): SipFlow {
    return this.#flows[within === undefined ? this.#at : (this.#placeOf(within) ?? this.#at)]!
  }
  listen(listener: TransportListener): void {
    this.#listener = onlyFrom(this.#o.remotes, listener)
    this.#udp.listen({
      message: (data, flow) => {
        this.#heard(flow)
        this.#listener?.message(data, flow)
      },
      lost: (flow) => listener.lost(flow),
    })
  }
  send(data: Uint8Array, flow: SipFlow): boolean {
    if (this.#flows.length > 1) this.#sent(data, flow)
    return this.#udp.send(data, flow)
  }
  close(): void {
    for (const w of this.#waiting.values()) w.stop()
    this.#waiting.clear()
    this.#stopKeeping()
    this.#udp.close()
  }

  /** Some send from another port than the one that they are asked at. */
  #placeOf(flow: SipFlow): number | undefined {
    const exact = this.#flows.findIndex((f) => sameFlow(f, flow))
    if (exact >= 0) return exact
    if (this.#flows[this.#at]!.remote.address === flow.remote.address) return this.#at
    const near = this.#flows.findIndex((f) => f.remote.address === flow.remote.address)
    return near >= 0 ? near : undefined
  }

  /** Only what the place itself answers says whether somebody is there; all else may have to cross half the world, or wait for a person. */
  #sent(data: Uint8Array, flow: SipFlow): void {
    const place = this.#flows.findIndex((f) => sameFlow(f, flow))
    const parsed = place < 0 || isResponse(data) ? undefined : parseMessage(data, { stream: false })
    if (parsed?.ok !== true || parsed.value.kind !== 'request') return
    const request = parsed.value
    if (!ANSWERED_THERE.has(request.method) || tagOf(request.to) !== '') return
    const transaction = clientKey(request)
    if (this.#waiting.has(transaction) || this.#waiting.size >= WAITING_LIMIT) return
    const since = this.#o.scheduler.now()
    const stop = this.#after(SILENT_MS, () => {
      this.#waiting.delete(transaction)
      this.#silent(place, `${request.callId} ${request.cseq.number} ${request.method}`, this.#o.scheduler.now() - since)
    })
    this.#waiting.set(transaction, { place, stop })
  }
  #heard(flow: SipFlow): void {
    const place = this.#placeOf(flow)
    if (place === undefined) return
    this.#known.add(place)
    for (const [transaction, w] of this.#waiting) {
      if (w.place !== place) continue
      w.stop()
      this.#waiting.delete(transaction)
    }
  }
  /** A request that no place answers moves nobody around in circles: where it came last it may wait. */
  #silent(place: number, request: string, forMs: number): void {
    const unheard = this.#unheard.get(request) ?? new Set()
    this.#unheard.delete(request)
    this.#unheard.set(request, unheard.add(place))
    if (this.#unheard.size > UNHEARD_LIMIT) this.#unheard.delete(this.#unheard.keys().next().value!)
    const next = place === this.#at ? (this.#at + 1) % this.#flows.length : this.#at
    if (unheard.has(next)) return
    this.#at = next
    this.#listener?.silent?.(this.#flows[place]!, forMs)
  }

  /** After a move the place before still has our contact, and may have calls for it. */
  #keepOpen(everyMs: number): void {
    this.#stopKeeping = this.#after(everyMs, () => {
      for (const place of new Set([this.#at, ...this.#known])) this.#udp.send(keepAlive, this.#flows[place]!)
      this.#keepOpen(everyMs)
    })
  }
  #after(ms: number, run: () => void): () => void {
    const { scheduler } = this.#o
    return scheduler.at(instant(scheduler.now() + ms), run)
  }
}

/** 100 for an INVITE (RFC 3261 §17.2.1), the registrar's word, and whether somebody is there at all. */
const ANSWERED_THERE: ReadonlySet<string> = new Set(['REGISTER', 'INVITE', 'OPTIONS'])

const isResponse = (data: Uint8Array): boolean => data[0] === 0x53 && data[1] === 0x49 && data[2] === 0x50 && data[3] === 0x2f
