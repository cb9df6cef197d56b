/** One process at a time in a folder: a file with its number, which is not believed any more once that process is gone. */
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { type Result, err, ok } from '../base/result.ts'

export type FolderLock = Disposable

/** Held in this process: its own number in the file says nothing of which part of it. */
const held = new Set<string>()
const TRIES = 3

export function lockFolder(folder: string): Result<FolderLock> {
  const file = path.join(path.resolve(folder), 'lock')
  const own = `${file}.${process.pid}`
  if (held.has(file)) return err('JOURNAL_IN_USE', `${folder} (this process)`)
  for (let i = 0; i < TRIES; i++) {
    try {
      // With its number in it from the first moment on.
      writeFileSync(own, `${process.pid}\n`, { mode: 0o600 })
      linkSync(own, file)
      held.add(file)
      return ok({ [Symbol.dispose]: () => release(file) })
    } catch (e) {
      const { code } = e as NodeJS.ErrnoException
      if (code !== 'EEXIST') return err('STORE_UNWRITABLE', `${folder} (${code ?? 'unknown reason'})`)
      const other = holder(file)
      if (other !== undefined && other !== process.pid && isAlive(other)) return err('JOURNAL_IN_USE', `${folder} (process ${other})`)
      rmSync(file, { force: true })
    } finally {
      rmSync(own, { force: true })
    }
  }
  return err('JOURNAL_IN_USE', folder)
}

function release(file: string): void {
  held.delete(file)
  rmSync(file, { force: true })
}

function holder(file: string): number | undefined {
  try {
    const pid = Number(readFileSync(file, 'latin1').trim())
    return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined
  } catch {
    return undefined
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (e) {
    return (e as NodeJS.ErrnoException).code === 'EPERM'
  }
}
