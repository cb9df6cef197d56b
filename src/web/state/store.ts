/** The page's state as a whole, and how parts of the page hear of changes: at most once per picture. */
import { useEffect, useState } from 'preact/hooks'
import { SOUND } from '../../model/page.ts'
import { Ringer, ringbackTune, ringTune } from '../audio/ringer.ts'
import { Sound } from '../audio/sound.ts'
import { Connection } from './connection.ts'
import { Levels } from './levels.ts'
import { fold, START, type State } from './state.ts'

let state: State = START
const listeners = new Set<() => void>()
let scheduled = false

function set(next: State): void {
  if (next === state) return
  state = next
  if (scheduled) return
  scheduled = true
  // A window in the background gets no pictures, and still has to hear that a call ended.
  const flush = (): void => {
    if (!scheduled) return
    scheduled = false
    for (const l of [...listeners]) l()
  }
  requestAnimationFrame(flush)
  setTimeout(flush, 200)
}

export const levels = new Levels()
export const connection: Connection = new Connection({
  link: (link) => {
    set({ ...state, link })
    if (link !== 'open') sound.connectionLost()
    ring()
  },
  message: (m) => {
    if (m.k === 'levels') levels.set(m.call, m.own, m.levels)
    else set(fold(state, m))
    if (m.k === 'browser') sound.follow(m.browser)
    ring()
    // Who has the sound is told by itself after each snapshot.
    if (m.k === 'snapshot') void connection.command('meters', { on: true })
  },
  sound: (kind, pcm) => {
    if (kind === SOUND.live) sound.play(pcm)
    else if (state.tapped !== undefined) set({ ...state, tapped: { ...state.tapped, ...(kind === SOUND.members ? { members: pcm } : { server: pcm }) } })
  },
})
export const sound: Sound = new Sound({ speak: (pcm) => connection.speak(pcm), claim: () => void connection.command('audio', { on: true }) })

const speaker = (): string => sound.chosen('speaker')
/** Somebody calls; and it rings where we call, for the window that has the sound. */
export const ringer = new Ringer(ringTune, speaker)
const ringback = new Ringer(ringbackTune, speaker)
function ring(): void {
  const { snapshot, link } = state
  const here = link === 'open' && snapshot !== undefined
  ringer.on = here && (snapshot.rings.length > 0 || (snapshot.line?.rings.length ?? 0) > 0)
  const room = state.calls.find((c) => c.id === snapshot?.browser.call)?.room
  // On a line it rings until something is heard from there.
  const line = snapshot?.line?.call?.state === 'ringing'
  ringback.on = here && snapshot.browser.sound !== 'elsewhere' && (line || snapshot.calling.some((c) => c.room === room && c.state === 'ringing') && room !== undefined && !hasCompany(room))
}
const hasCompany = (room: string): boolean => state.calls.some((c) => c.room === room && c.roster.members.some((m) => !m.self))

export const current = (): State => state
export const forgetTapped = (): void => {
  const { tapped: _, ...rest } = state
  set(rest)
}
export const dismissNotice = (): void => {
  const { notice: _, ...rest } = state
  set(rest)
}
export const compared = (call: number, code: string | undefined): void =>
  set({ ...state, calls: state.calls.map((c) => {
    if (c.id !== call) return c
    const { compared: _, ...rest } = c
    return code === undefined ? rest : { ...rest, compared: code }
  }) })

export const seen = (call: number, at: number): void => set({ ...state, calls: state.calls.map((c) => (c.id === call ? { ...c, seen: at } : c)) })

/** Redraws the caller when something becomes of the microphone. */
export function useSound(): Sound {
  const [, redraw] = useState(0)
  useEffect(() => sound.subscribe(() => redraw((n) => n + 1)), [])
  return sound
}

/** Redraws the caller when anything changes. */
export function useAll(): State {
  const [, redraw] = useState(0)
  useEffect(() => {
    const listener = (): void => redraw((n) => n + 1)
    listeners.add(listener)
    listener()
    return () => void listeners.delete(listener)
  }, [])
  return state
}
