/** The page as a whole: what is wrong, where we are, what can be seen from here. */
import type { VNode } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { displayName } from '../../model/identity.ts'
import type { PageSnapshot } from '../../model/page.ts'
import { Icon, type IconName } from '../parts/icons.tsx'
import { Announce } from '../parts/small.tsx'
import type { CallView, State } from '../state/state.ts'
import { dismissNotice, useAll } from '../state/store.ts'
import { echoOpens, shownCalls, weakerThan } from '../state/heard.ts'
import { headlineOf, nameOf, sentenceOf } from '../state/sentence.ts'
import { isVoiceless, troubleOf, VOICELESS_MS } from '../state/trouble.ts'
import { faultWords, useWords } from '../words/index.ts'
import { CallTabs, PANEL, tabOf } from './call-tabs.tsx'
import { Code } from './code.tsx'
import { Controls } from './controls.tsx'
import { Diagnostics } from './diagnostics.tsx'
import { Echo } from './echo.tsx'
import { History, lineOf } from './history.tsx'
import { LineCall, LineRinging } from './line.tsx'
import { Lobby, Prominent } from './lobby.tsx'
import { Members } from './members.tsx'
import { BrowserPhone, SipPhone } from './phone.tsx'
import { Privacy } from './privacy.tsx'
import { Calling, Ringing } from './ring.tsx'
import { Rooms } from './rooms.tsx'
import { SealedCall } from './sealed-call.tsx'
import { Settings } from './settings.tsx'
import { Setup } from './setup.tsx'
import { Trouble } from './trouble.tsx'

type View = 'call' | 'rooms' | 'phone' | 'echo' | 'setup'

export function App(): VNode {
  const w = useWords()
  const state = useAll()
  const [view, setView] = useState<View>('rooms')
  const [settings, setSettings] = useState(false)
  const { snapshot } = state
  const [chosen, setChosen] = useState<number>()
  const calls = shownCalls(state)
  const newest = calls.at(-1)
  const call = calls.find((c) => c.id === chosen) ?? newest
  const echo = state.calls.find((c) => c.room === snapshot?.echoRoom)
  const inSetup = snapshot?.setup !== undefined
  useEffect(() => {
    if (inSetup) setView('setup')
  }, [inSetup])
  const before = useRef<number | undefined>(undefined)
  useEffect(() => {
    const last = before.current
    before.current = newest?.id
    if (newest === undefined) return setView((v) => (v === 'call' ? 'rooms' : v))
    if (last !== undefined && newest.id < last) return
    // A call that begins is shown; one that ends leaves the others where they are.
    setChosen(newest.id)
    setView('call')
  }, [newest?.id])
  // Whose call it is may be told a moment later than that it is there.
  const dialledHere = echo !== undefined && snapshot?.browser.call === echo.id
  useEffect(() => {
    if (echoOpens(state)) setView('echo')
  }, [echo?.id])
  useEffect(() => {
    if (dialledHere) setView('echo')
  }, [dialledHere])
  const shown: View = view === 'call' && call === undefined ? 'rooms' : view
  const trouble = troubleOf(state, useLasting(isVoiceless(state), VOICELESS_MS))
  return (
    <>
      <a class="skip" href="#main" onClick={(e) => {
        e.preventDefault()
        document.getElementById('main')?.focus()
      }}>{w.skip}</a>
      <Top state={state} view={shown} calling={call !== undefined} setView={setView} onSettings={() => setSettings(true)} />
      {trouble !== undefined && <Trouble trouble={trouble} />}
      {state.notice !== undefined && <p class="notice" role="status">{faultWords(w, state.notice)} <button type="button" class="plain" onClick={dismissNotice}>{w.dismiss}</button></p>}
      <main id="main" tabIndex={-1} data-view={shown}>
        {snapshot !== undefined && <Main view={shown} snapshot={snapshot} state={state} calls={calls} call={call} echo={echo} setView={setView} onShow={setChosen} />}
      </main>
      {shown === 'call' && call !== undefined && <Controls call={call} {...(snapshot?.line?.call?.call === call.id ? { line: snapshot.line.call } : {})} />}
      {snapshot?.rings[0] !== undefined && state.link === 'open' && <Ringing key={snapshot.rings[0].id} ring={snapshot.rings[0]} more={snapshot.rings.length - 1} calling={snapshot.browser.state !== 'idle'} />}
      {snapshot?.rings.length === 0 && snapshot.line?.rings[0] !== undefined && state.link === 'open' && <LineRinging key={snapshot.line.rings[0].id} ring={snapshot.line.rings[0]} more={snapshot.line.rings.length - 1} calling={snapshot.browser.state !== 'idle'} />}
      {settings && <Settings snapshot={snapshot} onClose={() => setSettings(false)} />}
      <Announce text={call === undefined ? '' : announcement(call, state, w)} />
      {calls.map((c) => c.id !== call?.id && <Announce key={c.id} text={`${nameOf(c)}: ${sentenceOf(w, c.roster)}.`} />)}
    </>
  )
}

/** Whether something has been so for a while. */
function useLasting(now: boolean, ms: number): boolean {
  const [lasting, setLasting] = useState(false)
  useEffect(() => {
    setLasting(false)
    if (!now) return
    const timer = setTimeout(() => setLasting(true), ms)
    return () => clearTimeout(timer)
  }, [now])
  return now && lasting
}

/** The newest of what happened, and the sentence when it changes. */
function announcement(call: CallView, state: State, w: ReturnType<typeof useWords>): string {
  const newest = call.history.at(-1)
  return `${newest === undefined ? '' : `${lineOf(w, newest)}. `}${headlineOf(w, call, weakerThan(call, state))}.`
}

interface MainProps {
  readonly view: View
  readonly snapshot: PageSnapshot
  readonly state: State
  readonly calls: readonly CallView[]
  readonly call: CallView | undefined
  readonly echo: CallView | undefined
  readonly setView: (v: View) => void
  readonly onShow: (call: number) => void
}

function Main({ view, snapshot, state, calls, call, echo, setView, onShow }: MainProps): VNode {
  const able = snapshot.server.state === 'up' && state.link === 'open'
  if (view === 'setup') return <Setup snapshot={snapshot} onEcho={() => setView('echo')} onRooms={() => setView('rooms')} />
  if (view === 'echo') return <Echo snapshot={snapshot} call={echo} tapped={state.tapped} onDone={() => setView('rooms')} />
  if (view === 'phone') return <div class="columns even"><BrowserPhone level={1} line={snapshot.line} /><SipPhone phones={snapshot.phones} dial={snapshot.echoDial} /></div>
  if (view === 'rooms' || call === undefined) return <Rooms snapshot={snapshot} able={able} onEcho={() => setView('echo')} />
  const known = state.link === 'open'
  const several = calls.length > 1
  return (
    <>
      {several && <CallTabs calls={calls} shown={call} known={known} onShow={onShow} />}
      <div class="stack" key={call.id} {...(several ? { id: PANEL, role: 'tabpanel', 'aria-labelledby': tabOf(call) } : {})}>
      <Privacy call={call} weaker={weakerThan(call, state)} known={known} />
      <Calling calling={snapshot.calling.filter((c) => c.room === call.room)} />
      {snapshot.line?.call?.call === call.id && <LineCall line={snapshot.line.call} />}
      <SealedCall call={call} />
      <Prominent call={call} />
      <Lobby call={call} />
      <div class="columns">
        <div class="stack"><Members call={call} clock={snapshot.clock} people={snapshot.people} /><Diagnostics call={call} server={snapshot.server} /></div>
        <div class="stack">{call.roster.kind === 'sealed' && call.roster.sealedCall === undefined && <Code call={call} />}<History history={call.history} clock={snapshot.clock} /></div>
      </div>
      </div>
    </>
  )
}

interface TopProps {
  readonly state: State
  readonly view: View
  readonly calling: boolean
  readonly setView: (v: View) => void
  readonly onSettings: () => void
}

function Top({ state, view, calling, setView, onSettings }: TopProps): VNode {
  const w = useWords()
  const { snapshot } = state
  const server = snapshot?.server
  const tabs: readonly (readonly [View, string, IconName])[] = [...(calling ? [['call', w.nav.call, 'people'] as const] : []), ['rooms', w.nav.rooms, 'door'], ['phone', w.nav.phone, 'phone']]
  const settled = snapshot !== undefined && snapshot.setup === undefined
  return (
    <header class="top">
      <span class="brand" translate={false}>stc</span>
      {settled && (
        <nav aria-label={w.title}>
          {tabs.map(([v, name, icon]) => <button type="button" key={v} class="nav" aria-current={v === view ? 'page' : undefined} onClick={() => setView(v)}><Icon name={icon} /><span>{name}</span></button>)}
        </nav>
      )}
      <span class="fill" />
      {settled && server !== undefined && <span class="server" data-state={state.link === 'open' ? server.state : 'down'}><span class="dot" aria-hidden="true" /><span>{w.server[state.link === 'open' ? server.state : 'down'](server.name)}</span></span>}
      {snapshot?.identity !== undefined && <span class="me"><bdi>{displayName(snapshot.identity)}</bdi></span>}
      <button type="button" class="icon-button" aria-label={w.nav.settings} onClick={onSettings}><Icon name="gear" /></button>
    </header>
  )
}
