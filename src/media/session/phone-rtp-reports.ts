/** RTCP towards a phone: a sender report with one reception block every five seconds (RFC 3550 §6.2, §6.4). */
import { instant } from '../../base/brand.ts'
import { toHex } from '../../base/bytes.ts'
import type { Scheduler } from '../../base/ports.ts'
import type { AddressPort } from '../../net/address.ts'
import type { UdpSocket } from '../../net/udp.ts'
import { cname, writeRtcp } from '../../protocol/rtp/rtcp.ts'
import type { RtpPhoneMedia } from '../api.ts'
import type { RtpReceiving } from './phone-rtp-receive.ts'
import type { RtpSending } from './phone-rtp-send.ts'

const EVERY_MS = 5000
/** Seconds from 1900 (NTP) to 1970. */
const NTP_OFFSET = 2_208_988_800n
const SLOT = 256

export class RtpReports implements Disposable {
  readonly #socket: UdpSocket
  readonly #sending: RtpSending
  readonly #receiving: RtpReceiving
  readonly #slot = new Uint8Array(SLOT)
  /** Wall time in ms at instant 0, so that reports agree with each other. */
  readonly #epochMs: number
  #due: number
  #send = true

  constructor(socket: UdpSocket, scheduler: Scheduler, sending: RtpSending, receiving: RtpReceiving) {
    this.#socket = socket
    this.#sending = sending
    this.#receiving = receiving
    this.#epochMs = scheduler.unix() * 1000 - scheduler.now()
    this.#due = scheduler.now() + EVERY_MS
    // What the phone reports is not needed: nothing here adapts to it.
    socket.onMessage(() => {})
  }
  set(media: RtpPhoneMedia): void {
    this.#send = media.send
  }
  tick(nowMs: number, rtp: AddressPort): void {
    if (nowMs < this.#due) return
    this.#due = nowMs + EVERY_MS
    if (!this.#send || this.#sending.packets === 0) return
    const report = this.#compound(nowMs)
    this.#slot.set(report)
    const length = this.#sending.protectRtcp(this.#slot, report.length)
    if (length >= 0) this.#socket.send(this.#slot.subarray(0, length), { address: rtp.address, port: rtp.port + 1 })
  }
  #compound(nowMs: number): Uint8Array {
    const { ssrc, lastTimestamp, packets, octets } = this.#sending
    const wallMs = this.#epochMs + nowMs
    const ntp = ((BigInt(Math.floor(wallMs / 1000)) + NTP_OFFSET) << 32n) | BigInt(Math.floor((wallMs % 1000) * 4_294_967.295))
    const reports = this.#receiving.reception === undefined ? [] : [this.#receiving.reception.report(instant(nowMs))]
    // The name is the stream's number: a person's or a machine's would tell the phone's network more than it needs.
    const name = toHex(Uint8Array.of(ssrc >>> 24, ssrc >>> 16, ssrc >>> 8, ssrc))
    return writeRtcp([
      { kind: 'sr', ssrc, ntp, timestamp: lastTimestamp, packets: packets % 0x100000000, octets: octets % 0x100000000, reports },
      cname(ssrc, name),
    ])
  }
  [Symbol.dispose](): void {
    this.#slot.fill(0)
  }
}
