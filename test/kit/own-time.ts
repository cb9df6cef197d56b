/**
 * Time that this process had. Where the server under test runs in the process of its test, a stall of the machine delays both alike and says
 * nothing of the server: it counts as one short step. Where the thread itself was at work for so long, the server would have kept everybody waiting.
 * On a machine that is free this is the time of the clock.
 */
const STEP_MS = 10
const STALL_MS = 30
/** Of the processor, in one step. */
const BLOCKED_MS = 1000

/** Until `done` within what was promised; timers that wait in the server meanwhile have had as much time. */
export async function withinOwnTime(ms: number, what: string, done: () => boolean, detail: () => string = () => ''): Promise<void> {
  const began = performance.now()
  let own = 0
  for (let last = began; !done(); ) {
    if (own > ms) throw new Error(`no ${what} within ${ms} ms of this process (${Math.round(performance.now() - began)} ms of the clock)\n${detail()}`)
    const before = workMs()
    await new Promise((resolve) => setTimeout(resolve, STEP_MS))
    const now = performance.now()
    const worked = workMs() - before
    if (worked > BLOCKED_MS) throw new Error(`this thread was at work for ${Math.round(worked)} ms in one go, while ${what} was waited for\n${detail()}`)
    own += Math.min(now - last, STALL_MS)
    last = now
  }
}

/** What this thread has had of the processor. */
function workMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}
