/** Files that somebody puts beside the server: read at the start and whenever they change. */
import { instant } from '../base/brand.ts'
import type { Scheduler, Stop } from '../base/ports.ts'
import { ok, type Result } from '../base/result.ts'
import { listChangedAt } from '../store/revocation-file.ts'
import type { Log } from './log.ts'

const LOOK_MS = 2000

/** Fails when one cannot be read at the start; later that is a line in the log, and what was read before stays. */
export function watchFiles<T>(files: readonly string[], read: (file: string) => Result<T>, learn: (value: T, file: string) => void, scheduler: Scheduler, log: Log): Result<Stop> {
  const seen = new Map<string, number | undefined>()
  for (const file of files) {
    seen.set(file, listChangedAt(file))
    const first = read(file)
    if (!first.ok) return first
    learn(first.value, file)
  }
  let cancel: Stop = () => {}
  const look = (): void => {
    for (const file of files) {
      const at = listChangedAt(file)
      if (at === undefined || at === seen.get(file)) continue
      seen.set(file, at)
      const again = read(file)
      if (again.ok) learn(again.value, file)
      else log.warn({ code: again.fault.code }, again.fault.message)
    }
    cancel = scheduler.at(instant(scheduler.now() + LOOK_MS), look)
  }
  if (files.length > 0) cancel = scheduler.at(instant(scheduler.now() + LOOK_MS), look)
  return ok(() => cancel())
}
