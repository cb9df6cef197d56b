/** A SIP phone reduced to its RTP: says a tone, records what it hears, presses keys, falls silent. */
import type { FrameCodec } from '../../src/audio/codec.ts'
import { codecFactory } from '../../src/audio/codecs.ts'
import { joinPcm } from '../../src/audio/join-pcm.ts'
import { instant } from '../../src/base/brand.ts'
import type { Scheduler } from '../../src/base/ports.ts'
import type { HandsetMedia, RtpPhoneMedia } from '../../src/media/api.ts'
import type { AddressPort } from '../../src/net/address.ts'
import type { UdpSocket } from '../../src/net/udp.ts'
import { looksLikeRtcp, newRtpHeader, parseRtp } from '../../src/protocol/rtp/header.ts'
import { writeU16, writeU32 } from '../../src/protocol/rtp/octets.ts'
import { encodeTelephoneEvent, eventOfDigit } from '../../src/protocol/rtp/telephone-event.ts'
import { tone } from './room-tones.ts'

export interface PhoneOptions {
  readonly codec?: RtpPhoneMedia['codec']
  readonly ptimeMs?: number
  /** What it says; none: silence, but packets. */
  readonly hz?: number
}

export class SimPhone {
  readonly socket: UdpSocket
  readonly media: RtpPhoneMedia
  /** Packets that came: instant, timestamp, marker. */
  readonly got: { readonly at: number; readonly timestamp: number; readonly sequence: number; readonly marker: boolean; readonly payload: Uint8Array }[] = []
  readonly heard: Int16Array[] = []
  /** Whether it sends at all. */
  talking = true
  /** Comfort noise instead of sound. */
  comfortNoise = false
  ssrc = 0xabcd0001
  #remote: AddressPort | undefined
  readonly #clock: Scheduler
  readonly #codec: FrameCodec
  readonly #decoder: FrameCodec
  readonly #speech: Int16Array
  readonly #header = newRtpHeader()
  #at = 0
  #sequence = 100
  #timestamp = 5000
  #next: number
  #stop: () => void = () => {}

  constructor(clock: Scheduler, socket: UdpSocket, options: PhoneOptions = {}) {
    const codec = options.codec ?? 'g722'
    this.#clock = clock
    this.socket = socket
    this.media = {
      kind: 'rtp', codec, payloadType: { g722: 9, pcmu: 0, pcma: 8, opus: 111 }[codec], telephoneEvent: 101,
      ptimeMs: options.ptimeMs ?? 20, remote: socket.local, hold: false, send: true,
    }
    this.#codec = codecFactory().create(codec)
    this.#decoder = codecFactory().create(codec)
    this.#speech = options.hz === undefined ? new Int16Array(16_000) : tone(options.hz)
    this.#next = clock.now()
    socket.onMessage((data) => this.#packet(data))
  }
  /** Starts sending to where the call was answered. */
  start(remote: AddressPort): void {
    this.#remote = remote
    this.#next = this.#clock.now()
    this.#tick()
  }
  stop(): void {
    this.#stop()
  }
  held(hold: boolean): HandsetMedia {
    return { ...this.media, hold, send: !hold }
  }
  #tick(): void {
    const samples = this.media.ptimeMs * 16
    const pcm = new Int16Array(samples)
    for (let i = 0; i < samples; i++) pcm[i] = this.#speech[(this.#at + i) % this.#speech.length]!
    this.#at += samples
    if (this.talking) {
      if (this.comfortNoise) this.#send(13, this.#timestamp, Uint8Array.of(70))
      else this.#send(this.media.payloadType, this.#timestamp, this.#codec.encode(pcm))
    }
    this.#timestamp = (this.#timestamp + (this.media.ptimeMs * this.#codec.clockRate) / 1000) >>> 0
    this.#next += this.media.ptimeMs
    this.#stop = this.#clock.at(instant(this.#next), () => this.#tick())
  }
  /** RFC 4733: while pressed in place of sound, the end three times. */
  press(digit: string): void {
    const timestamp = this.#timestamp
    const event = eventOfDigit(digit)!
    for (const duration of [160, 320, 480, 640]) this.#send(101, timestamp, encodeTelephoneEvent({ event, end: false, volume: 10, duration }))
    for (let i = 0; i < 3; i++) this.#send(101, timestamp, encodeTelephoneEvent({ event, end: true, volume: 10, duration: 800 }))
  }
  packet(payloadType: number, timestamp: number, payload: Uint8Array, sequence: number): Uint8Array {
    const p = new Uint8Array(12 + payload.length)
    p[0] = 0x80
    p[1] = payloadType
    writeU16(p, 2, sequence)
    writeU32(p, 4, timestamp)
    writeU32(p, 8, this.ssrc)
    p.set(payload, 12)
    return p
  }
  #send(payloadType: number, timestamp: number, payload: Uint8Array): void {
    this.socket.send(this.packet(payloadType, timestamp, payload, this.#sequence++ & 0xffff), this.#remote!)
  }
  #packet(data: Uint8Array): void {
    const h = this.#header
    if (looksLikeRtcp(data, data.length) || parseRtp(data, data.length, h) < 0) return
    const payload = data.slice(h.payloadAt, h.payloadAt + h.payloadLength)
    this.got.push({ at: this.#clock.now(), timestamp: h.timestamp, sequence: h.sequence, marker: h.marker, payload })
    const pcm = this.#decoder.decode(payload)
    if (pcm !== undefined) this.heard.push(pcm)
  }
  takeHeard(): Int16Array {
    return joinPcm(this.heard.splice(0))
  }
}
