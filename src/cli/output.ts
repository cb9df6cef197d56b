/**
 * How every command speaks: results on stdout, complaints on stderr, exit codes from sysexits.h. With `--json` each line is one
 * JSON value: what a command found out is an object of its own, everything else `{"text": …}`, a complaint `{"error": …}`.
 */
import type { Fault } from '../base/result.ts'
import { saidGerman } from './german/said.ts'
import { faultText, languageOf } from './language.ts'

export const EXIT = { ok: 0, failed: 1, usage: 64, data: 65, unavailable: 69, config: 78 } as const

let json = false
/** For the whole process: set once, before the command begins. */
export function speakJson(on: boolean): void {
  json = on
}
export const speaksJson = (): boolean => json

const write = (stream: NodeJS.WriteStream, line: string): void => void stream.write(`${line}\n`)

/** As people read it; programs read English. */
export const local = (line: string): string => (languageOf() === 'de' ? (saidGerman(line) ?? line) : line)

export const say = (line: string): void => {
  if (!json) write(process.stdout, local(line))
  else if (line.trim() !== '') write(process.stdout, asJson(line.trim()) ?? JSON.stringify({ text: line.trim() }))
}
/** What is an object or a list already, on one line. */
function asJson(line: string): string | undefined {
  if (!/^[[{]/.test(line)) return undefined
  try {
    return JSON.stringify(JSON.parse(line))
  } catch {
    return undefined
  }
}
export const complain = (line: string): void => write(process.stderr, json ? JSON.stringify({ error: line.replace(/^stc: /, '') }) : local(line))

/** What a command found out: `data` for programs, `lines` for people. */
export function answer(data: unknown, lines: readonly string[]): void {
  if (json) write(process.stdout, JSON.stringify(data))
  else for (const line of lines) write(process.stdout, line)
}

/** Prints the fault and sets the exit code; the process ends when its work has ended. */
export function fail(fault: Fault): void {
  if (json) write(process.stderr, JSON.stringify({ error: plain(fault) }))
  else {
    complain(`stc: ${coded(fault)}`)
    for (let cause = fault.cause; cause !== undefined; cause = cause.cause) complain(`  ${languageOf() === 'de' ? 'weil' : 'because'}: ${coded(cause)}`)
  }
  process.exitCode = fault.code.startsWith('CONFIG_') ? EXIT.config : EXIT.failed
}

/** For people: the sentence, and the code behind it. */
export const coded = (f: Pick<Fault, 'message'> & { readonly code: string }): string => `${faultText(f)} [${f.code}]`

const plain = ({ code, message, cause }: Fault): object => ({ code, message, ...(cause === undefined ? {} : { because: plain(cause) }) })

/** Ctrl-C comes twice: from the terminal, which tells the whole group, and passed on by the launcher, which may be slow. */
const SAME_KEY_PRESS_MS = 1500

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
