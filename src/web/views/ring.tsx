/** It rings: who calls, by certificate, and whether to answer. The other way round: whom we call. */
import type { ComponentChildren, VNode } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { displayName } from '../../model/identity.ts'
import type { PageCalling, PageFault, PageRing } from '../../model/page.ts'
import { Icon } from '../parts/icons.tsx'
import { Initials } from '../parts/small.tsx'
import { connection, ringer, sound } from '../state/store.ts'
import { day, faultWords, keyWords, useWords } from '../words/index.ts'
import { withMicrophone } from './rooms.tsx'

/** Whoever was typing or clicking when it began to ring has not answered. */
const GUARD_MS = 700

/** For whoever looks at another window. A click on it brings this one back; answering is done here. */
function notified(title: string, tag: string): Notification | undefined {
  if (!document.hidden || !('Notification' in window) || Notification.permission !== 'granted') return undefined
  const shown = new Notification(title, { tag, requireInteraction: true })
  shown.onclick = () => window.focus()
  return shown
}

interface RingBoxProps {
  readonly id: string
  readonly name: string
  readonly initials: VNode
  readonly children: ComponentChildren
  readonly calling: boolean
  readonly more: number
  readonly onAnswer: () => Promise<PageFault | undefined>
  readonly onRefuse: () => Promise<PageFault | undefined>
}

/** Whoever calls: the name, what stands behind it, and the two answers. */
export function RingBox({ id, name, initials, children, calling, more, onAnswer, onRefuse }: RingBoxProps): VNode {
  const w = useWords()
  const box = useRef<HTMLDialogElement>(null)
  const [fault, setFault] = useState<PageFault>()
  const [, redraw] = useState(0)
  const busyAt = useRef(Date.now())
  const meant = (): boolean => Date.now() - busyAt.current >= GUARD_MS
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null
    box.current?.showModal()
    busyAt.current = Date.now()
    ringer.onChange = () => redraw((n) => n + 1)
    const title = document.title
    document.title = w.ring.calls(name)
    const shown = notified(w.ring.calls(name), id)
    return () => {
      document.title = title
      shown?.close()
      ringer.onChange = () => {}
      before?.focus()
    }
  }, [id])
  const answer = async (): Promise<void> => {
    if (!meant()) return
    setFault(await withMicrophone(onAnswer))
  }
  const refuse = (): void => void (meant() && onRefuse().then(setFault))
  return (
    <dialog ref={box} class="ringing" aria-labelledby="ringing" aria-describedby="ringing-who" onCancel={(e) => {
      e.preventDefault()
      refuse()
    }} onKeyDown={(e) => {
      if (e.key === 'Enter' && !(e.target instanceof HTMLButtonElement)) void answer()
      else if (e.key !== 'Tab' && e.key !== 'Escape' && e.key !== 'Enter' && e.key !== ' ') busyAt.current = Date.now()
    }}>
      <div class="dialog">
        <span class="avatar big ring" data-on={ringer.state === 'ringing'}>{initials}</span>
        <h2 id="ringing" tabIndex={-1} autofocus><bdi>{w.ring.calls(name)}</bdi></h2>
        <div id="ringing-who">
          {children}{(calling || more > 0) && <p class="quiet">{calling ? w.ring.ends : ''}{more > 0 ? ` ${w.ring.more(more)}` : ''}</p>}
        </div>
        {ringer.state === 'withheld' && <p class="quiet" role="status">{w.ring.withheld}</p>}
        {fault !== undefined && <p class="problem" role="alert"><Icon name="warning" /> {fault.code === 'PAGE_MICROPHONE' ? w.phone[sound.problem ?? 'refused'] : faultWords(w, fault)}</p>}
        <div class="answers">
          <button type="button" class="round danger" onClick={refuse}><Icon name="leave" /><span>{w.ring.refuse}</span><kbd>Esc</kbd></button>
          <button type="button" class="round accept" onClick={() => void answer()}><Icon name="phone" /><span>{w.ring.answer}</span><kbd>Enter</kbd></button>
        </div>
      </div>
    </dialog>
  )
}

export function Ringing({ ring, more, calling }: { readonly ring: PageRing; readonly more: number; readonly calling: boolean }): VNode {
  const w = useWords()
  const { identity, acquaintance } = ring
  const about = [identity.organisation, identity.emails[0]].filter((x) => x !== undefined).join(' · ')
  return (
    <RingBox id={ring.id} name={displayName(identity)} initials={<Initials identity={identity} />} calling={calling} more={more} onAnswer={() => connection.command('answer', { ring: ring.id })} onRefuse={() => connection.command('refuse', { ring: ring.id })}>
      {about !== '' && <p><bdi>{about}</bdi></p>}
      <p class="quiet">{w.certificate.issuer} <bdi>{identity.issuer}</bdi> · {keyWords(identity.keyId)}</p>
      {acquaintance !== undefined && (
        <p class={acquaintance.kind === 'changed' ? 'problem' : acquaintance.compared ? 'good' : 'quiet'}>
          {acquaintance.kind === 'changed' ? w.acquaintance.changedHow : acquaintance.compared ? <><Icon name="check" /> {acquaintance.comparedAt === undefined ? w.acquaintance.compared : w.acquaintance.comparedOn(day(acquaintance.comparedAt))}</> : w.acquaintance[acquaintance.kind]}
        </p>
      )}
      <p class="quiet">{w.ring.checked}</p>
    </RingBox>
  )
}

/** Whom we call into this room, while it rings there. */
export function Calling({ calling }: { readonly calling: readonly PageCalling[] }): VNode | null {
  const w = useWords()
  if (calling.length === 0) return null
  return (
    <section class="calling" role="status">
      {calling.map((c) => <p key={c.id}><span class="dots" aria-hidden="true" /> <bdi>{c.state === 'ringing' ? w.ring.rings(c.name) : w.ring.calling(c.name)}</bdi></p>)}
    </section>
  )
}
