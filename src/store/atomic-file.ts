/** Files that are there whole or not at all, whenever the machine stops. */
import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs'
import path from 'node:path'
import { type Result, err, ok } from '../base/result.ts'

const PRIVATE = 0o600

/** Puts `bytes` in the place of what the file held; on disk when this returns. */
export function replaceFile(file: string, bytes: Uint8Array): Result<undefined> {
  const fresh = `${file}.new`
  try {
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 })
    const fd = openSync(fresh, 'w', PRIVATE)
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at)
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
    renameSync(fresh, file)
    syncFolder(path.dirname(file))
    return ok(undefined)
  } catch (e) {
    return err('STORE_UNWRITABLE', `${file} (${(e as NodeJS.ErrnoException).code ?? 'unknown reason'})`)
  }
}

/** So that a rename or a new file outlives a power cut; Windows has no such thing. */
export function syncFolder(folder: string): void {
  if (process.platform === 'win32') return
  const fd = openSync(folder, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
