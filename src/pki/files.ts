/** Files that are there whole or not at all. */
import { closeSync, fsyncSync, linkSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { type Result, err, ok } from '../base/result.ts'

export const PRIVATE_MODE = 0o600
export const PUBLIC_MODE = 0o644

/** Creates a file with its full content, never over an existing one. */
export function writeNew(file: string, content: string, mode: number): Result<void> {
  const draft = `${file}.${process.pid}.new`
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

/** A file's new content, all of it or none: after a crash the old or the new one stands there. */
export function replace(file: string, content: string | Uint8Array, mode: number): Result<void> {
  const draft = `${file}.${process.pid}.new`
  try {
    writeWhole(draft, content, mode, 'w')
    renameSync(draft, file)
    return ok(undefined)
  } catch (e) {
    rmSync(draft, { force: true })
    return unwritable(file, e)
  }
}

/** Appends a line that is on the disk when this returns. */
export function appendLine(file: string, line: string): Result<void> {
  try {
    writeWhole(file, `${line}\n`, PRIVATE_MODE, 'a')
    return ok(undefined)
  } catch (e) {
    return unwritable(file, e)
  }
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
