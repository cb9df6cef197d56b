/** A SIP phone's media: RTP in and out of the leg that SDP negotiated, always continuous towards the phone. */
import type { CodecFactory } from '../../audio/codecs.ts'
import { Reclock } from '../../audio/reclock.ts'
import type { Scheduler } from '../../base/ports.ts'
import { ok, type Result } from '../../base/result.ts'
import type { CryptoPort } from '../../crypto/port.ts'
import type { MediaEvent, PhoneId, RtpPhoneMedia } from '../api.ts'
import type { PhoneLeg } from './phone.ts'
import { RtpReceiving } from './phone-rtp-receive.ts'
import { RtpReports } from './phone-rtp-reports.ts'
import { RtpSending } from './phone-rtp-send.ts'
import { RtpSource } from '../plain/source.ts'
import type { RtpPair } from '../plain/rtp-pair.ts'

/** Shown as silent after this; never more than a display (a muted phone may stop sending, DESIGN §5). */
const SILENT_MS = 2000

export interface RtpPhoneOptions {
  readonly id: PhoneId
  readonly pair: RtpPair
  readonly media: RtpPhoneMedia
  readonly codecs: CodecFactory
  readonly crypto: CryptoPort
  readonly scheduler: Scheduler
  readonly emit: (e: MediaEvent) => void
}

/** Fails where the SRTP keys have the wrong size. */
export function rtpPhone(options: RtpPhoneOptions): Result<PhoneLeg> {
  const leg = new RtpPhone(options)
  const ready = leg.negotiate(options.media)
  return ready.ok ? ok(leg) : ready
}

class RtpPhone implements PhoneLeg {
  readonly #o: RtpPhoneOptions
  readonly #reclock = new Reclock()
  readonly #source: RtpSource
  readonly #receiving: RtpReceiving
  readonly #sending: RtpSending
  readonly #reports: RtpReports
  #media: RtpPhoneMedia
  #heardAt: number
  #silent = false

  constructor(options: RtpPhoneOptions) {
    const { id, pair, media, codecs, crypto, scheduler, emit } = options
    this.#o = options
    this.#media = media
    this.#source = new RtpSource(media.remote)
    this.#receiving = new RtpReceiving(crypto, codecs, {
      audio: (pcm, missing) => this.#reclock.push(pcm, missing, scheduler.now()),
      digit: (digit) => emit({ op: 'phone.dtmf', phone: id, digit }),
    })
    this.#sending = new RtpSending(crypto, codecs, (packet) => pair.rtp.send(packet, this.#source.target))
    this.#reports = new RtpReports(pair.rtcp, scheduler, this.#sending, this.#receiving)
    this.#heardAt = scheduler.now()
    pair.rtp.onMessage((data, from) => this.#packet(data, from))
  }
  get local(): PhoneLeg['local'] {
    return this.#o.pair.rtp.local
  }
  set(media: Parameters<PhoneLeg['set']>[0]): boolean {
    return media.kind === 'rtp' && this.negotiate(media).ok
  }
  negotiate(media: RtpPhoneMedia): Result<void> {
    const receiving = this.#receiving.set(media)
    if (!receiving.ok) return receiving
    const sending = this.#sending.set(media)
    if (!sending.ok) return sending
    this.#source.negotiate(media.remote)
    this.#reports.set(media)
    this.#media = media
    // A phone on hold must not play its music into the room.
    this.#reclock.muted = media.hold
    return ok(undefined)
  }
  #packet(data: Uint8Array, from: PhoneLeg['local']): void {
    if (!this.#source.accepts(from)) return
    const now = this.#o.scheduler.now()
    if (!this.#receiving.packet(data, now)) return
    this.#source.heard(from)
    this.#heardAt = now
    if (this.#silent) this.#tell(false)
  }
  #tell(silent: boolean): void {
    this.#silent = silent
    this.#o.emit({ op: 'phone.silent', phone: this.#o.id, silent })
  }
  speak(out: Int16Array, nowMs: number): boolean {
    if (!this.#silent && nowMs - this.#heardAt >= SILENT_MS) this.#tell(true)
    return this.#reclock.pull(out, nowMs)
  }
  hear(pcm: Int16Array, nowMs: number): void {
    if (this.#media.send) this.#sending.push(pcm)
    else this.#sending.skip(1)
    this.#reports.tick(nowMs, this.#source.target)
  }
  skip(frames: number): void {
    this.#sending.skip(frames)
  }
  press(digit: string): boolean {
    return this.#sending.press(digit)
  }
  close(): void {
    this.#o.pair.rtp.close()
    this.#o.pair.rtcp.close()
    this.#receiving[Symbol.dispose]()
    this.#sending[Symbol.dispose]()
    this.#reports[Symbol.dispose]()
  }
}
