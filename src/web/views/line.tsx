/** The page's phone at the telephone system: who calls by the word of the network, where a call stands, hold, passing on. */
import type { VNode } from 'preact'
import { useState } from 'preact/hooks'
import type { PageFault, PageLine, PageLineCall, PageLineRing } from '../../model/page.ts'
import { Icon } from '../parts/icons.tsx'
import { connection } from '../state/store.ts'
import { faultWords, useWords } from '../words/index.ts'
import { RingBox } from './ring.tsx'

export function LineRinging({ ring, more, calling }: { readonly ring: PageLineRing; readonly more: number; readonly calling: boolean }): VNode {
  const w = useWords()
  const number = ring.number === '' ? w.line.withheld : ring.number
  return (
    <RingBox id={ring.id} name={number} initials={<span aria-hidden="true" class="initials unknown">?</span>} calling={calling} more={more} onAnswer={() => connection.command('line-answer', { ring: ring.id })} onRefuse={() => connection.command('line-refuse', { ring: ring.id })}>
      {ring.name !== '' && ring.name !== ring.number && <p><bdi>{ring.name}</bdi></p>}
      <p class="problem"><Icon name="warning" /> {w.line.unverified}</p>
    </RingBox>
  )
}

/** Where the telephone call stands. */
export function LineCall({ line }: { readonly line: PageLineCall }): VNode {
  const w = useWords()
  const [passing, setPassing] = useState(false)
  const number = line.number === '' ? w.line.withheld : line.number
  return (
    <section class="calling line-call">
      <p role="status">{line.state !== 'up' && <span class="dots" aria-hidden="true" />} <bdi>{w.line.state[line.held ? 'held' : line.state](number)}</bdi></p>
      {line.state === 'up' && !passing && <div class="row end"><button type="button" onClick={() => setPassing(true)}>{w.line.pass}</button></div>}
      {line.state === 'up' && passing && <PassOn onClose={() => setPassing(false)} />}
    </section>
  )
}

function PassOn({ onClose }: { readonly onClose: () => void }): VNode {
  const w = useWords()
  const [number, setNumber] = useState('')
  const [fault, setFault] = useState<PageFault>()
  return (
    <form onSubmit={(e) => {
      e.preventDefault()
      void connection.command('transfer', { number: number.trim() }).then((wrong) => (wrong === undefined ? onClose() : setFault(wrong)))
    }}>
      <label for="pass-to">{w.line.passTo}</label>
      <div class="row">
        <input id="pass-to" autocomplete="off" value={number} aria-describedby="pass-how" ref={(e) => e?.focus()} onInput={(e) => setNumber(e.currentTarget.value)} />
        <button type="submit" class="primary" disabled={number.trim() === ''}>{w.line.passDo}</button>
        <button type="button" onClick={onClose}>{w.cancel}</button>
      </div>
      <p id="pass-how" class="quiet">{w.line.passHow}</p>
      {fault !== undefined && <p class="problem" role="alert"><Icon name="warning" /> {faultWords(w, fault)}</p>}
    </form>
  )
}

/** Whether it can be called. */
export function LineState({ line }: { readonly line: PageLine }): VNode {
  const w = useWords()
  if (line.registered) return <p class="good" role="status"><Icon name="check" /> {w.line.registered(line.number)}</p>
  return <p class="problem" role="status"><Icon name="warning" /> {w.line.not(line.number)} {line.fault !== undefined && faultWords(w, line.fault)}</p>
}
