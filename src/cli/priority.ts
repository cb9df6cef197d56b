/** Voice comes before other work on the machine, where the system lets us ask for that. */
import { constants, setPriority } from 'node:os'

/**
 * Raises this thread's scheduling priority; threads made afterwards inherit it. Without the right to do so
 * (CAP_SYS_NICE, or `Nice=` in the unit file) nothing changes.
 */
export function preferVoice(): void {
  try {
    setPriority(constants.priority.PRIORITY_HIGH)
  } catch {
    // Not ours to decide: the machine's administrator does.
  }
}
