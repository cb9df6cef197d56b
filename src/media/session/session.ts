/**
 * The media of one client: executes `MediaCommand`s, reports `MediaEvent`s. Runs in its own thread in
 * production and in virtual time in tests. Nothing waits for the vault: frames go to it in batches,
 * one a tick, and are used when they come back.
 */
import type { CodecFactory } from '../../audio/codecs.ts'
import type { FaultCode } from '../../base/faults/index.ts'
import { makeFault } from '../../base/result.ts'
import type { FrameVault } from '../../vault/api/frames.ts'
import type { ConferenceId, HopId, MediaCommand, MediaEvent } from '../api.ts'
import { portPath, type ListeningPort } from '../packet-path.ts'
import { Calls } from './calls.ts'
import { Conference } from './conference.ts'
import { Hop } from './hop.ts'
import { newFrame, Patches } from './patches.ts'
import { Phones, type Phone, type PhonesOptions } from './phones.ts'
import { Ticker, TICK_MS } from './ticker.ts'

const STATS_TICKS = 50
const METER_TICKS = 5
const MAX_HOPS = 64
const MAX_CONFERENCES = 256

export interface MediaSessionOptions extends Omit<PhonesOptions, 'emit'> {
  readonly vault: FrameVault
  readonly codecs: CodecFactory
  readonly emit: (e: MediaEvent) => void
}

export interface MediaSession {
  command(c: MediaCommand): void
  /** Ends everything. Idempotent. */
  stop(): void
}

export const createMediaSession = (options: MediaSessionOptions): MediaSession => new Session(options)

class Session implements MediaSession {
  readonly #o: MediaSessionOptions
  readonly #phones: Phones
  readonly #hops = new Map<HopId, Hop>()
  readonly #conferences = new Map<ConferenceId, Conference>()
  readonly #calls: Calls
  readonly #patches = new Patches()
  readonly #ticker: Ticker
  readonly #out = newFrame()
  readonly #unused = newFrame()
  #ticks = 0
  /** What is left to do in this tick: the phones have not been given their frames. */
  #finish: (() => void) | undefined

  constructor(options: MediaSessionOptions) {
    this.#o = options
    this.#phones = new Phones(options)
    this.#calls = new Calls({ ...options, hop: (id) => this.#hopOf(id) })
    this.#ticker = new Ticker(options.scheduler, (frames, skipped) => this.#tick(frames, skipped))
  }

  command(c: MediaCommand): void {
    switch (c.op) {
      case 'hop.open':
        this.#hopOf(c.hop)?.open(c)
        break
      case 'hop.tls':
        this.#hopOf(c.hop)?.tls(c.port && portPath(c.port as ListeningPort))
        break
      case 'hop.close':
        this.#hops.get(c.hop)?.close()
        this.#hops.delete(c.hop)
        break
      case 'phone.open':
        this.#phones.open(c.phone, c.bind, c.media)
        this.#ticker.start()
        break
      case 'phone.set':
        this.#phones.set(c.phone, c.media)
        break
      case 'phone.play':
        this.#phones.get(c.phone)?.prompts.play(c.pcm)
        break
      case 'phone.digit':
        this.#phones.get(c.phone)?.leg?.press?.(c.digit)
        break
      case 'phone.patch':
        this.#patches.set(c)
        break
      case 'phone.close':
        this.#phones.close(c.phone)
        this.#patches.close(c.phone)
        this.#rest()
        break
      case 'conference.open':
        this.#openConference(c)
        break
      case 'call.open':
      case 'call.peer':
      case 'call.streams':
      case 'call.tie':
      case 'call.seal':
      case 'call.play':
      case 'call.say':
      case 'call.close':
        this.#calls.command(c)
        break
      case 'stop':
        this.stop()
        break
      default:
        this.#change(c)
    }
  }
  /** Commands to an open conference. */
  #change(c: Extract<MediaCommand, { conference: ConferenceId }>): void {
    const conference = this.#conferences.get(c.conference)
    if (conference === undefined) {
      this.#fault('MEDIA_CONFERENCE_UNKNOWN', `conference ${c.conference}`)
      return
    }
    if (c.op === 'conference.mute') conference.muted = c.muted
    else if (c.op === 'conference.send') conference.sending = c.on
    else if (c.op === 'conference.senders') conference.downlink.senders = c.senders
    else if (c.op === 'conference.phone') conference.phone = c.phone
    else if (c.op === 'conference.meters') conference.metered = c.on
    else if (c.op === 'conference.volumes') conference.downlink.volumes = c.volumes
    else if (c.op === 'conference.tap') conference.tap(c.frames)
    else if (c.op === 'conference.close') {
      conference.close()
      this.#conferences.delete(c.conference)
      this.#rest()
    }
  }
  #fault(code: FaultCode, about: string): void {
    this.#o.emit({ op: 'fault', code, message: makeFault(code, about).message, about })
  }
  #hopOf(id: HopId): Hop | undefined {
    let hop = this.#hops.get(id)
    if (hop !== undefined) return hop
    if (this.#hops.size >= MAX_HOPS) {
      this.#fault('MEDIA_LIMIT', `hop ${id}`)
      return undefined
    }
    hop = new Hop({ ...this.#o, id, onMedia: (ssrc, timestamp, payload) => this.#media(id, ssrc, timestamp, payload) })
    this.#hops.set(id, hop)
    return hop
  }
  #media(hop: HopId, ssrc: Parameters<Conference['downlink']['packet']>[0], timestamp: number, payload: Uint8Array): void {
    const now = this.#o.scheduler.now()
    for (const c of this.#conferences.values()) if (c.hop === hop) c.downlink.packet(ssrc, timestamp, payload, now)
  }
  #openConference(c: Extract<MediaCommand, { op: 'conference.open' }>): void {
    const about = `conference ${c.conference}`
    if (this.#conferences.has(c.conference) || this.#conferences.size >= MAX_CONFERENCES) {
      this.#fault('MEDIA_LIMIT', about)
      return
    }
    if (!this.#o.codecs.names.includes(c.codec)) {
      this.#fault('MEDIA_CODEC', `${c.codec} for ${about}`)
      return
    }
    const random = this.#o.crypto.bytes(4)
    const firstTimestamp = new DataView(random.buffer, random.byteOffset, 4).getUint32(0)
    this.#conferences.set(c.conference, new Conference({ ...c, id: c.conference, loudest: c.forwarding === 'loudest', vault: this.#o.vault, makeCodec: () => this.#o.codecs.create(c.codec), firstTimestamp, emit: this.#o.emit }))
    // The rate upstream stays the same when there is no phone for a while.
    this.#ticker.start()
  }
  /** No timer for nothing. */
  #rest(): void {
    if (this.#phones.size === 0 && this.#conferences.size === 0) this.#ticker.stop()
  }

  #tick(frames: number, skipped: number): void {
    this.#finish?.()
    const now = this.#o.scheduler.now()
    const opening: Promise<void>[] = []
    const speaking = new Set<Phone>()
    for (const c of this.#conferences.values()) {
      const phone = this.#phones.get(c.phone)
      if (phone !== undefined) speaking.add(phone)
      c.speak(phone?.leg, this.#hops.get(c.hop), frames, skipped, now)
      const opened = c.open(now)
      if (opened !== undefined) opening.push(opened)
    }
    // A phone outside of a room is listened to all the same, so that its buffer does not grow.
    this.#patches.speak(this.#phones, speaking, frames, now)
    for (const p of this.#phones) if (!speaking.has(p)) for (let i = 0; i < frames; i++) p.leg?.speak(this.#unused, now)
    this.#whenOpened(opening, () => this.#hear(frames, skipped, now))
    if (this.#ticks % METER_TICKS === 0) for (const c of this.#conferences.values()) if (c.metered) c.meter(now)
    if (++this.#ticks % STATS_TICKS === 0) for (const c of this.#conferences.values()) c.tell(now, this.#ticker.late)
  }
  /** Runs `then` when the vault has answered all, at the next tick at the latest, once. */
  #whenOpened(opening: readonly Promise<void>[], then: () => void): void {
    if (opening.length === 0) {
      then()
      return
    }
    const finish = (): void => {
      if (this.#finish !== finish) return
      this.#finish = undefined
      then()
    }
    this.#finish = finish
    void Promise.all(opening).then(finish)
  }
  /** Gives every phone its frames of this tick. */
  #hear(frames: number, skipped: number, nowMs: number): void {
    const rooms = new Map([...this.#conferences.values()].map((c) => [c.phone, c]))
    for (const phone of this.#phones) {
      const room = rooms.get(phone.id)
      if (skipped > 0) phone.leg?.skip(skipped)
      for (let i = frames - 1; i >= 0; i--) {
        if (room === undefined) this.#patches.hear(phone.id, frames - 1 - i, this.#out)
        else room.downlink.mix(nowMs - i * TICK_MS, this.#out)
        phone.prompts.mix(this.#out)
        phone.leg?.hear(this.#out, nowMs - i * TICK_MS)
      }
      if (room?.downlink.newlyHeard === true) room.tell(nowMs, this.#ticker.late)
    }
  }

  stop(): void {
    this.#ticker.stop()
    this.#finish = undefined
    for (const id of [...this.#phones].map((p) => p.id)) this.#phones.close(id)
    for (const c of this.#conferences.values()) c.close()
    this.#conferences.clear()
    this.#calls.stop()
    for (const h of this.#hops.values()) h.close()
    this.#hops.clear()
  }
}
