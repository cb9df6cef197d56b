/** The relayed calls of a session: packets between a phone's plain leg and two streams of a hop, or between two plain legs. */
import { instant } from '../../base/brand.ts'
import { type Fault, makeFault, type Result } from '../../base/result.ts'
import type { CallId, CallStreams, HopId, MediaCommand, MediaEvent, SealedMedia } from '../api.ts'
import { type CodecFactory, codecNamed } from '../../audio/codecs.ts'
import type { FrameVault } from '../../vault/api/frames.ts'
import { BridgeEnd } from '../plain/bridge-end.ts'
import type { PlainLeg } from '../plain/plain-leg.ts'
import { PlainLegs, type PlainLegsOptions } from '../plain/plain-legs.ts'
import { Announcement } from './announcement.ts'
import type { Hop } from './hop.ts'
import { SealedCall } from './sealed-call.ts'

/** Thirty desk phones with several calls each. */
const MAX_CALLS = 256
const STATS_MS = 5000

type CallCommand = Extract<MediaCommand, { call: CallId }>

interface Call {
  /** Of its own for each opening: a number of a call may be used again while its ports are still being opened. */
  readonly leg: number
  /** The newest word on the phone while the ports are being opened. */
  peer: Extract<MediaCommand, { op: 'call.peer' }>['peer'] | undefined
  streams: CallStreams | undefined
  /** The call at whose leg the other party is. */
  partner: CallId | undefined
  /** Where its streams are tied now. */
  tied: { readonly hop: Hop; readonly streams: CallStreams } | undefined
  opened: boolean
  /** What was asked for, and who does it once both legs are there. */
  sealing: SealedMedia | undefined
  sealed: SealedCall | undefined
  /** Words that its phone is being told. */
  words: Announcement | undefined
}

export interface CallsOptions extends PlainLegsOptions {
  readonly vault: FrameVault
  readonly codecs: CodecFactory
  readonly emit: (e: MediaEvent) => void
  /** The hop of that number, made where there is none. */
  readonly hop: (id: HopId) => Hop | undefined
}

export class Calls {
  readonly #o: CallsOptions
  readonly #legs: PlainLegs<number>
  readonly #calls = new Map<CallId, Call>()
  #stopTimer: (() => void) | undefined
  #nextLeg = 1

  constructor(options: CallsOptions) {
    this.#o = options
    this.#legs = new PlainLegs(options)
  }
  command(c: CallCommand): void {
    if (c.op === 'call.open') return this.#open(c)
    const call = this.#calls.get(c.call)
    if (call === undefined) return this.#fault(c.call, makeFault('MEDIA_CALL_UNKNOWN', String(c.call)))
    if (c.op === 'call.peer') {
      call.peer = c.peer
      if (call.opened) this.#check(c.call, this.#legs.negotiate(call.leg, c.peer))
    } else if (c.op === 'call.streams') {
      call.streams = c.streams
      this.#tie(call)
    } else if (c.op === 'call.tie') {
      call.partner = c.to
      this.#pair(call)
    } else if (c.op === 'call.seal') {
      call.sealing = c.sealed
      this.#seal(c.call, call)
    } else if (c.op === 'call.play') call.sealed?.play(c.pcm)
    else if (c.op === 'call.say') this.#say(call, c)
    else this.close(c.call)
  }
  #open(c: Extract<MediaCommand, { op: 'call.open' }>): void {
    if (this.#calls.has(c.call) || this.#calls.size >= MAX_CALLS) return this.#fault(c.call, makeFault('MEDIA_LIMIT', this.#calls.has(c.call) ? 'it is open' : `${MAX_CALLS} calls`))
    const call: Call = { leg: this.#nextLeg++, peer: c.peer, streams: c.streams, partner: undefined, tied: undefined, opened: false, sealing: undefined, sealed: undefined, words: undefined }
    this.#calls.set(c.call, call)
    void this.#bind(c.call, call, c.bind)
    this.#stopTimer ??= this.#later()
  }
  async #bind(id: CallId, call: Call, bind: string): Promise<void> {
    const leg = await this.#legs.open(call.leg, { bind })
    if (this.#calls.get(id) !== call) {
      this.#legs.close(call.leg)
      return
    }
    if (!leg.ok) {
      this.#calls.delete(id)
      return this.#fault(id, leg.fault)
    }
    call.opened = true
    const { rtp, rtcp } = leg.value.pair
    this.#o.emit({ op: 'call.opened', call: id, rtp: rtp.local, rtcp: rtcp.local })
    if (call.peer !== undefined) this.#check(id, this.#legs.negotiate(call.leg, call.peer))
    this.#tie(call)
    for (const c of this.#calls.values()) if (c === call || c.partner === id) this.#pair(c)
  }
  /** Once both have their ports. */
  #pair(call: Call): void {
    const other = call.partner === undefined ? undefined : this.#calls.get(call.partner)
    const [own, theirs] = [this.#legs.get(call.leg), other === undefined ? undefined : this.#legs.get(other.leg)]
    if (own !== undefined && theirs !== undefined && own.end.peer !== theirs.end) BridgeEnd.tie(own.end, theirs.end)
    call.words?.other(own?.end.peer)
    if (other !== undefined) this.#seal(call.partner!, other)
  }
  /** Not while its frames go through the vault: that has a way of its own (`call.play`). */
  #say(call: Call, { formats, telephoneEvents, pcm }: Extract<CallCommand, { op: 'call.say' }>): void {
    const phone = this.#legs.get(call.leg)?.end
    const partner = call.partner === undefined ? undefined : this.#calls.get(call.partner)
    if (phone === undefined || pcm.length === 0 || partner?.sealed !== undefined || call.sealed !== undefined) return
    call.words?.close()
    const { codecs, scheduler } = this.#o
    const words: Announcement = new Announcement({
      phone, codecs, formats, telephoneEvents, pcm, scheduler,
      ended: () => {
        words.close()
        if (call.words === words) call.words = undefined
      },
    })
    call.words = words
  }
  /** `call` is the one at the provider; its phone's leg is tied to it. */
  #seal(id: CallId, call: Call): void {
    const wire = this.#legs.get(call.leg)?.end
    const phone = wire?.peer
    if (call.sealing === undefined || wire === undefined || phone === undefined) {
      if (call.sealing === undefined) call.sealed?.close()
      call.sealed = call.sealing === undefined ? undefined : call.sealed
      return
    }
    const { vault, codecs, scheduler, emit } = this.#o
    for (const c of this.#calls.values()) if (c.partner === id) {
      c.words?.close()
      // Its gate would come back with the next end that it is told of.
      c.words = undefined
    }
    if (call.sealed === undefined) call.sealed = new SealedCall({ call: id, phone, wire, vault, codec: (name) => codecNamed(codecs, name), scheduler, emit }, call.sealing)
    else call.sealed.set(call.sealing)
  }
  #tie(call: Call): void {
    const leg = this.#legs.get(call.leg)
    const { streams } = call
    call.tied?.hop.dropCall(call.tied.streams.receive)
    call.tied = undefined
    if (leg === undefined || streams === undefined) return
    const hop = this.#o.hop(streams.hop)
    if (hop === undefined) return
    call.tied = { hop, streams }
    BridgeEnd.tie(leg.end, hop.callEnd(streams.send, streams.receive))
    call.words?.other(leg.end.peer)
  }
  close(id: CallId): void {
    const call = this.#calls.get(id)
    if (call === undefined) return
    call.tied?.hop.dropCall(call.tied.streams.receive)
    call.sealed?.close()
    call.words?.close()
    this.#calls.delete(id)
    this.#legs.close(call.leg)
    if (this.#calls.size > 0) return
    this.#stopTimer?.()
    this.#stopTimer = undefined
  }
  stop(): void {
    for (const id of [...this.#calls.keys()]) this.close(id)
    this.#legs.stop()
  }
  #check(id: CallId, r: Result<unknown>): void {
    if (!r.ok) this.#fault(id, r.fault)
  }
  #fault(id: CallId, { code, message }: Fault): void {
    this.#o.emit({ op: 'fault', code, message, about: `call ${id}` })
  }
  #later(): () => void {
    return this.#o.scheduler.at(instant(this.#o.scheduler.now() + STATS_MS), () => {
      this.#stopTimer = this.#later()
      for (const [id, call] of this.#calls) this.#tell(id, this.#legs.get(call.leg))
    })
  }
  #tell(call: CallId, leg: PlainLeg | undefined): void {
    if (leg !== undefined) this.#o.emit({ op: 'call.stats', call, received: leg.received, sent: leg.end.packets, refused: leg.refused, streams: leg.streams() })
  }
}
