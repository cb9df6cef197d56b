/** What can be done in a call: mute, push to talk, keys, leave. */
import type { VNode } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { Icon } from '../parts/icons.tsx'
import { Meter } from '../parts/small.tsx'
import type { PageLineCall } from '../../model/page.ts'
import type { CallView } from '../state/state.ts'
import { connection, current, sound, useSound } from '../state/store.ts'
import { useWords } from '../words/index.ts'
import { Keypad } from './keypad.tsx'
import { Flag } from './lobby.tsx'

export function Controls({ call, line }: { readonly call: CallView; readonly line?: PageLineCall }): VNode {
  const w = useWords()
  const [keys, setKeys] = useState(false)
  const { pushing, problem } = useSound()
  const browser = current().snapshot?.browser
  const mine = browser?.call === call.id
  const [flag, setFlag] = useState(false)
  const host = call.roster.members.find((m) => m.self)?.role !== undefined || call.roster.conference?.weAreHost === true
  const locked = call.roster.policy?.state.locked === true || call.roster.conference?.locked === true
  return (
    <section class="controls" aria-label={w.controls.heading}>
      {mine && keys && <Keypad onKey={(digit) => void connection.command('digit', { digit })} />}
      {mine && browser.sound !== 'here' && <p class="note">{w.controls[browser.sound]}{problem !== undefined && ` ${w.phone[problem]}`} <button type="button" onClick={() => void takeOver()}>{w.controls.takeOver}</button></p>}
      {!mine && call.line !== '' && <p class="note">{w.controls.onPhone(call.line)}</p>}
      {pushing && mine && <p class="note">{w.controls.withheld}</p>}
      <div class="buttons">
        <span class="own-level"><span class="unseen">{w.controls.level}</span><Meter call={call.id} who="own" /></span>
        <button type="button" class={call.muted ? 'round warn' : 'round'} aria-pressed={call.muted} onClick={() => void connection.command('mute', { call: call.id, muted: !call.muted })}>
          <Icon name={call.muted ? 'mute' : 'microphone'} /><span>{call.muted ? w.controls.unmute : w.controls.mute}</span>
        </button>
        {mine && <PushToTalk />}
        {mine && <button type="button" class="round" aria-expanded={keys} onClick={() => setKeys(!keys)}><Icon name="keypad" /><span>{w.controls.keypad}</span></button>}
        {mine && line?.state === 'up' && <button type="button" class={line.held ? 'round warn' : 'round'} aria-pressed={line.held} onClick={() => void connection.command('hold', { on: !line.held })}><Icon name="pause" /><span>{line.held ? w.line.resume : w.line.hold}</span></button>}
        {host && <button type="button" class="round" aria-pressed={locked} onClick={() => void connection.command('lock', { call: call.id, locked: !locked })}><Icon name="lock" /><span>{locked ? w.lock.unlock : w.lock.lock}</span></button>}
        {call.roster.kind === 'sealed' && call.roster.sealedCall === undefined && call.roster.phase === 'member' && <button type="button" class="round" onClick={() => setFlag(true)}><Icon name="flag" /><span>{w.flag.raise}</span></button>}
        <button type="button" class="round danger" onClick={() => void connection.command('leave', { call: call.id })}><Icon name="leave" /><span>{line === undefined ? w.controls.leave : w.line.hangUp}</span></button>
      </div>
      {flag && <Flag call={call.id} onClose={() => setFlag(false)} />}
    </section>
  )
}

async function takeOver(): Promise<void> {
  const done = sound.need()
  try {
    if (await sound.open()) await connection.command('audio', { on: true })
  } finally {
    done()
  }
}

/** While on, nothing leaves the microphone unless the button or the space bar is held. */
function PushToTalk(): VNode {
  const w = useWords()
  const { pushing: on, held } = useSound()
  const hold = (down: boolean): void => {
    sound.held = down
  }
  useEffect(() => {
    if (!on) return
    const isTyping = (e: KeyboardEvent): boolean => e.target instanceof HTMLElement && e.target.closest('button, input, select, dialog, [tabindex="0"]') !== null
    const down = (e: KeyboardEvent): void => {
      if (e.code !== 'Space' || isTyping(e)) return
      e.preventDefault()
      hold(true)
    }
    const up = (e: KeyboardEvent): void => {
      if (e.code === 'Space') hold(false)
    }
    const blur = (): void => hold(false)
    addEventListener('keydown', down)
    addEventListener('keyup', up)
    addEventListener('blur', blur)
    return () => {
      removeEventListener('keydown', down)
      removeEventListener('keyup', up)
      removeEventListener('blur', blur)
      hold(false)
    }
  }, [on])
  const key = (e: KeyboardEvent, down: boolean): void => {
    if (e.code !== 'Space' && e.code !== 'Enter') return
    e.preventDefault()
    hold(down)
  }
  return (
    <>
      <button type="button" class="round" aria-pressed={on} onClick={() => {
        sound.pushing = !on
      }}><Icon name="hand" /><span>{w.controls.talkOn}</span></button>
      {on && (
        <button type="button" class={held ? 'round talk held' : 'round talk'} aria-pressed={held} onPointerDown={() => hold(true)} onPointerUp={() => hold(false)} onPointerLeave={() => hold(false)} onKeyDown={(e) => key(e, true)} onKeyUp={(e) => key(e, false)}>
          <Icon name="microphone" /><span>{w.controls.talk}</span>
        </button>
      )}
    </>
  )
}
