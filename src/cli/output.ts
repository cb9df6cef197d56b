/** How every command speaks: results on stdout, complaints on stderr, exit codes from sysexits.h. */
import type { Fault } from '../base/result.ts'

export const EXIT = { ok: 0, failed: 1, usage: 64, data: 65, unavailable: 69, config: 78 } as const

export const say = (line: string): void => void process.stdout.write(`${line}\n`)
export const complain = (line: string): void => void process.stderr.write(`${line}\n`)

/** Prints the fault and sets the exit code; the process ends when its work has ended. */
export function fail(fault: Fault): void {
  complain(`stc: ${fault.message} [${fault.code}]`)
  for (let cause = fault.cause; cause !== undefined; cause = cause.cause) complain(`  because: ${cause.message} [${cause.code}]`)
  process.exitCode = fault.code.startsWith('CONFIG_') ? EXIT.config : EXIT.failed
}

/** Ctrl-C comes twice: from the terminal, which tells the whole group, and passed on by the launcher. */
const SAME_KEY_PRESS_MS = 300

/** Resolves at the first SIGINT or SIGTERM; a second one ends the process at once. */
export function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    let first: number | undefined
    const onSignal = (): void => {
      const now = performance.now()
      if (first !== undefined && now - first > SAME_KEY_PRESS_MS) process.exit(130)
      first ??= now
      resolve()
    }
    process.on('SIGINT', onSignal)
    process.on('SIGTERM', onSignal)
  })
}
