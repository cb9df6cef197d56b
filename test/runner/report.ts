/** What a run of several processes says: as if it had been one, in the words of `node --test`. */
import path from 'node:path'
import { spec } from 'node:test/reporters'
import type { EventData } from 'node:test'

export type TestEvent = { readonly type: string; readonly data: EventData.TestPass | EventData.TestFail | EventData.TestDiagnostic | EventData.TestStdout | EventData.TestStart }

type Outcome = EventData.TestPass | EventData.TestFail
const CANCELLED = new Set(['cancelledByParent', 'testAborted', 'testTimeoutFailure'])

export class Report {
  readonly #out = new spec()
  readonly #started = performance.now()
  readonly #counts = { tests: 0, suites: 0, pass: 0, fail: 0, cancelled: 0, skipped: 0, todo: 0 }
  failed = false

  constructor() {
    this.#out.pipe(process.stdout)
  }
  /** The events of one file, which has ended: files never mix on the terminal. */
  say(events: readonly TestEvent[]): void {
    for (const event of events) {
      if (event.type === 'test:pass' || event.type === 'test:fail') this.#count(event.type, event.data as Outcome)
      this.#out.write(event)
    }
  }
  /** A file that could not run to its end. */
  broken(file: string, why: string): void {
    const error = Object.assign(new Error(why), { code: 'ERR_TEST_FAILURE', failureType: 'testCodeFailure', cause: why, stack: '' })
    this.say([{ type: 'test:fail', data: { name: path.relative('', file), nesting: 0, testNumber: 0, details: { duration_ms: 0, error }, file, line: 1, column: 1 } as unknown as EventData.TestFail }])
  }
  /** Counts and what failed. */
  end(): Promise<void> {
    const lines = { ...this.#counts, duration_ms: Math.round(performance.now() - this.#started) }
    for (const [name, n] of Object.entries(lines)) this.#out.write({ type: 'test:diagnostic', data: { message: `${name} ${n}`, nesting: 0, level: 'info' } })
    return new Promise((resolve) => this.#out.end(() => process.stdout.write('', () => resolve())))
  }
  #count(type: string, data: Outcome): void {
    const c = this.#counts
    const error = (data.details as { error?: { failureType?: string } }).error
    const wrong = type === 'test:fail' && data.todo === undefined
    if (wrong) this.failed = true
    if (data.details.type === 'suite') {
      c.suites++
      return
    }
    c.tests++
    if (data.skip !== undefined) c.skipped++
    else if (data.todo !== undefined) c.todo++
    else if (CANCELLED.has(error?.failureType ?? '')) c.cancelled++
    else if (wrong) c.fail++
    else c.pass++
  }
}
