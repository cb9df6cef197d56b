/**
 * Words to the phone of a call whose packets pass as they are: mixed over what it hears, and until they are said nothing of its sound goes
 * on. Keys do. The only time that frames of such a call are decoded.
 */
import type { CodecFactory } from '../../audio/codecs.ts'
import { FRAME_MS, FRAME_SAMPLES, type FrameCodec } from '../../audio/codec.ts'
import { instant } from '../../base/brand.ts'
import type { Scheduler, Stop } from '../../base/ports.ts'
import type { SpokenFormat } from '../api.ts'
import type { BridgeEnd, TakenPacket } from '../plain/bridge-end.ts'
import { Prompts } from './prompts.ts'

/** Nothing came for the phone for that long: the words go by themselves. */
const QUIET_MS = 100
/** Words that nobody took, in a codec that is none of ours or because the phone hears nothing: after their time and this the call goes on. */
const SLACK_MS = 1500

interface Format extends SpokenFormat {
  /** One for each way: they remember what they heard. */
  readonly toPhone: FrameCodec
  readonly fromPhone: FrameCodec
}

export interface AnnouncementOptions {
  /** Where the phone hears. */
  readonly phone: BridgeEnd
  readonly codecs: CodecFactory
  readonly formats: readonly SpokenFormat[]
  /** Payload types of keys that the phone sends (RFC 4733), one for each clock. */
  readonly telephoneEvents: readonly number[]
  /** 16 kHz. */
  readonly pcm: Int16Array
  readonly scheduler: Scheduler
  readonly ended: () => void
}

export class Announcement {
  readonly #o: AnnouncementOptions
  readonly #formats: readonly Format[]
  readonly #prompts = new Prompts()
  readonly #until: number
  #other: BridgeEnd | undefined
  #left: number
  #heardAt: number
  #stopTimer: Stop = () => {}

  constructor(options: AnnouncementOptions) {
    const { codecs, formats, pcm, phone, scheduler } = options
    this.#o = options
    this.#formats = formats.filter((f) => codecs.names.includes(f.codec)).map((f) => ({ ...f, toPhone: codecs.create(f.codec), fromPhone: codecs.create(f.codec) }))
    this.#prompts.play(pcm)
    this.#left = pcm.length
    this.#heardAt = scheduler.now()
    this.#until = scheduler.now() + (pcm.length / FRAME_SAMPLES) * FRAME_MS + SLACK_MS
    phone.gate = (p) => this.#heard(p)
    this.other(phone.peer)
    this.#tick()
  }
  /** Where the other side of the call hears, now or anew. */
  other(end: BridgeEnd | undefined): void {
    if (this.#other !== undefined) this.#other.gate = undefined
    this.#other = end
    if (end !== undefined) end.gate = (p) => this.#said(end, p)
  }
  close(): void {
    this.#stopTimer()
    this.#o.phone.gate = undefined
    this.other(undefined)
    for (const f of this.#formats) {
      f.toPhone[Symbol.dispose]()
      f.fromPhone[Symbol.dispose]()
    }
  }

  /** From the phone: silence of the same length, so that the stream goes on. */
  #said(to: BridgeEnd, p: TakenPacket): void {
    if (this.#o.telephoneEvents.includes(p.payloadType)) return to.pass(p)
    const pcm = this.#formats.find((f) => f.sends === p.payloadType)?.fromPhone
    const length = pcm?.decode(p.payload)?.length
    if (pcm !== undefined && length !== undefined) to.pass({ ...p, payload: pcm.encode(new Int16Array(length)) })
  }
  /** For the phone. What is in no codec of ours passes as it is. */
  #heard(p: TakenPacket): void {
    const { phone, scheduler } = this.#o
    // Whatever it is in: words between its packets would be heard in pieces, and its stream with jumps.
    this.#heardAt = scheduler.now()
    const codec = this.#formats.find((f) => f.takes === p.payloadType)?.toPhone
    const pcm = codec?.decode(p.payload)
    if (codec === undefined || pcm === undefined) return phone.pass(p)
    phone.pass({ ...p, payload: codec.encode(this.#mixed(pcm)) })
  }
  #mixed(pcm: Int16Array): Int16Array {
    // Quieter, so that the words are understood.
    for (let i = 0; i < pcm.length; i++) pcm[i] = pcm[i]! >> 2
    this.#prompts.mix(pcm)
    this.#left -= pcm.length
    return pcm
  }
  #tick(): void {
    const { scheduler, phone, ended } = this.#o
    const now = scheduler.now()
    if (this.#left <= 0 || now >= this.#until) return ended()
    this.#stopTimer = scheduler.at(instant(now + FRAME_MS), () => this.#tick())
    const first = this.#formats[0]
    if (first === undefined || now - this.#heardAt < QUIET_MS) return
    phone.fill({ payloadType: first.takes, payload: first.toPhone.encode(this.#mixed(new Int16Array(FRAME_SAMPLES))), ptimeMs: FRAME_MS, afterMs: 0 }, now)
  }
}
