/** Child processes of tests: each in a process group of its own, none of which outlives the test run. */
import { spawn } from 'node:child_process'
import type { ChildProcessWithoutNullStreams } from 'node:child_process'

export interface Running {
  readonly pid: number
  readonly child: ChildProcessWithoutNullStreams
  /** Resolves at the end of the process: exit code, or 128 + signal number unknown → the signal's name. */
  readonly exit: Promise<number | string>
  readonly ended: boolean
  /** Last output, stdout and stderr together, for messages of failed tests. */
  tail(): string
  /** Everything printed so far, up to 1 MB. */
  output(): string
  onLine(listener: (line: string) => void): void
  signal(name: NodeJS.Signals): void
  /** Asks with SIGTERM, insists with SIGKILL after `graceMs`; resolves when it is gone. */
  stop(graceMs?: number): Promise<void>
}

const living = new Set<Running>()
process.on('exit', () => {
  for (const p of living) p.signal('SIGKILL')
})

const maxOutput = 1 << 20

export function run(command: string, args: readonly string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}): Running {
  const child = spawn(command, args, { ...options, detached: true, stdio: ['pipe', 'pipe', 'pipe'] })
  const listeners: ((line: string) => void)[] = []
  let text = ''
  let ended = false
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8')
    let rest = ''
    stream.on('data', (chunk: string) => {
      text = (text + chunk).slice(-maxOutput)
      const lines = (rest + chunk).split(/\r?\n|\r/)
      rest = lines.pop() ?? ''
      for (const line of lines) for (const tell of listeners) tell(line)
    })
  }
  // Writing to a program that has just ended is not the test's failure; its exit is.
  child.stdin.on('error', () => {})
  const exit = new Promise<number | string>((resolve, reject) => {
    child.on('error', (e) => {
      ended = true
      living.delete(running)
      reject(e)
    })
    child.on('close', (code, signal) => {
      ended = true
      living.delete(running)
      resolve(code ?? signal ?? 'unknown')
    })
  })
  exit.catch(() => {})
  const running: Running = {
    pid: child.pid ?? -1,
    child,
    exit,
    get ended() {
      return ended
    },
    tail: () => text.slice(-2000),
    output: () => text,
    onLine: (listener) => void listeners.push(listener),
    signal(name) {
      if (ended || child.pid === undefined) return
      try {
        process.kill(-child.pid, name)
      } catch {
        // The group ended in between.
      }
    },
    async stop(graceMs = 3000) {
      if (ended) return
      this.signal('SIGTERM')
      const hard = setTimeout(() => this.signal('SIGKILL'), graceMs)
      await exit.catch(() => undefined)
      clearTimeout(hard)
    },
  }
  living.add(running)
  return running
}

/**
 * Waits of tests with real programs are given the time that they take here when nothing is wrong; other machines are slower and busy.
 * Whatever comes at all is waited for so many times as long: how soon something has to come is measured where it happens, never by giving up.
 */
export const PATIENCE = 4

/** A time that the product promises: waited for no longer than that. */
export const promised = (ms: number): number => ms / PATIENCE

/** The value, or a failure that names what was waited for. */
export async function within<T>(ms: number, what: string, promise: Promise<T>, detail: () => string = () => ''): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no ${what} within ${PATIENCE * ms} ms\n${detail()}`)), PATIENCE * ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

/** Asks again until `probe` gives a value; for peers that announce nothing. */
export async function until<T>(ms: number, what: string, probe: () => Promise<T | undefined> | T | undefined, detail: () => string = () => '', everyMs = 20): Promise<T> {
  const deadline = performance.now() + PATIENCE * ms
  for (;;) {
    const value = await probe()
    if (value !== undefined) return value
    if (performance.now() > deadline) throw new Error(`no ${what} within ${PATIENCE * ms} ms\n${detail()}`)
    await new Promise((resolve) => setTimeout(resolve, everyMs))
  }
}
