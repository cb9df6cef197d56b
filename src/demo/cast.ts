/** The demo's processes together: who is up, what each shows, how they end. */
import type { Roster } from '../model/roster.ts'
import { Child } from './child.ts'
import type { Report } from './script.ts'
import type { Stage } from './stage.ts'

const START_MS = 30_000

export interface CastOptions {
  readonly stage: Stage
  /** What a child process runs. */
  readonly entry: string
  /** WAV files of each member's robot; no files: a member with phones only. */
  readonly voices: readonly (readonly string[])[]
  readonly room: string
  readonly record: boolean
  /** Which member offers a page. */
  readonly pageOf?: number
  readonly onReport?: (member: number, r: Report) => void
}

export interface MemberView {
  readonly name: string
  readonly child: Child
  roster: Roster | undefined
  /** The first epoch in which it showed everybody. */
  wholeSince: bigint | undefined
  joinMs: number | undefined
  stats: Extract<Report, { kind: 'stats' }> | undefined
}

export class Cast {
  readonly server: Child
  readonly members: MemberView[] = []
  readonly #o: CastOptions

  constructor(options: CastOptions) {
    this.#o = options
    this.server = new Child('server', options.entry, { role: 'server', configFile: options.stage.serverConfig })
  }

  async start(): Promise<void> {
    await this.server.next('up', START_MS)
    for (const [i, c] of this.#o.stage.clients.entries()) {
      const child = new Child(c.name, this.#o.entry, {
        role: 'member', name: c.name, config: c.config, configFile: c.configFile, voices: this.#o.voices[i] ?? [], room: this.#o.room, record: this.#o.record, page: this.#o.pageOf === i,
      })
      const view: MemberView = { name: c.name, child, roster: undefined, wholeSince: undefined, joinMs: undefined, stats: undefined }
      child.on((r) => {
        if (r.kind === 'roster') {
          view.roster = r.roster
          if (r.roster.members.length === this.#o.stage.clients.length) view.wholeSince ??= r.roster.epoch
        } else if (r.kind === 'joined') view.joinMs = r.joinMs
        else if (r.kind === 'stats') view.stats = r
        this.#o.onReport?.(i, r)
      })
      this.members.push(view)
    }
    await Promise.all(this.members.map((m) => m.child.next('up', START_MS)))
  }

  /** The robots dial, one after the other. */
  async dial(): Promise<void> {
    for (const [i, m] of this.members.entries()) {
      if ((this.#o.voices[i] ?? []).length === 0) continue
      const joined = m.child.next('joined', START_MS)
      m.child.order({ kind: 'dial' })
      await joined
    }
  }

  /** Everybody shows the same people, all of them confirmed, under one code. */
  agreed(count: number): boolean {
    const code = this.members.find((m) => m.roster !== undefined)?.roster?.securityCode
    return this.members.every((m) => m.roster?.securityCode === code && m.roster?.members.length === count && m.roster.members.every((x) => x.state === 'member'))
  }
  /** Everybody has the keys that follow on the last join. */
  get updated(): boolean {
    const whole = this.members.flatMap((m) => m.wholeSince ?? [])
    return whole.length === this.members.length && this.members.every((m) => m.roster !== undefined && whole.every((epoch) => m.roster!.epoch > epoch))
  }
  /** Resolves when `condition` holds after some report, or after `limitMs`. */
  until(condition: () => boolean, limitMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const check = (): void => {
        if (condition()) finish(true)
      }
      const timer = setTimeout(() => finish(false), limitMs)
      let done = false
      const finish = (value: boolean): void => {
        if (done) return
        done = true
        clearTimeout(timer)
        resolve(value)
      }
      for (const m of this.members) m.child.on(check)
      check()
    })
  }
  /** What everybody heard since the last cut. */
  async cut(): Promise<Int16Array[]> {
    return Promise.all(this.members.map(async (m) => {
      const recorded = m.child.next('recorded', START_MS)
      m.child.order({ kind: 'cut' })
      return (await recorded).pcm
    }))
  }
  async stop(): Promise<void> {
    await Promise.all(this.members.map((m) => m.child.stop()))
    await this.server.stop()
  }
}
