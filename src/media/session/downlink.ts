/** All that one member hears: frames as they come from the hop, opened by the vault, played out per sender, mixed. */
import { FRAME_SAMPLES, type FrameCodec } from '../../audio/codec.ts'
import { Levelling } from '../../audio/levelling.ts'
import { Mixer } from '../../audio/mixer.ts'
import { type PlayoutStats, SenderPlayout } from '../../audio/playout.ts'
import type { Ssrc } from '../../base/brand.ts'
import { epochBitsOf, type Frame, type FrameBatch } from '../../vault/api/frames.ts'
import type { SenderStats } from '../api.ts'

/** Frames that wait for one tick; twenty members with two seconds of backlog each. */
const MAX_WAITING = 2000
/** Frames of the next epoch wait this long for its keys (PROTOCOL §3 Media). */
const NEXT_EPOCH_MS = 200
/** A level shown is the loudest of this long. */
const LEVEL_MS = 200
const MOST_VOLUME = 4
/** Where streams come and go, one of which nothing comes for so long gives up its buffer and decoder, and begins anew when it comes back. */
const IDLE_MS = 1000

const NO_STATS: PlayoutStats = { received: 0, lost: 0, late: 0, duplicate: 0, skipped: 0, concealed: 0, bufferMs: 0, played: 0, invalid: 0 }
const sum = (a: PlayoutStats, b: PlayoutStats): PlayoutStats => ({
  received: a.received + b.received, lost: a.lost + b.lost, late: a.late + b.late, duplicate: a.duplicate + b.duplicate, skipped: a.skipped + b.skipped,
  concealed: a.concealed + b.concealed, bufferMs: b.bufferMs, played: a.played + b.played, invalid: a.invalid + b.invalid,
})

class Sender {
  readonly ssrc: Ssrc
  /** Undefined while nothing comes. */
  playout: SenderPlayout | undefined
  unopened = 0
  lastFault: string | undefined
  firstHeardAt: number | undefined
  /** Of the newest frame that opened. */
  #epochBits: number | undefined
  readonly #levelling = new Levelling()
  #gain = 1
  #level = 127
  #levelAt = 0
  readonly #perMs: number
  #transitMs: number | undefined
  #jitterMs = 0
  readonly #makeCodec: () => FrameCodec
  /** Of playouts that are gone. */
  #before: PlayoutStats = NO_STATS
  #heardAt = 0
  constructor(ssrc: Ssrc, makeCodec: () => FrameCodec, clockRate: number) {
    this.ssrc = ssrc
    this.#perMs = clockRate / 1000
    this.#makeCodec = makeCodec
  }
  push(frame: Frame, sealed: Uint8Array, arrivalMs: number): void {
    // Level (1) ‖ codec frame (PROTOCOL §3).
    const level = Math.min(127, frame.data[0] ?? 127)
    this.lastFault = undefined
    this.#epochBits = epochBitsOf(sealed)
    if (level <= this.#level || arrivalMs - this.#levelAt > LEVEL_MS) {
      this.#level = level
      this.#levelAt = arrivalMs
    }
    this.#measure(frame.timestamp, arrivalMs)
    this.#heardAt = arrivalMs
    this.playout ??= new SenderPlayout(this.#makeCodec())
    this.playout.push(frame.timestamp, level, frame.data.subarray(1), arrivalMs)
  }
  /** RFC 3550 §6.4.1; a jump of more than a second is another stream's time, not jitter. */
  #measure(timestamp: number, arrivalMs: number): void {
    const transitMs = arrivalMs - timestamp / this.#perMs
    const change = Math.abs(transitMs - (this.#transitMs ?? transitMs))
    this.#transitMs = transitMs
    if (change < 1000) this.#jitterMs += (change - this.#jitterMs) / 16
  }
  /** 0 to 4, the user's own choice. */
  volume = 1
  addTo(mixer: Mixer, pcm: Int16Array): void {
    const before = this.#gain
    this.#levelling.frame(this.playout!.level)
    this.#gain = this.#levelling.gain * this.volume
    mixer.add(pcm, before, this.#gain)
  }
  /** Since the sender was announced. */
  get totals(): PlayoutStats {
    return this.playout === undefined ? this.#before : sum(this.#before, this.playout.stats)
  }
  /** Gives up what it does not need when nothing comes. */
  rest(nowMs: number): void {
    if (this.playout !== undefined && nowMs - this.#heardAt > IDLE_MS) this.end()
  }
  end(): void {
    this.#before = { ...this.totals, bufferMs: 0 }
    this.playout?.[Symbol.dispose]()
    this.playout = undefined
  }
  shownLevel(nowMs: number): number {
    return nowMs - this.#levelAt > 2 * LEVEL_MS ? 127 : this.#level
  }
  stats(nowMs: number): SenderStats {
    const { received, lost, late, concealed, played, bufferMs } = this.totals
    return {
      ssrc: this.ssrc, received, lost, late, unopened: this.unopened, concealed, played, bufferMs,
      jitterMs: this.#jitterMs, level: this.shownLevel(nowMs),
      ...(this.#epochBits === undefined ? {} : { epochBits: this.#epochBits }),
      ...(this.lastFault === undefined ? {} : { lastFault: this.lastFault }),
      ...(this.firstHeardAt === undefined ? {} : { firstHeardAt: this.firstHeardAt }),
    }
  }
}

/** Frames for the vault and the instants at which they arrived. */
export interface TakenFrames {
  readonly batch: FrameBatch
  readonly arrivals: readonly number[]
}

export class Downlink {
  readonly #makeCodec: () => FrameCodec
  readonly #clockRate: number
  readonly #comeAndGo: boolean
  readonly #senders = new Map<Ssrc, Sender>()
  readonly #one = new Int16Array(FRAME_SAMPLES)
  readonly #mixer = new Mixer()
  #waiting: Frame[] = []
  #arrivals: number[] = []
  /** A sender was decoded for the first time since this was last cleared. */
  newlyHeard = false

  /** `comeAndGo`: streams are forwarded now and then only (`loudest`). */
  constructor(makeCodec: () => FrameCodec, comeAndGo = false) {
    this.#makeCodec = makeCodec
    this.#comeAndGo = comeAndGo
    const codec = makeCodec()
    this.#clockRate = codec.clockRate
    codec[Symbol.dispose]()
  }
  /** The full list; others are dropped and their state freed. */
  set senders(list: readonly Ssrc[]) {
    const wanted = new Set(list)
    for (const [ssrc, sender] of this.#senders) {
      if (wanted.has(ssrc)) continue
      sender.end()
      this.#senders.delete(ssrc)
    }
    for (const ssrc of wanted) if (!this.#senders.has(ssrc)) this.#senders.set(ssrc, new Sender(ssrc, this.#makeCodec, this.#clockRate))
  }
  /** For senders that are there; whoever comes later has volume 1 until it is set again. */
  set volumes(list: readonly (readonly [ssrc: Ssrc, gain: number])[]) {
    const wanted = new Map(list)
    for (const sender of this.#senders.values()) sender.volume = Math.min(MOST_VOLUME, Math.max(0, wanted.get(sender.ssrc) ?? 1))
  }
  /** A payload from the hop; of senders that were not announced nothing is kept. */
  packet(ssrc: Ssrc, timestamp: number, data: Uint8Array, nowMs: number): void {
    if (!this.#senders.has(ssrc) || this.#waiting.length >= MAX_WAITING) return
    this.#waiting.push({ ssrc, timestamp, data })
    this.#arrivals.push(nowMs)
  }
  /** What came since the last call, for the vault; undefined: nothing. */
  batch(session: number): TakenFrames | undefined {
    if (this.#waiting.length === 0) return undefined
    const taken = { batch: { op: 'open', session, frames: this.#waiting } as const, arrivals: this.#arrivals }
    this.#waiting = []
    this.#arrivals = []
    return taken
  }
  /** The vault's answer to such a batch, asked at `nowMs`. Refused frames are counted and never played. */
  opened(frames: readonly Frame[], taken: TakenFrames, nowMs: number): void {
    for (let i = 0; i < frames.length; i++) {
      const frame = frames[i]!
      const arrival = taken.arrivals[i]!
      const sender = this.#senders.get(frame.ssrc)
      if (sender === undefined) continue
      if (frame.fault === undefined && frame.data.length > 1) sender.push(frame, taken.batch.frames[i]!.data, arrival)
      else if (frame.fault === 'SFRAME_UNKNOWN_EPOCH' && nowMs - arrival < NEXT_EPOCH_MS && this.#waiting.length < MAX_WAITING) {
        this.#waiting.push(taken.batch.frames[i]!)
        this.#arrivals.push(arrival)
      } else {
        sender.unopened++
        sender.lastFault = frame.fault ?? 'MEDIA_VAULT'
      }
    }
  }
  /** Fills `out` with 20 ms of everybody, for the instant `nowMs`. */
  mix(nowMs: number, out: Int16Array): void {
    for (const sender of this.#senders.values()) {
      if (sender.playout === undefined) continue
      const heard = sender.playout.pull(nowMs, this.#one)
      if (sender.firstHeardAt === undefined && sender.playout.stats.played > 0) {
        sender.firstHeardAt = nowMs
        this.newlyHeard = true
      }
      if (heard) sender.addTo(this.#mixer, this.#one)
      if (this.#comeAndGo) sender.rest(nowMs)
    }
    this.#mixer.finish(out)
  }
  stats(nowMs: number): SenderStats[] {
    return [...this.#senders.values()].map((s) => s.stats(nowMs))
  }
  levels(nowMs: number): [Ssrc, number][] {
    return [...this.#senders.values()].map((s) => [s.ssrc, s.shownLevel(nowMs)])
  }
  [Symbol.dispose](): void {
    this.senders = []
  }
}
