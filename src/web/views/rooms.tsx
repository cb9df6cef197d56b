/** Between calls: call a room, what was called before, the echo room. */
import type { VNode } from 'preact'
import { useState } from 'preact/hooks'
import type { PageAddress, PageFault, PageSnapshot, PastCall } from '../../model/page.ts'
import { Icon } from '../parts/icons.tsx'
import { connection, sound } from '../state/store.ts'
import { dayAndTime, faultWords, useWords } from '../words/index.ts'
import { Keypad } from './keypad.tsx'
import { People } from './people.tsx'

/** The browser asks for the microphone first: a call that nobody is in helps nobody. If no call comes of it, the microphone is given back. */
export async function withMicrophone(call: () => Promise<PageFault | undefined>): Promise<PageFault | undefined> {
  const done = sound.need()
  try {
    return (await sound.open()) ? await call() : { code: 'PAGE_MICROPHONE', message: '' }
  } finally {
    done()
  }
}
export const dialFromPage = (number: string, typed = number): Promise<PageFault | undefined> => withMicrophone(() => connection.command('dial', { number, typed }))
export const callFromPage = ({ to, name }: PageAddress): Promise<PageFault | undefined> => withMicrophone(() => connection.command('call-person', { to, name }))

export function Rooms({ snapshot, able, onEcho }: { readonly snapshot: PageSnapshot; readonly able: boolean; readonly onEcho: () => void }): VNode {
  const w = useWords()
  const [number, setNumber] = useState('')
  const [keys, setKeys] = useState(false)
  const [fault, setFault] = useState<PageFault>()
  const call = async (dialled: string, typed = dialled): Promise<void> => {
    if (dialled.trim() !== '') setFault(await dialFromPage(dialled.trim(), typed.trim()))
  }
  const person = async (p: PageAddress): Promise<void> => setFault(await callFromPage(p))
  // People say "room 100"; the dial plan wants its prefix before it. Whoever types the prefix means the same.
  // With a line of its own, numbers are what they are on every telephone.
  const isNumber = (text: string): boolean => snapshot.line !== undefined && /^[+*#0-9][*#0-9 ().-]*$/.test(text)
  const asDialled = (text: string): string => (isNumber(text) ? text.replace(/[ ().-]/g, '') : text.startsWith(snapshot.roomPrefix) || snapshot.rooms.some((r) => r.dial === text) ? text : `${snapshot.roomPrefix}${text}`)
  const idle = snapshot.browser.state === 'idle' ? snapshot.browser : undefined
  const reason = idle?.fault === undefined ? idle?.reason : faultWords(w, idle.fault)
  const onLine = snapshot.line?.registered === true
  return (
    <div class="columns">
      <div class="stack">
      <section class="card dial" aria-labelledby="dial">
        <h1 id="dial">{w.rooms.heading}</h1>
        <form onSubmit={(e) => {
          e.preventDefault()
          void (number.includes('@') ? person({ to: number.trim(), name: number.trim() }) : call(asDialled(number), number))
        }}>
          <label for="number">{w.rooms.number}</label>
          <div class="row">
            <input id="number" autocomplete="off" value={number} placeholder={snapshot.line === undefined ? w.rooms.placeholder : w.line.placeholder} {...(snapshot.line === undefined ? {} : { 'aria-describedby': 'number-how' })} onInput={(e) => setNumber(e.currentTarget.value)} />
            <button type="button" class="icon-button" aria-label={w.controls.keypad} aria-expanded={keys} onClick={() => setKeys(!keys)}><Icon name="keypad" /></button>
            <button type="submit" class="primary" disabled={!(able || (onLine && isNumber(number))) || number === ''}>{w.rooms.call}</button>
          </div>
        </form>
        {snapshot.line !== undefined && <p id="number-how" class="quiet">{w.line.how(snapshot.roomPrefix)}</p>}
        {keys && <Keypad onKey={(k) => setNumber(number + k)} />}
        {(fault !== undefined || reason !== undefined) && (
          <p class="problem" role="alert"><Icon name="warning" /> {fault === undefined ? reason : fault.code === 'PAGE_MICROPHONE' ? w.phone[sound.problem ?? 'refused'] : faultWords(w, fault)}</p>
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
        <People people={snapshot.people} able={able} onCall={(p) => void person(p)} />
      </div>
      <div class="stack">
        <section class="card echo-card" aria-labelledby="echo-card">
          <Icon name="echo" />
          <div><h2 id="echo-card">{w.rooms.echo}</h2><p class="quiet">{w.rooms.echoHow}</p></div>
          <button type="button" disabled={!able} onClick={onEcho}>{w.rooms.echoGo}</button>
        </section>
        <Past snapshot={snapshot} able={able} onLine={onLine} onCall={(p) => void (p.telephone === true ? call(p.room) : p.person === undefined ? call(`${snapshot.roomPrefix}${p.room}`) : person(p.person))} />
      </div>
    </div>
  )
}

const SHOWN = 20

function Past({ snapshot, able, onLine, onCall }: { readonly snapshot: PageSnapshot; readonly able: boolean; readonly onLine: boolean; readonly onCall: (p: PastCall) => void }): VNode {
  const w = useWords()
  const [asking, setAsking] = useState(false)
  const past = snapshot.past.filter((p) => p.room !== snapshot.echoRoom).slice(0, SHOWN)
  return (
    <section class="card" aria-labelledby="past">
      <div class="row head">
        <h2 id="past">{w.rooms.recent}</h2>
        {past.length > 0 && !asking && <button type="button" class="plain" onClick={() => setAsking(true)}>{w.rooms.clear}</button>}
      </div>
      {asking && (
        <div class="ask" role="group" aria-label={w.rooms.clearAsk}>
          <p>{w.rooms.clearAsk}</p>
          <div class="row end"><button type="button" onClick={() => setAsking(false)}>{w.cancel}</button><button type="button" class="danger" onClick={() => void connection.command('forget-calls', {}).then((wrong) => setAsking(wrong !== undefined))}>{w.rooms.clear}</button></div>
        </div>
      )}
      {past.length === 0 ? <p class="quiet">{w.rooms.none}</p> : <ul class="list">{past.map((p) => <PastRow key={`${p.endedAt} ${p.room}`} past={p} able={p.telephone === true ? onLine : able} onCall={onCall} />)}</ul>}
    </section>
  )
}

function PastRow({ past: p, able, onCall }: { readonly past: PastCall; readonly able: boolean; readonly onCall: (p: PastCall) => void }): VNode {
  const w = useWords()
  const name = p.person?.name ?? p.room
  const how = p.direction === 'missed' ? w.rooms.missed : p.fault === undefined ? w.rooms.lasted(w.duration((p.endedAt - p.startedAt) / 1000)) : w.rooms.failed
  const who = p.fault !== undefined ? faultWords(w, p.fault) : p.people.length === 0 ? w.rooms.alone : p.people.slice(0, 4).join(', ') + (p.people.length > 4 ? ' …' : '')
  return (
    <li data-direction={p.direction}>
      <span>
        <strong><bdi>{name}</bdi></strong> {p.direction !== undefined && <span class={p.direction === 'missed' ? 'tag alarm' : 'tag'}>{w.rooms.direction[p.direction]}</span>}
        <small class="line">{dayAndTime(p.startedAt)} · {how}</small>
        {(p.direction === undefined || p.fault !== undefined || (p.telephone === true && p.people.length > 0)) && <small class="line"><bdi>{who}</bdi></small>}
      </span>
      <button type="button" disabled={!able} aria-label={p.person === undefined ? w.rooms.again(name) : w.people.callWho(name)} onClick={() => onCall(p)}>{w.rooms.call}</button>
    </li>
  )
}
