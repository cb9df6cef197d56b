/** The page's state as a whole, and how parts of the page hear of changes: at most once per picture. */
import { useEffect, useState } from 'preact/hooks'
import { SOUND } from '../../model/page.ts'
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
  },
  message: (m) => {
    if (m.k === 'levels') levels.set(m.call, m.own, m.levels)
    else set(fold(state, m))
    if (m.k === 'browser') sound.follow(m.browser)
    if (m.k === 'snapshot') {
      sound.follow(m.browser)
      void connection.command('meters', { on: true })
    }
  },
  sound: (kind, pcm) => {
    if (kind === SOUND.live) sound.play(pcm)
    else if (state.tapped !== undefined) set({ ...state, tapped: { ...state.tapped, ...(kind === SOUND.members ? { members: pcm } : { server: pcm }) } })
  },
})
export const sound: Sound = new Sound({ speak: (pcm) => connection.speak(pcm), claim: () => void connection.command('audio', { on: true }) })

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
