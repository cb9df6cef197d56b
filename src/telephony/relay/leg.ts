/** The media of one call, and the order of its messages: what needs our port waits until there is one, and what comes later waits behind it. */
import type { Result } from '../../base/result.ts'
import { makeFault } from '../../base/result.ts'
import type { MediaLeg, RelayMedia } from './media.ts'
import type { DescribedAudio } from './sdp.ts'
import type { HopStreams } from './tunnel.ts'

export class Leg {
  readonly #media: RelayMedia
  readonly #address: string
  #leg: MediaLeg | undefined
  #port: Result<number> | undefined
  #waiting: { readonly needsPort: boolean; readonly run: (port: Result<number> | undefined) => void }[] = []
  /** Transactions and dialogs that use it. */
  #users = 0
  #closed = false
  /** What was offered last and not answered yet: a refused offer changes nothing (RFC 3261 §14.1). */
  #before: DescribedAudio | undefined
  #local: DescribedAudio | undefined

  constructor(media: RelayMedia, address: string) {
    this.#media = media
    this.#address = address
  }

  hold(): void {
    this.#users++
  }
  /** The last one out closes it. */
  release(): void {
    this.#users--
    if (this.#users > 0 || this.#closed) return
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
  local(described: DescribedAudio | undefined): void {
    this.#before = this.#local
    this.#local = described
    this.#open().local(described)
  }
  /** The offer of ours that came last was refused. */
  refused(): void {
    if (this.#before === undefined) return
    this.#local = this.#before
    this.#open().local(this.#local)
  }
  far(described: DescribedAudio | undefined): void {
    this.#open().far(described)
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
