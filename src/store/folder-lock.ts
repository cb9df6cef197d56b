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
      writeFileSync(own, `${process.pid} ${birthOf(process.pid) ?? ''}\n`, { mode: 0o600 })
      linkSync(own, file)
      held.add(file)
      return ok({ [Symbol.dispose]: () => release(file) })
    } catch (e) {
      const { code } = e as NodeJS.ErrnoException
      if (code !== 'EEXIST') return err('STORE_UNWRITABLE', `${folder} (${code ?? 'unknown reason'})`)
      const other = holder(file)
      if (other !== undefined && other.pid !== process.pid && isAlive(other)) return err('JOURNAL_IN_USE', `${folder} (process ${other.pid})`)
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

interface Holder {
  readonly pid: number
  readonly birth: string | undefined
}

/** When a process began, and since which start of the machine: after a power cut another one has its number. Linux alone tells. */
function birthOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()}/${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]}`
  } catch {
    return undefined
  }
}

function holder(file: string): Holder | undefined {
  try {
    const [number, birth] = readFileSync(file, 'latin1').trim().split(' ')
    const pid = Number(number)
    return Number.isSafeInteger(pid) && pid > 0 ? { pid, birth } : undefined
  } catch {
    return undefined
  }
}

function isAlive({ pid, birth }: Holder): boolean {
  try {
    process.kill(pid, 0)
  } catch (e) {
    // EPERM: somebody else's process has the number. Whether it is the one that wrote it shows below all the same.
    if ((e as NodeJS.ErrnoException).code === 'ESRCH') return false
  }
  const now = birthOf(pid)
  return birth === undefined || now === undefined || now === birth
}
