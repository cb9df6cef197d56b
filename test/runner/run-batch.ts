/** One process of tests, and what it says about each of its files. */
import { run } from 'node:test'
import type { EventData } from 'node:test'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Report, TestEvent } from './report.ts'

const ENTRY = fileURLToPath(new URL('./batch.ts', import.meta.url))
/** Around the tests of a file in a batch stand a test and a suite, both of the file's name. */
const AROUND = 2
/** How long a process may say nothing before it is held for hanging: the longest test on the slowest machine is far from it. */
const SILENCE_MS = process.env['STC_LONG'] === '1' ? 3_600_000 : 360_000
const KEPT = new Set(['test:start', 'test:pass', 'test:fail', 'test:diagnostic', 'test:stdout', 'test:stderr'])
const SUMMARY = /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [\d.]+$/

type Data = EventData.TestFail & { readonly message?: string; readonly details: { readonly error: { readonly failureType?: string } } }

/** Runs files in one process until all have run: when it ends early the file is named, and the ones after it get another. `lane`: which part of the ports is theirs, `0/3` and so on. */
export async function runBatch(files: readonly string[], report: Report, lane: string): Promise<void> {
  for (let rest = files; rest.length > 0; ) {
    const done = new Set<string>()
    let events: TestEvent[] = []
    let late = false
    const { hung } = await each([lane, ...rest], ({ type, data }) => {
      const inner = (data.nesting ?? AROUND) - AROUND
      const itself = type === 'test:fail' && data.details.error.failureType !== 'subtestsFailed'
      if (data.nesting === 0 && (type === 'test:pass' || type === 'test:fail') && rest.includes(data.name)) {
        done.add(data.name)
        if (itself) events.push(ofFile(data))
        report.say(events)
        events = []
      } else if (data.nesting === 0 && itself) {
        // The process itself: something failed after its test had passed, or it died at its end.
        late = true
      } else if (data.nesting === 1 && itself) {
        // The file itself could not be loaded, or a hook of it failed.
        events.push(ofFile(data))
      } else if (KEPT.has(type) && (inner >= 0 || type === 'test:diagnostic')) events.push({ type, data: { ...data, nesting: Math.max(0, inner) } as Data })
    })
    const broken = rest.find((f) => !done.has(f))
    // A test that began and never ended cannot be told by the reporter.
    report.say(broken === undefined ? events : events.filter((e) => e.type !== 'test:start'))
    if (broken === undefined) {
      if (late) report.broken(rest.map((f) => path.relative('', f)).join(', '), 'one of these files left something behind that failed after its tests, or ended the process at its end; what it said stands above')
      return
    }
    report.broken(broken, hung ? `says nothing for ${SILENCE_MS / 1000} s: ended` : 'its process ended before its tests did')
    rest = rest.slice(rest.indexOf(broken) + 1)
  }
}

const ofFile = (data: Data): TestEvent => ({ type: 'test:fail', data: { ...data, name: path.relative('', data.name), file: data.name, line: 1, column: 1, nesting: 0, details: { ...data.details, type: 'test' } } as Data })

async function each(argv: readonly string[], take: (e: { type: string; data: Data }) => void): Promise<{ hung: boolean }> {
  const over = new AbortController()
  const alarm = setTimeout(() => over.abort(), SILENCE_MS)
  for await (const e of run({ files: [ENTRY], argv: [...argv], execArgv: ['--test-force-exit'], concurrency: 1, signal: over.signal })) {
    const event = e as unknown as { type: string; data: Data }
    if (!event.type.startsWith('test:std')) alarm.refresh()
    if (event.type === 'test:diagnostic' && event.data.nesting === 0 && SUMMARY.test(event.data.message ?? '')) continue
    take(event)
  }
  clearTimeout(alarm)
  return { hung: over.signal.aborted }
}
