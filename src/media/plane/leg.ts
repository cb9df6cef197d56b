/** One client as the plane sees it: keys, where it is, what it may send, what it gets. */
import type { Ssrc } from '../../base/brand.ts'
import type { Random, Stop } from '../../base/ports.ts'
import { ok, type Result } from '../../base/result.ts'
import type { CryptoPort } from '../../crypto/port.ts'
import { type AddressPort, copyAddress, Destination, sameAddress } from '../../net/address.ts'
import { createSrtpSender, type SrtpSender } from '../../protocol/srtp/sender.ts'
import { HopReceiving } from '../hop/receiving.ts'
import type { PacketPath } from '../packet-path.ts'
import type { BridgeEnd } from '../plain/bridge-end.ts'
import { Rate } from './rate.ts'
import type { LegId, LegKeys, LegPath, LegSpec, LegStats, StreamStats } from './types.ts'
import type { SharedPlace } from './whereabouts.ts'

/** Four streams' worth from one client, and what a link gives back after a stall of two seconds; more where it has more streams. */
const PACKETS_PER_SECOND = 200
const PACKETS_AT_ONCE = 100
const STREAMS = 4
/** What is decrypted for a leg when it comes from elsewhere than the leg's own address: enough for a client that moved. */
const ELSEWHERE_PER_SECOND = 120
const ELSEWHERE_AT_ONCE = 60

/** An address from which the client was heard but where it has not proved to be. */
interface Candidate {
  readonly address: AddressPort
  readonly token: Uint8Array
  /** Octets that may still be sent there: three times what came from there (RFC 9000 §8.1 has the same bound). */
  credit: number
  challengedAt: number
}

const AMPLIFICATION = 3
const CHALLENGE_EVERY_MS = 100
const TOKEN_OCTETS = 8

export class Leg {
  readonly id: LegId
  readonly probe: Ssrc
  /** This plane exchanges its path messages, and finds out where it is. */
  readonly home: boolean
  /** Where its home writes that and others read it; undefined where there are none. */
  readonly #place: SharedPlace | undefined
  #seen = 0
  readonly receiving: HopReceiving
  sender: SrtpSender
  /** Waits until the client is heard under its generation, so that nothing is sent that it cannot open yet. */
  nextSender: SrtpSender | undefined
  /** Until then at most the old keys are taken beside the new ones. */
  stopHandover: Stop | undefined
  address: Destination | undefined
  candidate: Candidate | undefined
  path: PacketPath | undefined
  active: LegPath = 'none'
  heardAt = Number.NEGATIVE_INFINITY
  /** What its home was told last. */
  told: { readonly from: AddressPort | undefined; readonly at: number } | undefined
  received = 0
  receivedOctets = 0
  sent = 0
  sentOctets = 0
  refused = 0
  limited = 0
  unsent = 0
  /** The ends of bridged calls at this client by the SSRC that it is sent: kept while its keys are, so that none is numbered twice. */
  readonly ends = new Map<Ssrc, BridgeEnd>()
  readonly #rate: Rate
  readonly #elsewhere: Rate
  readonly #random: Random

  constructor(id: LegId, { probe, home = true }: LegSpec, receiving: HopReceiving, sender: SrtpSender, random: Random, now: number, place?: SharedPlace) {
    this.id = id
    this.probe = probe
    this.home = home
    this.#place = place
    this.receiving = receiving
    this.sender = sender
    this.#random = random
    this.#rate = new Rate(PACKETS_PER_SECOND, PACKETS_AT_ONCE, now)
    this.#elsewhere = new Rate(ELSEWHERE_PER_SECOND, ELSEWHERE_AT_ONCE, now)
  }
  static open(id: LegId, spec: LegSpec, crypto: CryptoPort, now: number, place?: SharedPlace): Result<Leg> {
    const sender = createSrtpSender(crypto, spec.send)
    if (!sender.ok) return sender
    const receiving = new HopReceiving(crypto)
    const installed = receiving.install(spec.generation, spec.receive, now)
    return installed.ok ? ok(new Leg(id, spec, receiving, sender.value, crypto, now, place)) : installed
  }
  /** The client may not have these keys yet: we send under the old ones until it is heard under the new. */
  rekey(keys: LegKeys, crypto: CryptoPort, now: number): Result<void> {
    const sender = createSrtpSender(crypto, keys.send)
    if (!sender.ok) return sender
    const installed = this.receiving.install(keys.generation, keys.receive, now)
    if (!installed.ok) return installed
    this.nextSender?.[Symbol.dispose]()
    this.nextSender = sender.value
    return installed
  }
  /** Before any cryptography: may this leg cost us one more packet? `from` undefined: by its path. */
  admits(from: AddressPort | undefined, now: number): boolean {
    const home = from === undefined || (this.address !== undefined && sameAddress(this.address, from))
    // Strangers that name this leg's streams must not use up what the leg itself may send.
    if ((home ? this.#rate : this.#elsewhere).take(now)) return true
    this.limited++
    return false
  }
  /** How many streams it may send. */
  set streams(n: number) {
    const times = Math.max(1, n / STREAMS)
    this.#rate.set(times * PACKETS_PER_SECOND, times * PACKETS_AT_ONCE)
  }
  switchSender(): void {
    if (this.nextSender === undefined) return
    for (const [ssrc, end] of this.ends) if (end.peer === undefined) this.ends.delete(ssrc)
    this.sender[Symbol.dispose]()
    this.sender = this.nextSender
    this.nextSender = undefined
  }
  /**
   * An authenticated packet with the newest index came from `from`. Gives the token to challenge it
   * with when the leg is not known to be there and a challenge is due.
   */
  heardFrom(from: AddressPort, octets: number, now: number): Uint8Array | undefined {
    if (this.address !== undefined && sameAddress(this.address, from)) {
      this.candidate = undefined
      return undefined
    }
    let c = this.candidate
    if (c === undefined || !sameAddress(c.address, from)) {
      c = { address: copyAddress(from), token: this.#random.bytes(TOKEN_OCTETS), credit: 0, challengedAt: Number.NEGATIVE_INFINITY }
      this.candidate = c
    }
    c.credit = Math.min(c.credit + AMPLIFICATION * octets, 1500)
    if (now - c.challengedAt < CHALLENGE_EVERY_MS) return undefined
    c.challengedAt = now
    return c.token
  }
  /** The client echoed a challenge from this address: it moves there. False when that is not what we asked. */
  proved(from: AddressPort, token: Uint8Array): boolean {
    const c = this.candidate
    if (c === undefined || !sameAddress(c.address, from) || !token.every((v, i) => v === c.token[i])) return false
    this.address = new Destination(c.address)
    this.candidate = undefined
    if (this.active === 'none') this.active = 'udp'
    return true
  }
  /** At its home, whenever `address` or `active` changed: everybody else goes by it from now on. */
  tell(): void {
    if (this.home) this.#place?.write(this)
  }
  /** Elsewhere, before anything depends on where it is: what its home found out. */
  look(): void {
    const place = this.#place
    if (place === undefined || this.home) return
    const { version } = place
    if (version === this.#seen) return
    const found = place.read()
    if (found === undefined) return
    this.#seen = version
    this.address = found.address && new Destination(found.address)
    this.active = found.active
  }
  /** Whether `octets` may go to an address, proved or on credit. */
  maySendTo(to: AddressPort, octets: number): boolean {
    if (this.address !== undefined && sameAddress(this.address, to)) return true
    const c = this.candidate
    if (c === undefined || !sameAddress(c.address, to) || c.credit < octets) return false
    c.credit -= octets
    return true
  }
  stats(streams: readonly StreamStats[]): LegStats {
    return {
      leg: this.id, kind: 'hop', home: this.home, streams, path: this.active, address: this.address && copyAddress(this.address), received: this.received, receivedOctets: this.receivedOctets,
      sent: this.sent, sentOctets: this.sentOctets, refused: this.refused, limited: this.limited, unsent: this.unsent, lastHeardAt: Number.isFinite(this.heardAt) ? this.heardAt : undefined,
    }
  }
  dispose(): void {
    this.stopHandover?.()
    this.receiving[Symbol.dispose]()
    this.sender[Symbol.dispose]()
    this.nextSender?.[Symbol.dispose]()
    this.path?.close()
  }
}
