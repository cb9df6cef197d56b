/** The media of one call, and the order of its messages: what needs our port waits until there is one, and what comes later waits behind it. */
import { type Fault, makeFault, ok, type Result } from '../../base/result.ts'
import type { Random } from '../../base/ports.ts'
import { Keying, type KeyRules, type KeysOut } from './keying.ts'
import type { MediaLeg, RelayMedia, Role, ToldRole } from './media.ts'
import { isUnspecified } from '../local-address.ts'
import type { DescribedAudio, ReadAudio } from './sdp.ts'
import type { HopStreams } from './tunnel.ts'

export class Leg {
  readonly #media: RelayMedia
  readonly #address: string
  /** Undefined: plain RTP. */
  readonly #keying: Keying | undefined
  #leg: MediaLeg | undefined
  #port: Result<number> | undefined
  #waiting: { readonly needsPort: boolean; readonly run: (port: Result<number> | undefined) => void }[] = []
  /** Transactions and dialogs that use it. */
  #users = 0
  #closed = false
  #stands = false
  /** What was offered last and not answered yet: a refused offer changes nothing (RFC 3261 §14.1). */
  #before: DescribedAudio | undefined
  #local: DescribedAudio | undefined
  /** Whose offer waits for its answer. */
  #offered: 'near' | 'far' | undefined
  /** A call for help: nothing is said into it, and nobody ends it but those who speak. */
  readonly forHelp: boolean

  constructor(media: RelayMedia, address: string, keying: Keying | undefined, forHelp: boolean) {
    this.#media = media
    this.#address = address
    this.#keying = keying
    this.forHelp = forHelp
  }

  hold(): void {
    this.#users++
  }
  /** The last one out closes it. */
  release(): void {
    this.#users--
    if (this.#users <= 0) this.end()
  }
  /** The call is over: nothing is sent any more, although the INVITE waits half a minute for repeats of its 2xx. */
  end(): void {
    if (this.#closed) return
    this.#closed = true
    this.#leg?.close()
    for (const w of this.#waiting.splice(0)) w.run(this.#port ?? { ok: false, fault: makeFault('RELAY_INTERNAL', 'the call is over') })
  }

  get streams(): HopStreams | undefined {
    return this.#open().streams
  }
  join(streams: HopStreams | undefined): void {
    if (streams !== undefined) this.#open().join(streams)
  }
  /** Fails where its keys cannot be used; then nothing changes. */
  local(described: ReadAudio | undefined, role: Role, callId: string): Result<void> {
    const keyed = described === undefined || this.#keying === undefined ? ok(undefined)
      : role === 'offer' ? this.#keying.theirOffer(described.offeredKeys, callId) : this.#keying.theirAnswer(described.offeredKeys, callId)
    if (!keyed.ok) return keyed
    this.#offered = role === 'offer' ? 'near' : undefined
    this.#before = this.#local
    this.#local = described === undefined ? undefined : placed(described, this.#local)
    this.#tell(role)
    return keyed
  }
  /** The offer of ours that came last was refused. */
  refused(): void {
    this.#keying?.refused()
    this.#offered = undefined
    if (this.#before === undefined) return
    this.#local = this.#before
    this.#tell('refused')
  }
  /** Our side has refused what it was offered. */
  oursRefused(): void {
    this.#keying?.oursRefused()
    if (this.#offered === 'far') this.#offered = undefined
  }
  /** What our side wants cannot be relayed: it is refused, and the call stays what it was. */
  cannot(fault: Fault): void {
    this.#leg?.refused?.(fault)
  }
  /** Our keys for a description that our side gets. */
  keysFor(role: Role): Result<KeysOut | undefined> {
    if (this.#keying === undefined) return ok(undefined)
    if (role === 'offer') return this.#keying.ourOffer()
    const answer = this.#keying.ourAnswer()
    // What it said of itself in its offer can be used now.
    if (answer.ok) this.#tell('offer')
    return answer
  }
  /** Our side refused what it was offered, and may take the same keys written otherwise. */
  insists(): boolean {
    return this.#keying?.insist() === true
  }
  /** What a description in PRACK is: an answer where one is owed (RFC 3262 §5). `near`: our side speaks. */
  roleOf(method: string, near: boolean): Role {
    const owed = this.#keying === undefined ? this.#offered === (near ? 'far' : 'near') : near ? this.#keying.asks : this.#keying.asked
    return method === 'ACK' || (method === 'PRACK' && owed) ? 'answer' : 'offer'
  }
  /** Whether RTP/SAVP can be read, or why not; undefined: keys are nothing that this side knows. */
  get keyed(): true | string | undefined {
    return this.#keying === undefined ? undefined : (this.#keying.barred ?? true)
  }
  /** Never in clear where keys are due, and nowhere before somebody said where. */
  #tell(role: ToldRole): void {
    const described = this.#local
    const srtp = this.#keying?.agreed
    if (described === undefined) this.#open().local(undefined, role)
    else if (!isUnspecified(described.address) && (this.#keying === undefined || srtp !== undefined || this.#keying.clear)) this.#open().local(srtp === undefined ? described : { ...described, srtp }, role)
    else this.#open()
  }
  far(described: DescribedAudio | undefined, role: Role): void {
    this.#offered = role === 'offer' ? 'far' : undefined
    this.#open().far(described, role)
  }
  /** Once: what comes later changes a call that stands. */
  answered(): void {
    if (!this.#stands && !this.forHelp) this.#open().answered?.()
    this.#stands = true
  }

  /** In order. With `needsPort` it gets our port, or why there is none. */
  run(needsPort: boolean, run: (port: Result<number> | undefined) => void): void {
    if (needsPort) this.#open()
    if (this.#waiting.length === 0 && (!needsPort || this.#port !== undefined || this.#closed)) run(this.#port)
    else this.#waiting.push({ needsPort, run })
  }

  #open(): MediaLeg {
    this.#leg ??= this.#media.open(this.#address, (port) => {
      this.#port = port
      for (const w of this.#waiting.splice(0)) w.run(port)
    })
    return this.#leg
  }
}

/** `address`: what its ports are bound to. Without `rules` its RTP is in clear. */
export const newLeg = (media: RelayMedia, address: string, rules: KeyRules | undefined, random: Random, forHelp: boolean): Leg => new Leg(media, address, rules === undefined ? undefined : new Keying(random, rules), forHelp)

/** `c=0.0.0.0` holds (RFC 3264 §8.4): who sends so is where it was before. */
function placed(now: DescribedAudio, before: DescribedAudio | undefined): DescribedAudio {
  if (!isUnspecified(now.address) || before === undefined) return now
  const { address, port, rtcpPort } = before
  return { ...now, address, port, rtcpPort }
}
