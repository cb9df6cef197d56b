/** The one sentence: who can hear this. */
import type { VNode } from 'preact'
import { privacyOf } from '../../model/privacy.ts'
import type { Roster } from '../../model/roster.ts'
import { Shape } from '../parts/icons.tsx'
import { useWords, type Words } from '../words/index.ts'

export function sentenceOf(w: Words, r: Roster): string {
  const privacy = privacyOf(r)
  if (r.sealedCall !== undefined && r.phase !== 'left') return w.sealedCall.sentences[r.sealedCall.state]
  if (privacy === 'sealed') return w.privacy.sealed(r.members.length)
  if (privacy !== 'none') return w.privacy[privacy]
  if (r.waiting) return w.privacy.waiting
  return r.phase === 'healing' ? w.privacy.healing : r.phase === 'left' ? w.privacy.left : w.privacy.joining
}

/** `known`: the client answers. What it said before is not shown as if it held. */
export function Privacy({ roster, name, known }: { readonly roster: Roster; readonly name: string; readonly known: boolean }): VNode {
  const w = useWords()
  const privacy = known ? privacyOf(roster) : 'none'
  const how = !known ? w.privacy.unknownHow : roster.sealedCall !== undefined ? w.sealedCall.how[roster.sealedCall.state] : roster.phase === 'healing' ? w.privacy.healingHow : { sealed: w.privacy.sealedHow, bridged: w.privacy.bridgedHow, open: w.privacy.openHow, none: roster.waiting ? w.privacy.waitingHow : w.privacy.noneHow }[privacy]
  const locked = roster.policy?.state.locked === true || roster.conference?.locked === true
  const also = [locked ? w.privacy.locked : '', roster.members.some((m) => m.kind === 'gateway') ? w.privacy.gateway : '', roster.members.some((m) => m.phoneLeg === 'plain-lan') ? w.privacy.plainLeg : ''].filter((t) => t !== '')
  return (
    <section class="privacy" data-privacy={privacy} aria-labelledby="privacy">
      <Shape privacy={privacy} />
      <div>
        <h1 id="privacy">{known ? sentenceOf(w, roster) : w.privacy.unknown}</h1>
        <p><span class="room">{name}</span>{how}</p>
        {also.map((t) => <p key={t} class="also">{t}</p>)}
      </div>
    </section>
  )
}
