/** 60 and 200 members with moving levels: what each picture costs, by the browser's own tracing. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { startBrowser } from '../kit/browser.ts'
import { inGroup, stagePage } from '../kit/staged-page.ts'
import { needs } from './setup.ts'

const FEW = 60
const MEMBERS = 200
const SECONDS = 6
/** 60 pictures a second leave so much for each. */
const PICTURE_MS = 1000 / 60

interface TraceEvent {
  readonly name: string
  readonly ph: string
  readonly pid: number
  readonly tid: number
  /** Microseconds of the wall clock, and of the thread's own processor time. */
  readonly ts: number
  readonly dur?: number
  readonly tdur?: number
  readonly args: { readonly name?: string }
}

interface Measured {
  readonly frames: number
  /** Processor time of the main thread for each of 60 pictures a second, of it what draws one; ms. */
  readonly each: number
  readonly draw: number
  readonly longest: number
  readonly p99: number
}

/** Scrolls through so many members whose levels, numbers and rows change. */
async function measure(t: TestContext, members: number): Promise<Measured> {
  const staged = await stagePage(t)
  const b = await startBrowser(t)
  await b.page.goto(staged.url)
  staged.up()
  const everybody = Array.from({ length: members }, (_, i) => i)
  const call = staged.call()
  call.member()
  call.group(...everybody.map((i) => inGroup(i)))
  await b.page.getByRole('heading', { name: `Only these ${members} people can hear this` }).waitFor()

  let n = 0
  const timer = setInterval(() => {
    call.levels(n++, everybody)
    if (n % 10 === 0) call.stats(n / 10, everybody.slice(1))
    if (n % 10 === 5) call.unheard(1 + (n % (members - 1)), n % 20 === 5 ? 'CLIENT_NOT_ARRIVING' : 'SFRAME_UNKNOWN_EPOCH')
  }, 100)

  const cdp = await b.context.newCDPSession(b.page)
  const events: TraceEvent[] = []
  cdp.on('Tracing.dataCollected', ({ value }) => events.push(...(value as unknown as TraceEvent[])))
  await cdp.send('Tracing.start', { transferMode: 'ReportEvents', categories: 'devtools.timeline,toplevel,disabled-by-default-devtools.timeline,__metadata' })
  const frames = await b.page.evaluate(`new Promise((resolve) => {
    const start = performance.now(); let frames = 0; let down = true
    const step = (now) => {
      frames++
      const root = document.scrollingElement
      if (root.scrollTop + innerHeight >= root.scrollHeight - 2) down = false
      if (root.scrollTop <= 0) down = true
      root.scrollBy(0, down ? 40 : -40)
      if (now - start < ${SECONDS * 1000}) requestAnimationFrame(step); else resolve(frames)
    }
    requestAnimationFrame(step)
  })`) as number
  const complete = new Promise((resolve) => cdp.once('Tracing.tracingComplete', resolve))
  await cdp.send('Tracing.end')
  await complete
  clearInterval(timer)
  await b.page.context().browser()?.close()

  const main = events.find((e) => e.name === 'thread_name' && e.args.name === 'CrRendererMain' && events.some((x) => x.pid === e.pid && x.tid === e.tid && x.name === 'FireAnimationFrame'))!
  const own = events.filter((e) => e.ph === 'X' && e.pid === main.pid && e.tid === main.tid)
  const runs = own.filter((e) => e.name === 'RunTask' && e.tdur !== undefined)
  // What a picture costs, and what comes by the clock however many pictures there are: levels, statistics, the roster. A machine that is
  // busy with other things draws fewer pictures; each costs the same processor time.
  const pictures = own.filter((e) => e.name === 'FireAnimationFrame').map((e) => e.ts)
  const draws = (e: TraceEvent): boolean => pictures.some((ts) => ts >= e.ts && ts <= e.ts + e.dur!)
  const sum = (all: readonly TraceEvent[]): number => all.reduce((a, e) => a + e.tdur! / 1000, 0)
  const drawing = runs.filter(draws)
  const perPicture = sum(drawing) / frames + sum(runs.filter((e) => !drawing.includes(e))) / (SECONDS * 60)
  const tasks = runs.map((e) => e.tdur! / 1000)
  const sorted = tasks.toSorted((a, x) => a - x)
  return { frames, each: perPicture, draw: sum(drawing) / frames, longest: sorted.at(-1)!, p99: sorted[Math.floor(sorted.length * 0.99)]! }
}

// How many milliseconds a picture takes is this machine's affair, and printed (docs/performance.md); that cost grows much more slowly than the room (three times the members) is ours.
test('two hundred members scroll and update for little more than sixty do, by the browser\'s own tracing', { timeout: 300_000 }, async (t) => {
  if (!needs(t, 'chromium')) return
  // In turns, the better of two each: the speed of shared cores changes while this runs.
  const [few1, many1, few2, many2] = [await measure(t, FEW), await measure(t, MEMBERS), await measure(t, FEW), await measure(t, MEMBERS)]
  const [few, many] = [few1.each < few2.each ? few1 : few2, many1.each < many2.each ? many1 : many2]
  for (const [members, m] of [[FEW, few], [MEMBERS, many]] as const) {
    console.log(`${members} members: ${m.frames} pictures in ${SECONDS} s; ${m.each.toFixed(2)} ms of the main thread for each of 60 a second (of ${PICTURE_MS.toFixed(1)}), ${m.draw.toFixed(2)} to draw one; longest task ${m.longest.toFixed(1)} ms, 99 % under ${m.p99.toFixed(1)} ms`)
  }
  assert.ok(Math.min(few.frames, many.frames) > SECONDS * 10, 'pictures were drawn')
  assert.ok(many.each < 2.5 * few.each, `${many.each.toFixed(1)} ms instead of ${few.each.toFixed(1)} ms`)
})
