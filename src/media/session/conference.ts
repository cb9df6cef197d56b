/** One member's part in one room: phone and hop tied together through the vault. */
import { FRAME_SAMPLES, type FrameCodec } from '../../audio/codec.ts'
import type { Ssrc } from '../../base/brand.ts'
import { makeFault } from '../../base/result.ts'
import type { Frame, FrameBatch, FrameVault } from '../../vault/api/frames.ts'
import type { ConferenceId, HopId, MediaEvent, PhoneId } from '../api.ts'
import { Downlink } from './downlink.ts'
import type { Hop } from './hop.ts'
import type { PhoneLeg } from './phone.ts'
import { TICK_MS } from './ticker.ts'
import { Uplink } from './uplink.ts'
import { UplinkTap } from './uplink-tap.ts'

/** Dynamic, the same in every room (RFC 3551 §6): the codec is in the group context. */
const ROOM_PAYLOAD_TYPE = 96
/** Batches that the vault has not answered: beyond half a second more of them would only be late. */
const MAX_ASKED = 25
const FAULT_EVERY_MS = 1000

export interface ConferenceOptions {
  readonly id: ConferenceId
  readonly hop: HopId
  readonly phone: PhoneId
  readonly ssrc: Ssrc
  readonly session: number
  readonly vault: FrameVault
  readonly makeCodec: () => FrameCodec
  readonly firstTimestamp: number
  /** Streams come and go, and the server is told our level in steps. */
  readonly loudest: boolean
  readonly emit: (e: MediaEvent) => void
}

export class Conference {
  readonly id: ConferenceId
  readonly hop: HopId
  phone: PhoneId
  sending = false
  /** Somebody looks at the levels. */
  metered = false
  readonly downlink: Downlink
  readonly #o: ConferenceOptions
  readonly #uplink: Uplink
  readonly #pcm = new Int16Array(FRAME_SAMPLES)
  #tap: UplinkTap | undefined
  #asked = 0
  #sent = 0
  #faultAt = Number.NEGATIVE_INFINITY
  #closed = false

  constructor(options: ConferenceOptions) {
    this.#o = options
    this.id = options.id
    this.hop = options.hop
    this.phone = options.phone
    this.#uplink = new Uplink(options.ssrc, options.makeCodec(), options.firstTimestamp, options.loudest)
    this.downlink = new Downlink(options.makeCodec, options.loudest)
  }
  set muted(muted: boolean) {
    this.#uplink.muted = muted
  }
  /** What the phone says in `frames` ticks that end at `nowMs`, sealed and sent when the vault has answered. */
  speak(phone: PhoneLeg | undefined, hop: Hop | undefined, frames: number, skipped: number, nowMs: number): void {
    this.#uplink.skip(skipped)
    const batch: Frame[] = []
    const levels: (number | undefined)[] = []
    for (let i = frames - 1; i >= 0; i--) {
      if (phone === undefined) this.#pcm.fill(0)
      else phone.speak(this.#pcm, nowMs - i * TICK_MS)
      if (this.sending && hop !== undefined) {
        batch.push(this.#uplink.frame(this.#pcm))
        levels.push(this.#uplink.stepped)
      } else this.#uplink.skip(1)
    }
    if (batch.length === 0) return
    const opened = this.#tap === undefined ? [] : batch.map((f) => f.data.slice(1))
    void this.#ask({ op: 'seal', session: this.#o.session, frames: batch }, nowMs, (sealed) => {
      this.#send(hop!, sealed, levels, nowMs)
      if (opened.length > 0) this.#tapped(opened, sealed)
    })
  }
  #send(hop: Hop, sealed: readonly Frame[], levels: readonly (number | undefined)[], nowMs: number): void {
    for (const [i, f] of sealed.entries()) {
      if (f.fault !== undefined) this.#fault(f.fault, 'a frame was not sealed', nowMs)
      else {
        hop.send(f.ssrc, ROOM_PAYLOAD_TYPE, f.timestamp, f.data, levels[i])
        this.#sent++
      }
    }
  }
  /** Keeps the next frames of the uplink, at most some seconds of them; an unfinished tap is given up. */
  tap(frames: number): void {
    this.#tap?.[Symbol.dispose]()
    this.#tap = new UplinkTap(this.#o.makeCodec, frames)
  }
  #tapped(opened: readonly Uint8Array[], sealed: readonly Frame[]): void {
    const tap = this.#tap
    if (tap === undefined) return
    for (let i = 0; i < sealed.length && !tap.full; i++) if (sealed[i]!.fault === undefined) tap.frame(opened[i]!, sealed[i]!.data)
    if (!tap.full) return
    this.#tap = undefined
    this.#o.emit({ op: 'conference.tapped', conference: this.id, ...tap.take() })
  }
  meter(nowMs: number): void {
    this.#o.emit({ op: 'conference.levels', conference: this.id, own: this.#uplink.level, levels: this.downlink.levels(nowMs) })
  }
  /** Hands to the vault what came; undefined when nothing did. The promise never rejects. */
  open(nowMs: number): Promise<void> | undefined {
    const taken = this.downlink.batch(this.#o.session)
    return taken && this.#ask(taken.batch, nowMs, (frames) => this.downlink.opened(frames, taken, nowMs))
  }
  async #ask(batch: FrameBatch, nowMs: number, then: (frames: readonly Frame[]) => void): Promise<void> {
    if (this.#asked >= MAX_ASKED) {
      this.#fault('MEDIA_VAULT', `${this.#asked} batches wait`, nowMs)
      return
    }
    this.#asked++
    try {
      const answer = await this.#o.vault.frames(batch)
      if (!this.#closed) then(answer.frames)
    } catch (e) {
      this.#fault('MEDIA_VAULT', e instanceof Error ? e.message : String(e), nowMs)
    } finally {
      this.#asked--
    }
  }
  /** At most one a second: what fails, fails fifty times a second. */
  #fault(code: string, detail: string, nowMs: number): void {
    if (nowMs - this.#faultAt < FAULT_EVERY_MS) return
    this.#faultAt = nowMs
    const message = code === 'MEDIA_VAULT' ? makeFault(code, detail).message : detail
    this.#o.emit({ op: 'fault', code, message, about: `conference ${this.id}` })
  }
  tell(nowMs: number, lateTicks: number): void {
    this.downlink.newlyHeard = false
    this.#o.emit({ op: 'conference.stats', conference: this.id, sent: this.#sent, senders: this.downlink.stats(nowMs), ownLevel: this.#uplink.level, lateTicks })
  }
  close(): void {
    this.#closed = true
    this.#tap?.[Symbol.dispose]()
    this.#uplink[Symbol.dispose]()
    this.downlink[Symbol.dispose]()
  }
}
