/** Files that are there whole or not at all. */
import { accessSync, closeSync, constants, existsSync, fsyncSync, linkSync, openSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { randomUUID } from 'node:crypto'
import path from 'node:path'
import { type Result, err, ok } from '../base/result.ts'

export const PRIVATE_MODE = 0o600
export const PUBLIC_MODE = 0o644

const DRAFT_OLD_MS = 60_000

/** Where a file's next content is written. What processes that were killed left there is removed: it may be a key. */
function draftOf(file: string): string {
  const [folder, name] = [path.dirname(file), path.basename(file)]
  try {
    for (const left of readdirSync(folder)) {
      const pid = left.startsWith(`${name}.`) ? /^(\d{1,10})\.new$/.exec(left.slice(name.length + 1))?.[1] : undefined
      // Its number may be that of a process that we do not see, which is writing now; or ours, as of each first process of a container.
      if (pid !== undefined && (Number(pid) === process.pid || !runs(Number(pid))) && Date.now() - statSync(path.join(folder, left)).mtimeMs > DRAFT_OLD_MS) rmSync(path.join(folder, left), { force: true })
    }
  } catch {
    // Whoever writes next tells what is wrong with the folder.
  }
  return `${file}.${process.pid}.new`
}

function runs(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (e) {
    return (e as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

/** Creates a file with its full content, never over an existing one. */
export function writeNew(file: string, content: string, mode: number): Result<void> {
  const draft = draftOf(file)
  try {
    writeWhole(draft, content, mode, 'wx')
    linkSync(draft, file)
    rmSync(draft)
    return ok(undefined)
  } catch (e) {
    rmSync(draft, { force: true })
    return (e as NodeJS.ErrnoException).code === 'EEXIST' ? err('IDENTITY_OUTPUT_EXISTS', file) : unwritable(file, e)
  }
}

/** Whether `replace` could write there: asked before something is made that has to be kept. */
export function replaceable(file: string): Result<void> {
  try {
    accessSync(path.dirname(file), constants.W_OK)
    return ok(undefined)
  } catch (e) {
    return unwritable(file, e)
  }
}

/** A file's new content, all of it or none: after a crash the old or the new one stands there. */
export function replace(file: string, content: string | Uint8Array, mode: number): Result<void> {
  const draft = draftOf(file)
  try {
    writeWhole(draft, content, mode, 'w')
    renameSync(draft, file)
    return ok(undefined)
  } catch (e) {
    rmSync(draft, { force: true })
    return unwritable(file, e)
  }
}

/**
 * Appends a line of JSON, which may follow from those before, and is on the disk when this returns. One process at a time: `stc ca`
 * is used while the door runs. What a power cut left of a line is cut off.
 */
export function appendLine(file: string, line: string | ((before: readonly string[]) => string)): Result<void> {
  try {
    using _ = lockFile(file)
    const text = existsSync(file) ? readFileSync(file, 'utf8') : ''
    const before = wholeLines(text)
    const whole = before.map((l) => `${l}\n`).join('')
    if (text !== whole) writeWhole(`${file}.whole`, whole, PRIVATE_MODE, 'w')
    if (text !== whole) renameSync(`${file}.whole`, file)
    writeWhole(file, `${typeof line === 'string' ? line : line(before)}\n`, PRIVATE_MODE, 'a')
    return ok(undefined)
  } catch (e) {
    return unwritable(file, e)
  }
}

/** Without a last one that was cut off in the middle. */
export const readLines = (file: string): string[] => (existsSync(file) ? wholeLines(readFileSync(file, 'utf8')) : [])

function wholeLines(text: string): string[] {
  const lines = text.split('\n')
  const last = lines.pop() ?? ''
  // An editor may leave out the last line's end.
  if (isJson(last)) lines.push(last)
  return lines.filter((l) => l !== '')
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

const LOCK_TRIES = 500
const LOCK_WAIT_MS = 10
/** Held for one line; whoever holds it for longer was stopped. */
const LOCK_STALE_MS = 4000

function lockFile(file: string): Disposable {
  const lock = `${file}.lock`
  const own = randomUUID()
  for (let i = 0; ; i++) {
    try {
      writeFileSync(lock, own, { flag: 'wx', mode: PRIVATE_MODE })
      return { [Symbol.dispose]: () => unlock(lock, own) }
    } catch (e) {
      if ((e as NodeJS.ErrnoException).code !== 'EEXIST' || i === LOCK_TRIES) throw e
    }
    if (isStale(lock)) setAside(lock)
    else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOCK_WAIT_MS)
  }
}

/** From the future, too: a clock that was set does not keep everybody waiting. */
function isStale(lock: string): boolean {
  const since = statSync(lock, { throwIfNoEntry: false })?.mtimeMs
  return since !== undefined && Math.abs(Date.now() - since) > LOCK_STALE_MS
}

/** Another who waited may have been first, and holds it by now: then it is put back. */
function setAside(lock: string): void {
  const aside = `${lock}.${process.pid}`
  try {
    renameSync(lock, aside)
    if (!isStale(aside)) linkSync(aside, lock)
  } catch (e) {
    if (!['ENOENT', 'EEXIST'].includes((e as NodeJS.ErrnoException).code ?? '')) throw e
  } finally {
    rmSync(aside, { force: true })
  }
}

/** Only what is ours: whoever was stopped for too long finds another's there. */
function unlock(lock: string, own: string): void {
  if (existsSync(lock) && readFileSync(lock, 'latin1') === own) rmSync(lock, { force: true })
}

export function unwritable(file: string, e: unknown): { ok: false; fault: Extract<Result<never>, { ok: false }>['fault'] } {
  return err('IDENTITY_FILE_UNWRITABLE', `${path.resolve(file)} (${(e as NodeJS.ErrnoException).code ?? 'unknown reason'})`)
}

function writeWhole(file: string, content: string | Uint8Array, mode: number, flags: string): void {
  const fd = openSync(file, flags, mode)
  try {
    writeFileSync(fd, content)
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
