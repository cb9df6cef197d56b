/** Small parts: meters, sparklines, waves, dialogs, things said to screen readers. */
import type { ComponentChildren, VNode } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { displayName, type Identity } from '../../model/identity.ts'
import { lengthOf, SPEAKING } from '../state/levels.ts'
import { levels } from '../state/store.ts'

/** A level as a bar. Drawn past the page's own drawing; for eyes only. */
export function Meter({ call, who }: { readonly call: number; readonly who: number | 'own' }): VNode {
  const bar = useRef<HTMLSpanElement>(null)
  useEffect(() => {
    let shown = ''
    return levels.watch(call, who, (level) => {
      const next = lengthOf(level).toFixed(2)
      if (next === shown || bar.current === null) return
      shown = next
      bar.current.style.transform = `scaleX(${next})`
    })
  }, [call, who])
  return <span class="meter" aria-hidden="true"><span ref={bar} /></span>
}

/** A ring around who speaks, and the word for it. */
export function Speaking({ call, who, word, children }: { readonly call: number; readonly who: number | 'own' | undefined; readonly word: string; readonly children: ComponentChildren }): VNode {
  const ring = useRef<HTMLSpanElement>(null)
  useEffect(() => {
    if (who === undefined) return
    let quietAt = 0
    let shown = false
    return levels.watch(call, who, (level) => {
      const now = Date.now()
      if (level < SPEAKING) quietAt = now + 600
      if (shown === now < quietAt) return
      shown = now < quietAt
      ring.current?.toggleAttribute('data-speaking', shown)
    })
  }, [call, who])
  return <span class="avatar" ref={ring}>{children}<span class="speaking" title={word} aria-hidden="true" /></span>
}

/** For eyes only; the name stands beside it. The same person has the same colour everywhere. */
export const Initials = ({ identity }: { readonly identity: Pick<Identity, 'keyId'> & Parameters<typeof displayName>[0] }): VNode => (
  <span aria-hidden="true" style={{ '--hue': String(Number.parseInt(identity.keyId.slice(0, 4), 16) % 360) }} class="initials">{initialsOf(displayName(identity))}</span>
)
const initialsOf = (name: string): string => {
  const words = name.split(/\s+/u).filter((x) => /\p{L}|\p{N}/u.test(x))
  return [words[0], words.length > 1 ? words.at(-1) : undefined].map((x) => [...(x ?? '')][0] ?? '').join('').toLocaleUpperCase()
}

export function Sparkline({ values, most, label }: { readonly values: readonly number[]; readonly most: number; readonly label: string }): VNode {
  const [w, h] = [96, 22]
  const top = Math.max(most, ...values)
  const points = values.map((v, i) => `${((i + 60 - values.length) * (w / 59)).toFixed(1)},${(h - 2 - (v / top) * (h - 4)).toFixed(1)}`).join(' ')
  return <svg class="spark" viewBox={`0 0 ${w} ${h}`} role="img" aria-label={label}><polyline points={points} /></svg>
}

/** The loudness of a recording, as bars. */
export function Wave({ pcm, label }: { readonly pcm: Int16Array; readonly label: string }): VNode {
  const bars = 120
  const step = Math.max(1, Math.floor(pcm.length / bars))
  const loud = Array.from({ length: bars }, (_, i) => {
    let power = 0
    for (let k = i * step; k < (i + 1) * step; k++) power += (pcm[k] ?? 0) ** 2
    return Math.sqrt(power / step)
  })
  // As large as fits; next to nothing stays next to nothing.
  const top = Math.max(300, ...loud)
  const path = loud.map((x, i) => {
    const height = Math.max(0.6, (28 * x) / top)
    return `M${i * 4 + 2} ${(32 - height).toFixed(1)}V${(32 + height).toFixed(1)}`
  }).join('')
  return <svg class="wave" viewBox={`0 0 ${bars * 4} 64`} preserveAspectRatio="none" role="img" aria-label={label}><path d={path} /></svg>
}

export function Dialog({ title, onClose, children, wide = false }: { readonly title: string; readonly onClose: () => void; readonly children: ComponentChildren; readonly wide?: boolean }): VNode {
  const box = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null
    box.current?.showModal()
    return () => before?.focus()
  }, [])
  return (
    <dialog ref={box} class={wide ? 'wide' : ''} aria-labelledby="dialog-title" onClose={onClose} onClick={(e) => e.target === box.current && onClose()}>
      <div class="dialog"><h2 id="dialog-title" tabIndex={-1}>{title}</h2>{children}</div>
    </dialog>
  )
}

/** What is asked before something is done; in view, wherever it opens. */
export function Ask({ label, children }: { readonly label: string; readonly children: ComponentChildren }): VNode {
  const box = useRef<HTMLDivElement>(null)
  useEffect(() => box.current?.scrollIntoView({ block: 'center' }), [])
  return <div class="ask" role="group" aria-label={label} ref={box}>{children}</div>
}

/** Polite: said when the reader is done with what it says. */
export const Announce = ({ text }: { readonly text: string }): VNode => <div class="unseen" role="status" aria-live="polite">{text}</div>
