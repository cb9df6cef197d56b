/**
 * Legs in Asterisk that lead to us and are of no call that we know: of a server that ended without a word, or of a BYE that
 * never came through. Nobody else would ever end them.
 */
import { instant } from '../../base/brand.ts'
import type { Scheduler, Stop } from '../../base/ports.ts'
import type { CouplingOptions } from './coupling-options.ts'
import { questionOf } from './identify.ts'
import type { LegQuestion } from './legs.ts'

/** Between two looks: what is only just being made is known by the second. */
const AGAIN_MS = 1000
/** A BYE is given up after 32 s (RFC 3261, timer F). */
const EVERY_MS = 30_000
const LEGS_LIMIT = 2000

export interface OrphansOptions extends Pick<CouplingOptions, 'action' | 'legs' | 'log'> {
  readonly scheduler: Scheduler
}

export class Orphans {
  readonly #o: OrphansOptions
  /** By Uniqueid (names of channels are used again): what was asked once does not change. */
  #known = new Map<string, LegQuestion | undefined>()
  #cancel: Stop = () => {}
  #run = 0

  constructor(options: OrphansOptions) {
    this.#o = options
  }

  /** Looks now, and again from time to time. */
  start(): void {
    this.stop()
    this.#known.clear()
    void this.#sweep(this.#run, true)
  }
  stop(): void {
    this.#run++
    this.#cancel()
  }

  async #sweep(run: number, afterLogin: boolean): Promise<void> {
    const found = await this.#look(afterLogin)
    if (run !== this.#run) return
    if (found.size > 0) {
      await new Promise<void>((resolve) => void this.#later(AGAIN_MS, resolve))
      const still = [...(await this.#look(afterLogin))].filter(([id]) => found.has(id))
      if (run !== this.#run) return
      for (const [, channel] of still) await this.#o.action('Hangup', ['Channel', channel])
      if (still.length > 0) this.#o.log.info({ legs: still.length }, 'ended legs that nobody knows of any more')
    }
    if (run === this.#run) this.#later(EVERY_MS, () => void this.#sweep(run, false))
  }
  #later(ms: number, then: () => void): void {
    const { scheduler } = this.#o
    this.#cancel = scheduler.at(instant(scheduler.now() + ms), then)
  }

  /** Uniqueid → channel. */
  async #look(afterLogin: boolean): Promise<Map<string, string>> {
    const { action, legs } = this.#o
    const found = new Map<string, string>()
    const listed = await action('CoreShowChannels')
    if (!listed.ok) return found
    const before = this.#known
    this.#known = new Map()
    for (const e of listed.value.slice(1, LEGS_LIMIT)) {
      const [channel, id] = [e.get('Channel') ?? '', e.get('Uniqueid') ?? '']
      const question = before.get(id) ?? (await this.#ask(channel))
      this.#known.set(id, question)
      if (question !== undefined && legs().isOrphan(question, afterLogin)) found.set(id, channel)
    }
    return found
  }
  #ask(channel: string): Promise<LegQuestion | undefined> {
    return questionOf(channel, async (name) => {
      const r = await this.#o.action('Getvar', ['Channel', channel], ['Variable', name])
      return r.ok ? r.value[0]?.get('Value') : undefined
    })
  }
}
