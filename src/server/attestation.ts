/** What Intel says about platforms, for clients that judge each other's enclaves: from files, handed on unread. Nothing of it has to be believed here. */
import { instant } from '../base/brand.ts'
import type { Scheduler, Stop } from '../base/ports.ts'
import { ok, type Result } from '../base/result.ts'
import type { ServerWire } from '../protocol/wire/messages.ts'
import { readCollateral } from '../store/collateral-file.ts'
import { listChangedAt } from '../store/revocation-file.ts'
import type { Log } from './log.ts'

const LOOK_MS = 5000

export class Attestation {
  readonly #sets = new Map<string, Uint8Array>()
  #changed: () => void = () => {}

  onChange(listener: () => void): void {
    this.#changed = listener
  }
  put(name: string, collateral: Uint8Array): void {
    this.#sets.set(name, collateral)
    this.#changed()
  }
  /** One set each. */
  updates(): ({ k: 'attestation' } & ServerWire['attestation'])[] {
    return [...this.#sets.values()].map((collateral) => ({ k: 'attestation', collateral: [collateral] }))
  }
}

/** Fails when a file cannot be read at the start; later that is a line in the log, and what was read before stays. */
export function watchCollateral(files: readonly string[], attestation: Attestation, scheduler: Scheduler, log: Log): Result<Stop> {
  const seen = new Map<string, number | undefined>()
  for (const file of files) {
    seen.set(file, listChangedAt(file))
    const read = readCollateral(file)
    if (!read.ok) return read
    attestation.put(file, read.value)
  }
  let cancel: Stop = () => {}
  const look = (): void => {
    for (const file of files) {
      const at = listChangedAt(file)
      if (at === undefined || at === seen.get(file)) continue
      seen.set(file, at)
      const read = readCollateral(file)
      if (read.ok) attestation.put(file, read.value)
      else log.warn({ code: read.fault.code }, read.fault.message)
    }
    cancel = scheduler.at(instant(scheduler.now() + LOOK_MS), look)
  }
  if (files.length > 0) cancel = scheduler.at(instant(scheduler.now() + LOOK_MS), look)
  return ok(() => cancel())
}
