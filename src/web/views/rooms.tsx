/** Between calls: call a room, what was called before, the echo room. */
import type { VNode } from 'preact'
import { useState } from 'preact/hooks'
import type { PageFault, PageSnapshot } from '../../model/page.ts'
import { Icon } from '../parts/icons.tsx'
import { connection, sound } from '../state/store.ts'
import { faultWords, timeOfDay, useWords } from '../words/index.ts'
import { Keypad } from './keypad.tsx'

/** The browser asks for the microphone first: a call that nobody is in helps nobody. */
export async function dialFromPage(number: string): Promise<PageFault | undefined> {
  if (!(await sound.open())) return { code: 'PAGE_MICROPHONE', message: '' }
  return await connection.command('dial', { number })
}

export function Rooms({ snapshot, able, onEcho }: { readonly snapshot: PageSnapshot; readonly able: boolean; readonly onEcho: () => void }): VNode {
  const w = useWords()
  const [number, setNumber] = useState('')
  const [keys, setKeys] = useState(false)
  const [fault, setFault] = useState<PageFault>()
  const call = async (dialled: string): Promise<void> => {
    if (dialled.trim() !== '') setFault(await dialFromPage(dialled.trim()))
  }
  // People say "room 100"; the dial plan wants its prefix before it. Whoever types the prefix means the same.
  const asDialled = (text: string): string => (text.startsWith(snapshot.roomPrefix) || snapshot.rooms.some((r) => r.dial === text) ? text : `${snapshot.roomPrefix}${text}`)
  const reason = snapshot.browser.state === 'idle' ? snapshot.browser.reason : undefined
  return (
    <div class="columns">
      <section class="card dial" aria-labelledby="dial">
        <h1 id="dial">{w.rooms.heading}</h1>
        <form onSubmit={(e) => {
          e.preventDefault()
          void call(asDialled(number))
        }}>
          <label for="number">{w.rooms.number}</label>
          <div class="row">
            <input id="number" autocomplete="off" value={number} placeholder={w.rooms.placeholder} onInput={(e) => setNumber(e.currentTarget.value)} />
            <button type="button" class="icon-button" aria-label={w.controls.keypad} aria-expanded={keys} onClick={() => setKeys(!keys)}><Icon name="keypad" /></button>
            <button type="submit" class="primary" disabled={!able || number === ''}>{w.rooms.call}</button>
          </div>
        </form>
        {keys && <Keypad onKey={(k) => setNumber(number + k)} />}
        {(fault !== undefined || reason !== undefined) && (
          <p class="problem" role="alert"><Icon name="warning" /> {fault === undefined ? reason : fault.code === 'PAGE_MICROPHONE' ? w.phone[sound.state === 'missing' ? 'missing' : 'refused'] : faultWords(w, fault)}</p>
        )}
        {snapshot.rooms.length > 0 && (
          <>
            <h2>{w.rooms.known}</h2>
            <ul class="list">{snapshot.rooms.map((r) => (
              <li key={r.dial}><span><Icon name="door" /> {r.name} <small>{r.dial}</small></span><button type="button" disabled={!able} aria-label={`${w.rooms.call}: ${r.name}`} onClick={() => void call(r.dial)}>{w.rooms.call}</button></li>
            ))}</ul>
          </>
        )}
      </section>
      <div class="stack">
        <section class="card echo-card" aria-labelledby="echo-card">
          <Icon name="echo" />
          <div><h2 id="echo-card">{w.rooms.echo}</h2><p class="quiet">{w.rooms.echoHow}</p></div>
          <button type="button" disabled={!able} onClick={onEcho}>{w.rooms.echoGo}</button>
        </section>
        <Past snapshot={snapshot} able={able} onCall={(room) => void call(`${snapshot.roomPrefix}${room}`)} />
      </div>
    </div>
  )
}

function Past({ snapshot, able, onCall }: { readonly snapshot: PageSnapshot; readonly able: boolean; readonly onCall: (room: string) => void }): VNode {
  const w = useWords()
  const echo = snapshot.echoDial.slice(snapshot.roomPrefix.length)
  const past = snapshot.past.filter((p) => p.room !== echo).slice(0, 20)
  const at = (instant: number): string => timeOfDay(snapshot.clock.unixMs + instant - snapshot.clock.instant)
  return (
    <section class="card" aria-labelledby="past">
      <h2 id="past">{w.rooms.recent}</h2>
      {past.length === 0 ? <p class="quiet">{w.rooms.none}</p> : (
        <ul class="list">{past.map((p) => (
          <li key={p.endedAt}>
            <span>
              <strong>{p.room}</strong> <small>{at(p.startedAt)} · {p.fault === undefined ? w.rooms.lasted(w.duration((p.endedAt - p.startedAt) / 1000)) : w.rooms.failed}</small>
              <small class="line">{p.fault === undefined ? (p.people.length === 0 ? w.rooms.alone : p.people.slice(0, 4).join(', ') + (p.people.length > 4 ? ' …' : '')) : faultWords(w, p.fault)}</small>
            </span>
            <button type="button" disabled={!able} aria-label={w.rooms.again(p.room)} onClick={() => onCall(p.room)}>{w.rooms.call}</button>
          </li>
        ))}</ul>
      )}
    </section>
  )
}
