/** The phone legs of a session: opening takes a moment, so a leg has a place before it has sockets. */
import type { CodecFactory } from '../../audio/codecs.ts'
import type { Scheduler } from '../../base/ports.ts'
import { makeFault, type Fault } from '../../base/result.ts'
import type { CryptoPort } from '../../crypto/port.ts'
import type { UdpPort } from '../../net/udp.ts'
import type { HandsetMedia, MediaEvent, PhoneId } from '../api.ts'
import type { PhoneLeg } from './phone.ts'
import { pcmPhone } from './phone-pcm.ts'
import { streamPhone } from './phone-stream.ts'
import { rtpPhone } from './phone-rtp.ts'
import { Prompts } from './prompts.ts'
import { bindRtpPair } from '../plain/rtp-pair.ts'

/** Desk phones behind one client, with room to spare. */
const MAX_PHONES = 256

export interface Phone {
  readonly id: PhoneId
  readonly prompts: Prompts
  media: HandsetMedia
  /** Undefined while its sockets are being opened. */
  leg: PhoneLeg | undefined
}

export interface PhonesOptions {
  readonly udp: UdpPort
  readonly scheduler: Scheduler
  readonly crypto: CryptoPort
  readonly codecs: CodecFactory
  readonly emit: (e: MediaEvent) => void
}

export class Phones {
  readonly #o: PhonesOptions
  readonly #phones = new Map<PhoneId, Phone>()

  constructor(options: PhonesOptions) {
    this.#o = options
  }
  get size(): number {
    return this.#phones.size
  }
  get(id: PhoneId): Phone | undefined {
    return this.#phones.get(id)
  }
  [Symbol.iterator](): Iterator<Phone> {
    return this.#phones.values()
  }
  open(id: PhoneId, bind: string, media: HandsetMedia): void {
    if (this.#phones.has(id) || this.#phones.size >= MAX_PHONES) {
      this.#fault(id, makeFault('MEDIA_LIMIT', this.#phones.has(id) ? `phone ${id} is open` : `${MAX_PHONES} phones`))
      return
    }
    const phone: Phone = { id, prompts: new Prompts(), media, leg: undefined }
    this.#phones.set(id, phone)
    if (media.kind === 'pcm') this.#opened(phone, pcmPhone(id, media, this.#o.emit))
    else if (media.kind === 'stream') this.#opened(phone, streamPhone(media, () => this.#o.scheduler.now()))
    else void this.#openRtp(phone, bind)
  }
  async #openRtp(phone: Phone, bind: string): Promise<void> {
    const { udp, scheduler, crypto, codecs, emit } = this.#o
    const pair = await bindRtpPair(udp, bind)
    const { media } = phone
    if (!pair.ok) {
      this.#failed(phone, pair.fault)
      return
    }
    const closed = this.#phones.get(phone.id) !== phone
    const leg = closed || media.kind !== 'rtp' || !codecs.names.includes(media.codec)
      ? undefined
      : rtpPhone({ id: phone.id, pair: pair.value, media, codecs, crypto, scheduler, emit })
    if (leg?.ok) {
      this.#opened(phone, leg.value)
      return
    }
    pair.value.rtp.close()
    pair.value.rtcp.close()
    if (!closed) this.#failed(phone, leg === undefined ? makeFault('MEDIA_CODEC', media.kind === 'rtp' ? media.codec : media.kind) : leg.fault)
  }
  #opened(phone: Phone, leg: PhoneLeg): void {
    phone.leg = leg
    this.#o.emit({ op: 'phone.opened', phone: phone.id, local: leg.local })
  }
  #failed(phone: Phone, fault: Fault): void {
    this.#phones.delete(phone.id)
    this.#fault(phone.id, fault)
  }
  #fault(id: PhoneId, { code, message }: Fault): void {
    this.#o.emit({ op: 'fault', code, message, about: `phone ${id}` })
  }
  set(id: PhoneId, media: HandsetMedia): void {
    const phone = this.#phones.get(id)
    if (phone === undefined) {
      this.#fault(id, makeFault('MEDIA_PHONE_UNKNOWN', String(id)))
      return
    }
    if (media.kind === 'rtp' && !this.#o.codecs.names.includes(media.codec)) {
      this.#fault(id, makeFault('MEDIA_CODEC', media.codec))
      return
    }
    phone.media = media
    if (phone.leg !== undefined && !phone.leg.set(media)) this.#fault(id, makeFault('MEDIA_INTERNAL', 'the phone refused its new media'))
  }
  close(id: PhoneId): void {
    this.#phones.get(id)?.leg?.close()
    this.#phones.delete(id)
  }
}
