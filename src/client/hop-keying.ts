/**
 * The keys of the hop to the server on one connection: agreed on at the greeting, and anew while it stands. The first change is after about an hour
 * (what RFC 4253 §9 asks of SSH: keys that are found later open no more than that), spread so that clients that came together do not rekey together;
 * or as soon as the media thread says that the keys have seen half of the streams that they may.
 */
import { instant, type Ssrc } from '../base/brand.ts'
import type { Scheduler, Stop } from '../base/ports.ts'
import { ok, type Result } from '../base/result.ts'
import type { MediaCommand } from '../media/api.ts'
import type { AddressPort } from '../net/address.ts'
import type { ClientMessage, ServerWire } from '../protocol/wire/messages.ts'
import type { HopKeys, PipeId, Vault } from '../vault/api/calls.ts'

const FRESH_MS = 3_600_000
/** A server that is too busy for it said so, or nothing. It allows one in five seconds. */
const AGAIN_MS = 60_000

export interface HopKeyingOptions {
  readonly vault: Vault
  readonly pipe: PipeId
  readonly hop: number
  readonly suites: readonly HopKeys['suite'][]
  readonly remotes: readonly AddressPort[]
  /** Never used twice, whatever the connection. */
  readonly nextGeneration: () => number
  readonly send: (m: ClientMessage) => void
  readonly media: (c: MediaCommand) => void
  readonly scheduler: Scheduler
  readonly chance: () => number
  /** How long keys are used, about, ms. */
  readonly freshMs?: number
}

export class HopKeying {
  readonly #o: HopKeyingOptions
  /** Offered and not answered yet. */
  #offered: number | undefined
  #newest = 0
  #stop: Stop = () => {}
  #closed = false

  constructor(options: HopKeyingOptions) {
    this.#o = options
  }

  async offer(): Promise<Result<void>> {
    const generation = this.#o.nextGeneration()
    this.#offered = generation
    const offer = await this.#o.vault.call('hop.offer', { pipe: this.#o.pipe, generation, suites: this.#o.suites })
    if (offer.ok && !this.#closed) this.#o.send({ k: 'hop-offer', generation, message: offer.value.message })
    return offer.ok ? ok(undefined) : offer
  }
  /** The server has the new keys from its answer on: a failure now leaves the two of them with different ones. */
  async take(answer: ServerWire['hop-answer']): Promise<Result<void>> {
    const { vault, pipe, hop, remotes } = this.#o
    const generation = this.#offered
    // An answer to what was offered before the last one.
    if (generation === undefined || (this.#newest > 0 && answer.generation !== generation)) return ok(undefined)
    this.#offered = undefined
    const keys = await vault.call('hop.finish', { pipe, answer: answer.message })
    if (!keys.ok || this.#closed) return keys.ok ? ok(undefined) : keys
    this.#newest = generation
    this.#o.media({ op: 'hop.open', hop, generation, remotes, receive: keys.value.receive, send: keys.value.send, probe: answer.probe as Ssrc })
    this.#later((this.#o.freshMs ?? FRESH_MS) * (0.75 + this.#o.chance() / 2))
    return ok(undefined)
  }
  /** The keys of this generation have seen about as many streams as they should. */
  worn(generation: number): void {
    if (generation === this.#newest && this.#offered === undefined) this.#renew()
  }
  close(): void {
    this.#closed = true
    this.#stop()
  }

  #renew(): void {
    this.#later(AGAIN_MS)
    void this.offer()
  }
  #later(ms: number): void {
    this.#stop()
    const { scheduler } = this.#o
    if (!this.#closed) this.#stop = scheduler.at(instant(scheduler.now() + ms), () => this.#renew())
  }
}
