/** What happened in this call, the newest first. */
import type { VNode } from 'preact'
import type { Happening } from '../state/state.ts'
import { memo } from '../parts/memo.ts'
import { faultWords, timeOfDay, useWords, type Words } from '../words/index.ts'
import type { Clock } from '../state/state.ts'

const SHOWN = 60

export const History = memo(({ history, clock }: { readonly history: readonly Happening[]; readonly clock: Clock }): VNode => {
  const w = useWords()
  const newest = history.slice(-SHOWN).reverse()
  return (
    <section class="card history" aria-labelledby="history">
      <h2 id="history">{w.history.heading}</h2>
      {newest.length === 0 ? <p class="quiet">{w.history.empty}</p> : (
        <ol tabIndex={0} aria-labelledby="history">
          {newest.map((h, i) => (
            <li key={history.length - i} data-kind={h.kind} data-prominent={h.prominent}>
              <time>{timeOfDay(clock.unixMs + h.at - clock.instant)}</time>
              <span><bdi>{lineOf(w, h)}</bdi>{h.kind !== 'phase' && h.code !== '' && <code>{h.code}</code>}</span>
            </li>
          ))}
        </ol>
      )}
    </section>
  )
})

export function lineOf(w: Words, h: Happening): string {
  if (h.kind === 'joined' || h.kind === 'left' || h.kind === 'unheard' || h.kind === 'heard') return w.history[h.kind](h.name)
  if (h.kind === 'flag') return w.history.flag(h.name, h.text)
  if (h.kind === 'knock' || h.kind === 'changed') return w.history[h.kind](h.name)
  if (h.kind === 'phase') return w.history.phase[h.code] ?? h.code
  return w.notes[h.code] ?? faultWords(w, { code: h.code, message: h.text })
}
