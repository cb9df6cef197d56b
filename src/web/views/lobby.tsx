/** Who waits at the door, and what nobody may miss. */
import type { VNode } from 'preact'
import { useState } from 'preact/hooks'
import { displayName } from '../../model/identity.ts'
import { Icon } from '../parts/icons.tsx'
import { Dialog } from '../parts/small.tsx'
import type { CallView } from '../state/state.ts'
import { connection, seen } from '../state/store.ts'
import { keyWords, useWords } from '../words/index.ts'
import { lineOf } from './history.tsx'

export function Lobby({ call }: { readonly call: CallView }): VNode | null {
  const w = useWords()
  const { knocking, members } = call.roster
  if (knocking.length === 0) return null
  const host = members.find((m) => m.self)?.role !== undefined
  return (
    <section class="card lobby" aria-labelledby="lobby">
      <h2 id="lobby">{w.lobby.heading(knocking.length)}</h2>
      <p class="quiet">{w.lobby.how} {host ? '' : w.lobby.notHost}</p>
      <ul class="list">
        {knocking.map((k) => (
          <li key={k.request}>
            <span>
              <strong><bdi>{displayName(k.identity)}</bdi></strong> {k.kind === 'gateway' && <span class="tag warn">{w.members.gateway}</span>}
              <small class="line"><bdi>{[k.identity.organisation, k.identity.emails[0]].filter((x) => x !== undefined).join(' · ')}</bdi></small>
              <small class="line">{w.certificate.issuer} <bdi>{k.identity.issuer}</bdi> · {keyWords(k.identity.keyId)}</small>
            </span>
            {host && <button type="button" class="primary" aria-label={w.lobby.as(displayName(k.identity))} onClick={() => void connection.command('admit', { call: call.id, keyId: k.identity.keyId })}>{w.lobby.admit}</button>}
          </li>
        ))}
      </ul>
    </section>
  )
}

/** The newest thing of weight that was not acknowledged: a red flag, an unlocked room, a changed key. */
export function Prominent({ call }: { readonly call: CallView }): VNode | null {
  const w = useWords()
  const newest = call.history.findLast((h) => h.prominent && h.at > call.seen)
  if (newest === undefined) return null
  return (
    <section class="prominent" role="alert">
      <Icon name="flag" />
      <p><strong><bdi>{lineOf(w, newest)}</bdi></strong></p>
      <button type="button" onClick={() => seen(call.id, newest.at)}>{w.flag.seen}</button>
    </section>
  )
}

export function Flag({ call, onClose }: { readonly call: number; readonly onClose: () => void }): VNode {
  const w = useWords()
  const [text, setText] = useState(w.flag.preset)
  return (
    <Dialog title={w.flag.title} onClose={onClose}>
      <form onSubmit={(e) => {
        e.preventDefault()
        void connection.command('flag', { call, text: text.trim() }).then(onClose)
      }}>
        <p class="quiet">{w.flag.how}</p>
        <div class="field"><label for="flag">{w.flag.text}</label><input id="flag" maxLength={200} value={text} onInput={(e) => setText(e.currentTarget.value)} /></div>
        <div class="row end"><button type="button" onClick={onClose}>{w.cancel}</button><button type="submit" class="danger" disabled={text.trim() === ''}>{w.flag.send}</button></div>
      </form>
    </Dialog>
  )
}
