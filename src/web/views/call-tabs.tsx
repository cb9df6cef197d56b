/** Several calls at once: one tab for each, with what can be heard of it. */
import type { VNode } from 'preact'
import { useRef } from 'preact/hooks'
import { privacyOf } from '../../model/privacy.ts'
import { Icon, Shape } from '../parts/icons.tsx'
import { asks } from '../state/heard.ts'
import { nameOf, sentenceOf } from '../state/sentence.ts'
import type { CallView } from '../state/state.ts'
import { useWords } from '../words/index.ts'

export const PANEL = 'call-panel'
export const tabOf = (call: CallView): string => `call-tab-${call.id}`

/** Arrows, Home and End go from tab to tab (WAI-ARIA, tabs). */
export function CallTabs({ calls, shown, known, onShow }: { readonly calls: readonly CallView[]; readonly shown: CallView; readonly known: boolean; readonly onShow: (call: number) => void }): VNode {
  const w = useWords()
  const list = useRef<HTMLDivElement>(null)
  const go = (e: KeyboardEvent, i: number): void => {
    const to = { ArrowRight: i + 1, ArrowLeft: i - 1, Home: 0, End: calls.length - 1 }[e.key]
    if (to === undefined) return
    e.preventDefault()
    const at = (to + calls.length) % calls.length
    onShow(calls[at]!.id)
    ;(list.current?.children[at] as HTMLElement | undefined)?.focus()
  }
  return (
    <div class="call-tabs" role="tablist" aria-label={w.calls.heading} ref={list}>
      {calls.map((c, i) => (
        <button type="button" role="tab" key={c.id} id={tabOf(c)} aria-controls={PANEL} aria-selected={c.id === shown.id} tabIndex={c.id === shown.id ? 0 : -1} data-privacy={known ? privacyOf(c.roster) : 'none'} onClick={() => onShow(c.id)} onKeyDown={(e) => go(e, i)}>
          <Shape privacy={known ? privacyOf(c.roster) : 'none'} />
          <span><bdi>{nameOf(c)}</bdi><small>{known ? sentenceOf(w, c.roster) : w.privacy.unknown}{asks(c) && <strong><Icon name="warning" /> {w.calls.asks}</strong>}</small></span>
        </button>
      ))}
    </div>
  )
}
