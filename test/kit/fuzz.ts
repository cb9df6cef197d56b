/** Property tests that end after a time, however many cases they wish for. */
import fc from 'fast-check'

/** However slow the machine. */
const LEAST = 20

export interface FuzzLimits {
  readonly numRuns: number
  /** In milliseconds. */
  readonly interruptAfterTimeLimit: number
}

/** As `fc.assert`, which fails what is interrupted before its first case whatever it is told: here some cases run without a limit, and the others while there is time. */
export function fuzz<T>(property: fc.IRawProperty<T>, limits: FuzzLimits): void {
  fc.assert(property, { numRuns: Math.min(LEAST, limits.numRuns) })
  fc.assert(property, {
    ...limits,
    reporter: (r) => {
      if (r.failed && !(r.interrupted && r.counterexamplePath === null)) throw new Error(fc.defaultReportMessage(r), { cause: r.errorInstance })
    },
  })
}
