/** Whether a phone hears a tone, judged by what it recorded: one measure for all tests with real phones. */
import type { Phone } from './phones/phone.ts'
import { until } from './processes.ts'
import { toneBelow, toneShare } from './tones.ts'
import { part, seconds } from './wav.ts'

export interface Hearing {
  /** What is recorded so soon after now may still be of what was before. */
  readonly settle?: number
  /** Length of the piece that is judged, in seconds. */
  readonly look?: number
  /** Part of its 200 ms windows in which the tone must stand. */
  readonly share?: number
  /** A tone that must lie 40 dB below `hz` in the same piece: the phone's own. */
  readonly not?: number
}

/**
 * The tone stands in one piece that is recorded from now on. Not in the first one at any price: on a busy machine a phone's sound may
 * take seconds to begin, and stumbles.
 */
export async function hears(phone: Phone, hz: number, { settle = 0.6, look = 1.6, share = 0.9, not }: Hearing = {}): Promise<void> {
  const from = seconds(phone.heard()) + settle
  let seen = 'no sound'
  await until(30_000, `${hz} Hz at ${phone.uri}`, () => {
    const all = phone.heard()
    if (seconds(all) < from + look) return undefined
    const piece = part(all, seconds(all) - look)
    const found = toneShare(piece, hz)
    const down = not === undefined ? Number.POSITIVE_INFINITY : toneBelow(piece, not, [hz])
    seen = `heard in ${found} of the windows${not === undefined ? '' : `, ${not} Hz ${down} dB down`}`
    return (found >= share && down >= 40) || undefined
  }, () => `${seen}\n${phone.printed?.() ?? ''}`, 200)
}
