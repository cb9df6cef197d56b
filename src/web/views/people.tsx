/** People whom we met: to call, to ask in, and who may not ring here any more. */
import type { VNode } from 'preact'
import { useState } from 'preact/hooks'
import type { PageFault, PagePerson } from '../../model/page.ts'
import { Icon } from '../parts/icons.tsx'
import { Dialog } from '../parts/small.tsx'
import { connection } from '../state/store.ts'
import { day, faultWords, keyWords, useWords } from '../words/index.ts'

const SHOWN = 8

export function People({ people, able, onCall }: { readonly people: readonly PagePerson[]; readonly able: boolean; readonly onCall: (p: PagePerson) => void }): VNode | null {
  const w = useWords()
  const [all, setAll] = useState(false)
  if (people.length === 0) return null
  const shown = all ? people : people.slice(0, SHOWN)
  return (
    <section class="card" aria-labelledby="people">
      <h2 id="people">{w.people.heading}</h2>
      <ul class="list people">{shown.map((p) => (
        <li key={p.to}>
          <span><strong><bdi>{p.name}</bdi></strong> <Known person={p} /><small class="line">{keyWords(p.to)} · {w.people.seen(day(p.lastSeen))}</small></span>
          <span class="row">
            {p.blocked
              ? <button type="button" aria-label={w.people.unblockWho(p.name)} onClick={() => void connection.command('block', { keyId: p.to, blocked: false })}>{w.people.unblock}</button>
              : <button type="button" disabled={!able} aria-label={w.people.callWho(p.name)} onClick={() => onCall(p)}>{w.rooms.call}</button>}
          </span>
        </li>
      ))}</ul>
      {people.length > SHOWN && <button type="button" class="plain" aria-expanded={all} onClick={() => setAll(!all)}>{all ? w.people.fewer : w.people.all(people.length)}</button>}
    </section>
  )
}

const Known = ({ person: p }: { readonly person: PagePerson }): VNode | null => {
  const w = useWords()
  if (p.blocked) return <span class="tag alarm">{w.people.blocked}</span>
  if (p.changed) return <span class="tag alarm">{w.acquaintance.changed}</span>
  return p.compared ? <span class="tag good-tag"><Icon name="check" /> {p.comparedAt === undefined ? w.acquaintance.compared : w.acquaintance.comparedOn(day(p.comparedAt))}</span> : null
}

/** Rings somebody into a call that goes on. */
export function AskIn({ call, people, onClose }: { readonly call: number; readonly people: readonly PagePerson[]; readonly onClose: () => void }): VNode {
  const w = useWords()
  const [to, setTo] = useState('')
  const [fault, setFault] = useState<PageFault>()
  const ask = async (address: string, name: string): Promise<void> => {
    const wrong = await connection.command('ask-in', { call, to: address, name })
    if (wrong === undefined) onClose()
    else setFault(wrong)
  }
  return (
    <Dialog title={w.people.askIn} onClose={onClose}>
      <form onSubmit={(e) => {
        e.preventDefault()
        if (to.trim() !== '') void ask(to.trim(), to.trim())
      }}>
        <div class="field">
          <label for="ask">{w.people.mail}</label>
          <div class="row nowrap"><input id="ask" type="email" autocomplete="off" value={to} onInput={(e) => setTo(e.currentTarget.value)} /><button type="submit" class="primary" disabled={to.trim() === ''}>{w.people.ring}</button></div>
        </div>
      </form>
      {fault !== undefined && <p class="problem" role="alert"><Icon name="warning" /> {faultWords(w, fault)}</p>}
      {people.some((p) => !p.blocked) && (
        <>
          <h3>{w.people.heading}</h3>
          <ul class="list people">{people.filter((p) => !p.blocked).slice(0, 20).map((p) => (
            <li key={p.to}><span><strong><bdi>{p.name}</bdi></strong> <Known person={p} /><small class="line">{keyWords(p.to)}</small></span><button type="button" aria-label={w.people.ringWho(p.name)} onClick={() => void ask(p.to, p.name)}>{w.people.ring}</button></li>
          ))}</ul>
        </>
      )}
      <div class="row end"><button type="button" onClick={onClose}>{w.cancel}</button></div>
    </Dialog>
  )
}
