/** The server's log: JSON lines without secrets; what strangers can cause is limited. */
import { pino } from 'pino'
import type { Scheduler } from '../base/ports.ts'

export interface Log {
  info(fields: object, text: string): void
  warn(fields: object, text: string): void
}

export const pinoLog = (level: string): Log => pino({ level, base: {} }, pino.destination({ fd: 1, sync: true }))

export const silentLog: Log = { info() {}, warn() {} }

const BURST = 10
const PER_SECOND = 1
const KINDS_LIMIT = 256

/** Lets a few lines of each kind through and counts the rest, which the next line of the kind tells. */
export class LimitedLog {
  readonly #log: Log
  readonly #clock: Pick<Scheduler, 'now'>
  readonly #kinds = new Map<string, { tokens: number; at: number; suppressed: number; count: number }>()

  constructor(log: Log, clock: Pick<Scheduler, 'now'>) {
    this.#log = log
    this.#clock = clock
  }
  /** How often each kind happened, printed or not. */
  get counts(): readonly (readonly [kind: string, count: number])[] {
    return [...this.#kinds].map(([kind, { count }]) => [kind, count])
  }
  warn(kind: string, fields: object, text: string): void {
    const now = this.#clock.now()
    const known = this.#kinds.get(kind)
    if (known === undefined && this.#kinds.size >= KINDS_LIMIT) return
    const k = known ?? { tokens: BURST, at: now, suppressed: 0, count: 0 }
    this.#kinds.set(kind, k)
    k.count++
    k.tokens = Math.min(BURST, k.tokens + ((now - k.at) * PER_SECOND) / 1000)
    k.at = now
    if (k.tokens < 1) {
      k.suppressed++
      return
    }
    k.tokens--
    this.#log.warn({ code: kind, ...fields, ...(k.suppressed === 0 ? {} : { suppressed: k.suppressed }) }, text)
    k.suppressed = 0
  }
}
