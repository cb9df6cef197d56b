/**
 * The sound of one call between its two legs, taken out as codec frames: each goes to the vault and comes back as what the other leg
 * gets. What may not be played becomes a made-up continuation, then silence; nothing that did not open is ever passed on.
 */
import { Concealer } from '../../audio/concealment.ts'
import { joinPcm } from '../../audio/join-pcm.ts'
import { FRAME_MS, FRAME_SAMPLES, type FrameCodec, pcmaCodec, pcmuCodec, g722Codec } from '../../audio/codec.ts'
import { instant, ssrc } from '../../base/brand.ts'
import type { Scheduler } from '../../base/ports.ts'
import { decodeTelephoneEvent, TelephoneEventReceiver } from '../../protocol/rtp/telephone-event.ts'
import { encodeNews } from '../../vault/api/call-news.ts'
import type { Frame, FrameVault } from '../../vault/api/frames.ts'
import type { CallId, MediaEvent, SealedMedia } from '../api.ts'
import type { BridgeEnd, TakenPacket } from '../plain/bridge-end.ts'
import { silence } from '../plain/silence.ts'
import { Units, UNIT } from './units.ts'

const CODECS = { g722: g722Codec, pcmu: pcmuCodec, pcma: pcmaCodec } as const
/** A phone that says nothing for that long is spoken for. */
const QUIET_MS = 100
const STATS_MS = 500
/** More than this waits for nobody: half a minute. */
const LONGEST_PROMPT = 30 * 16_000
/** Frames on their way to the vault and back; more are dropped: it is busy with something else. */
const WAITING = 25

interface Direction {
  readonly from: BridgeEnd
  readonly to: BridgeEnd
  readonly units: Units
  waiting: number
  lastAt: number
}

export interface SealedCallOptions {
  readonly call: CallId
  readonly phone: BridgeEnd
  readonly wire: BridgeEnd
  readonly vault: FrameVault
  /** The codec of that name, where it is one of ours. */
  readonly codec: (name: string) => FrameCodec | undefined
  readonly scheduler: Scheduler
  readonly emit: (e: MediaEvent) => void
}

export class SealedCall {
  readonly #o: SealedCallOptions
  #media: SealedMedia
  readonly #up: Direction
  readonly #down: Direction
  /** Where the codec is one that frames are sealed in. */
  #codec: FrameCodec | undefined
  /** Where it is not, and words can be said in it. */
  #plain: FrameCodec | undefined
  readonly #concealer = new Concealer()
  readonly #keys = new TelephoneEventReceiver()
  /** RTP time of a key that was ours (RFC 4733 §2.5.1.2: of all its packets). */
  #withheld: number | undefined
  #tone: Int16Array = new Int16Array(0)
  #stopTimer: () => void = () => {}
  #opened = 0
  #refused = 0
  #copies = 0
  #statsAt: number
  #closed = false

  constructor(options: SealedCallOptions, media: SealedMedia) {
    this.#o = options
    this.#media = media
    this.#codec = codecOf(media)
    this.#speakPlain(media)
    const now = options.scheduler.now()
    this.#statsAt = now + STATS_MS
    this.#up = { from: options.phone, to: options.wire, units: new Units(), waiting: 0, lastAt: now }
    this.#down = { from: options.wire, to: options.phone, units: new Units(), waiting: 0, lastAt: now }
    options.wire.gate = (p) => this.#said(p)
    options.phone.gate = (p) => this.#heard(p)
    this.#tick()
  }

  set(media: SealedMedia): void {
    if (media.codec !== this.#media.codec) this.#codec = codecOf(media)
    if (media.other?.name !== this.#media.other?.name) this.#speakPlain(media)
    this.#media = media
  }
  #speakPlain({ other }: SealedMedia): void {
    this.#plain?.[Symbol.dispose]()
    this.#plain = other === undefined ? undefined : this.#o.codec(other.name)
  }
  /** Mixed over what the phone hears, one after the other; 16 kHz. */
  play(pcm: Int16Array): void {
    if ((this.#codec ?? this.#plain) !== undefined && this.#tone.length < LONGEST_PROMPT) this.#tone = joinPcm([this.#tone, pcm])
  }
  close(): void {
    this.#closed = true
    this.#stopTimer()
    this.#plain?.[Symbol.dispose]()
    this.#plain = undefined
    this.#o.wire.gate = undefined
    this.#o.phone.gate = undefined
  }

  /** From the phone. */
  #said(p: TakenPacket): void {
    if (p.payloadType === this.#media.telephoneEvent) return this.#digit(p)
    // What is no sound of the codec would go out unsealed, and as it is where nothing may be said.
    if (this.#codec === undefined || p.payloadType !== this.#media.payloadType) return this.#media.sealed || !this.#speaks ? undefined : this.#pass(this.#up, p)
    this.#up.lastAt = this.#now
    for (const unit of this.#up.units.cut(p)) void this.#send(unit)
  }
  get #speaks(): boolean {
    return this.#media.up === 'pass' && this.#media.muted !== true
  }
  #digit(p: TakenPacket): void {
    const event = decodeTelephoneEvent(p.payload)
    const digit = event.ok ? this.#keys.receive(p.timestamp, event.value) : undefined
    // Digits are for us while something waits for an answer, to the end of each, and never cross a sealed call in clear.
    if (this.#media.sealed || this.#media.up !== 'pass') this.#withheld = p.timestamp
    const passes = p.timestamp !== this.#withheld
    if (digit !== undefined) this.#o.emit({ op: 'call.digit', call: this.#o.call, digit })
    if (passes) this.#pass(this.#up, p)
  }
  /** As it is: with filling between the packets of one key each would be another. */
  #pass(d: Direction, p: TakenPacket): void {
    d.lastAt = this.#now
    d.to.pass(p)
  }
  async #send(unit: TakenPacket): Promise<void> {
    const data = this.#speaks ? unit.payload : this.#silence(unit.payload.length)
    const answer = await this.#ask(this.#up, 'seal', data, unit.timestamp)
    if (answer !== undefined && answer.data.length > 0) this.#up.to.pass({ ...unit, payload: answer.data })
  }

  /** From the other side. */
  #heard(p: TakenPacket): void {
    // Words take its place.
    if (this.#codec === undefined && this.#plain !== undefined && this.#tone.length > 0) return
    if (this.#codec === undefined || p.payloadType !== this.#media.payloadType) return this.#media.sealed || this.#media.down !== 'pass' ? undefined : this.#pass(this.#down, p)
    for (const unit of this.#down.units.cut(p)) void this.#receive(unit)
  }
  async #receive(unit: TakenPacket): Promise<void> {
    const { old, sealed } = this.#media
    const again = old === undefined ? undefined : await this.#ask(this.#down, 'open', unit.payload, unit.timestamp, old)
    if (again !== undefined && again.fault === undefined) this.#o.emit({ op: 'call.news', call: this.#o.call, news: encodeNews([{ kind: 'back' }]) })
    const answer = again !== undefined && again.fault === undefined ? again : await this.#ask(this.#down, 'open', unit.payload, unit.timestamp)
    if (answer === undefined) return
    if (answer.news !== undefined) this.#o.emit({ op: 'call.news', call: this.#o.call, news: answer.news.slice() })
    // A copy of what was played: the place of the first stays its own.
    if (answer.fault === 'FRAMESEAL_REPLAYED' || answer.fault === 'FRAMESEAL_OLD') {
      this.#copies++
      return
    }
    // Without keys everything opens, and says nothing.
    if (answer.fault !== undefined) this.#refused++
    else if (sealed || answer === again) this.#opened++
    this.#down.lastAt = this.#now
    const codec = this.#codec
    if (codec !== undefined) this.#down.to.pass({ ...unit, payload: this.#playable(codec, answer.data, unit.payload.length) })
  }
  /** The frame itself where it may be heard and nothing is mixed into it, so that no quality is lost. */
  #playable(codec: FrameCodec, voice: Uint8Array, octets: number): Uint8Array {
    const pcm = new Int16Array(octets * 2)
    if (this.#media.down !== 'pass') return this.#mixed(codec, pcm) ?? this.#silence(octets)
    const decoded = voice.length === octets ? codec.decode(voice) : undefined
    const after = this.#concealer.made > 0
    if (decoded === undefined) this.#concealer.lost(pcm)
    else {
      pcm.set(decoded)
      this.#concealer.good(pcm)
    }
    const mixed = this.#mixed(codec, pcm)
    // The encoder follows what is played, so that what it makes up begins where that ends.
    const encoded = mixed ?? codec.encode(pcm)
    if (mixed !== undefined || decoded === undefined) return decoded === undefined && mixed === undefined && this.#concealer.silent ? this.#silence(octets) : encoded
    return after ? encoded : voice
  }
  #mixed(codec: FrameCodec, pcm: Int16Array): Uint8Array | undefined {
    if (this.#tone.length === 0) return undefined
    for (let i = 0; i < pcm.length; i++) pcm[i] = Math.max(-32768, Math.min(32767, (pcm[i]! >> 1) + (this.#tone[i] ?? 0)))
    this.#tone = this.#tone.subarray(Math.min(pcm.length, this.#tone.length))
    return codec.encode(pcm)
  }

  async #ask(d: Direction, op: 'seal' | 'open', data: Uint8Array, timestamp: number, session = this.#media.session): Promise<Frame | undefined> {
    if (d.waiting >= WAITING) return undefined
    d.waiting++
    const { frames } = await this.#o.vault.frames({ op, session, frames: [{ ssrc: ssrc(d.from.ssrc), timestamp, data }] })
    d.waiting--
    return this.#closed ? undefined : frames[0]
  }

  /** Keeps both streams going where one of the two says nothing, and counts. */
  #tick(): void {
    this.#stopTimer = this.#o.scheduler.at(instant(this.#now + FRAME_MS), () => this.#tick())
    const now = this.#now
    const { fillUp, payloadType } = this.#media
    const [up, down] = [fillUp && now - this.#up.lastAt >= QUIET_MS, now - this.#down.lastAt >= QUIET_MS]
    if (this.#codec === undefined) this.#fillClosed(up, down)
    else {
      if (up) void this.#fillUp(payloadType)
      if (down) this.#down.to.fill({ payloadType, payload: this.#playable(this.#codec, new Uint8Array(0), UNIT), ptimeMs: FRAME_MS, afterMs: 0 }, now)
    }
    if (now < this.#statsAt) return
    this.#statsAt = now + STATS_MS
    // Copies beside the call are nothing; in place of it they are somebody's.
    const refused = this.#opened === 0 ? this.#refused + this.#copies : this.#refused
    this.#o.emit({ op: 'call.frames', call: this.#o.call, opened: this.#opened, refused })
    this.#opened = this.#refused = this.#copies = 0
  }
  /** Words; and silence, in a codec that is not sealed only where nothing may pass: what passes has pauses of its own. */
  #fillClosed(up: boolean, down: boolean): void {
    const { name, takes, sends } = this.#media.other ?? { name: '', takes: 0, sends: 0 }
    const filling = silence(name, sends)
    if (filling !== undefined && up && !this.#speaks) this.#up.to.fill(filling, this.#now)
    const words = this.#plain === undefined ? undefined : this.#mixed(this.#plain, new Int16Array(FRAME_SAMPLES))
    if (words !== undefined) this.#down.to.fill({ payloadType: takes, payload: words, ptimeMs: FRAME_MS, afterMs: 0 }, this.#now)
    else if (filling !== undefined && down && this.#media.down !== 'pass') this.#down.to.fill({ ...filling, payloadType: takes }, this.#now)
  }
  async #fillUp(payloadType: number): Promise<void> {
    const answer = await this.#ask(this.#up, 'seal', this.#silence(UNIT), 0)
    if (answer !== undefined && answer.data.length > 0) this.#up.to.fill({ payloadType, payload: answer.data, ptimeMs: FRAME_MS, afterMs: 0 }, this.#now)
  }
  #silence(octets: number): Uint8Array {
    return new Uint8Array(octets).fill(silence(this.#codec?.name ?? 'pcmu', 0)!.payload[0]!)
  }
  get #now(): number {
    return this.#o.scheduler.now()
  }
}

const codecOf = ({ codec }: SealedMedia): FrameCodec | undefined => (codec === undefined ? undefined : CODECS[codec]())
