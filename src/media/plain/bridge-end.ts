/**
 * One end of a bridged call: the stream that goes out there, whatever carries it. Two ends that are
 * tied together make a translator in the sense of RFC 3550 §7.2.
 */
import type { Ssrc } from '../../base/brand.ts'
import type { RtpHeader } from '../../protocol/rtp/header.ts'
import { readU32, writeU16, writeU32 } from '../../protocol/rtp/octets.ts'
import type { Random } from '../../base/ports.ts'
import { parseRtcp } from '../../protocol/rtp/rtcp-parse.ts'
import { writeRtcp } from '../../protocol/rtp/rtcp.ts'
import { copyOctets } from '../../net/udp.ts'
import { MAX_PACKET } from '../hop/receiving.ts'
import { translateReport } from './reports.ts'
import { Translator } from './translator.ts'

/** What protection may add: tag and SRTCP index. */
const SLACK = 64
const HEADER = 12
/** Of the telephone codecs (RFC 3551 §4.5.2). */
const CLOCK_RATE = 8000

/** What a packet goes out by. */
export interface EndWire {
  /** Where it builds its next RTP packet itself; left out or undefined: anywhere. */
  slot?(): Uint8Array | undefined
  /** An RTP packet in the first `length` octets of `slot`, which has room for a tag. False: not sent. */
  rtp(slot: Uint8Array, length: number, number: number): boolean
  /** An RTCP compound likewise. */
  rtcp(slot: Uint8Array, length: number): void
  now?(): number
  /** What the wire added to the numbers of our stream. */
  shift(): number
}

/** Packets of silence for a peer that must hear something all the time (`rtp_timeout` of a PBX). */
export interface Filling {
  readonly payloadType: number
  /** One packet of encoded silence; it is sent again and again. */
  readonly payload: Uint8Array
  /** Time of one packet, a multiple of 20 ms. */
  readonly ptimeMs: number
  /** Silence of the other side after which it begins. */
  readonly afterMs: number
}

/** A packet on its way through, as whoever stands between the two ends sees it. */
export interface TakenPacket {
  readonly ssrc: Ssrc
  readonly generation: number
  readonly sequence: number
  readonly timestamp: number
  readonly marker: boolean
  readonly payloadType: number
  /** A copy. */
  readonly payload: Uint8Array
}

export class BridgeEnd {
  /** Gets what would go out here, and passes on by `pass` what of it may. */
  gate: ((p: TakenPacket) => void) | undefined
  readonly ssrc: Ssrc
  clockRate = CLOCK_RATE
  readonly translator: Translator
  readonly #wire: EndWire
  readonly #slot = new Uint8Array(MAX_PACKET + SLACK)
  /** The end at which our stream comes in. */
  peer: BridgeEnd | undefined
  /** Sent; octets of payload, as a sender report counts. */
  packets = 0
  octets = 0
  /** Instant of the last packet that came from the peer. */
  forwardedAt = Number.NEGATIVE_INFINITY

  /** The SSRC is random where none is given. */
  constructor(wire: EndWire, random: Random, ssrc = readU32(random.bytes(4), 0) as Ssrc) {
    this.ssrc = ssrc
    this.#wire = wire
    this.translator = new Translator(CLOCK_RATE, readU32(random.bytes(4), 0) & 0x7fff, readU32(random.bytes(4), 0))
  }
  /** Ties two ends together, with the clock of `a`; what they were tied to before is let go. */
  static tie(a: BridgeEnd, b: BridgeEnd): void {
    a.untie()
    b.untie()
    a.peer = b
    b.peer = a
    a.setClock(a.clockRate)
  }
  /** As negotiated: one codec runs through a bridge, so both ends have one clock. */
  setClock(hz = CLOCK_RATE): void {
    for (const end of [this, this.peer]) {
      if (end === undefined) continue
      end.clockRate = hz
      end.translator.clockRate = hz
    }
  }
  untie(): void {
    if (this.peer !== undefined) this.peer.peer = undefined
    this.peer = undefined
  }
  /**
   * Sends on a packet that came in at the peer. Payload, its type and the marker stay; contributing
   * sources, extensions and padding do not cross: what they tell is not for the other side.
   */
  forward(packet: Uint8Array, header: RtpHeader, generation: number, now: number): void {
    if (this.gate !== undefined) {
      const { ssrc, sequence, timestamp, marker, payloadType, payloadAt, payloadLength } = header
      return this.gate({ ssrc, generation, sequence, timestamp, marker, payloadType, payload: packet.slice(payloadAt, payloadAt + payloadLength) })
    }
    const t = this.translator
    if (!t.translate(header.ssrc, generation, header.sequence, header.timestamp, now)) return
    const { payloadAt, payloadLength } = header
    this.forwardedAt = now
    const slot = this.#wire.slot?.() ?? this.#slot
    // All of it where the payload stands where it will, which is a fifth of the work: its header is written over, what stands behind is not sent.
    if (payloadAt === HEADER) slot.set(packet)
    else copyOctets(packet, payloadLength, slot, payloadAt, HEADER)
    this.#send(slot, header.payloadType, header.marker || t.begins, payloadLength)
  }
  /** Sends on what a gate let through. */
  pass(p: TakenPacket, now = this.#wire.now?.() ?? 0): void {
    const t = this.translator
    if (!t.translate(p.ssrc, p.generation, p.sequence, p.timestamp, now)) return
    this.forwardedAt = now
    this.#slot.set(p.payload, HEADER)
    this.#send(this.#slot, p.payloadType, p.marker || t.begins, p.payload.length)
  }
  fill(filling: Filling, now: number): void {
    this.translator.fill((filling.ptimeMs * this.clockRate) / 1000, now)
    this.#slot.set(filling.payload, HEADER)
    this.#send(this.#slot, filling.payloadType, this.translator.begins, filling.payload.length)
  }
  #send(slot: Uint8Array, payloadType: number, marker: boolean, payloadLength: number): void {
    const { number, timestamp } = this.translator
    slot[0] = 0x80
    slot[1] = payloadType | (marker ? 0x80 : 0)
    writeU16(slot, 2, number % 0x1_0000)
    writeU32(slot, 4, timestamp)
    writeU32(slot, 8, this.ssrc)
    if (!this.#wire.rtp(slot, HEADER + payloadLength, number)) return
    this.packets++
    this.octets += payloadLength
  }
  /** A compound that came in here, in clear: what of it concerns the other side goes out there. False: it is malformed. */
  report(compound: Uint8Array): boolean {
    const parsed = parseRtcp(compound)
    if (!parsed.ok) return false
    const other = this.peer
    const translated = other === undefined ? undefined : translateReport(parsed.value, this, other)
    if (translated !== undefined) other!.sendRtcp(writeRtcp(translated))
    return true
  }
  sendRtcp(compound: Uint8Array): void {
    if (compound.length > MAX_PACKET) return
    this.#slot.set(compound)
    this.#wire.rtcp(this.#slot, compound.length)
  }
  /** Where a sequence number of ours on the wire stands at its source. */
  originOf(wireSequence: number): number | undefined {
    return this.translator.origin(wireSequence - this.#wire.shift())
  }
}
