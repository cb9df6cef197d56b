/** The one sentence: who can hear this. */
import type { VNode } from 'preact'
import { hasPlainLeg, privacyOf } from '../../model/privacy.ts'
import { Shape } from '../parts/icons.tsx'
import { headlineOf, isChained, nameOf, sentenceOf } from '../state/sentence.ts'
import type { CallView } from '../state/state.ts'
import { useWords } from '../words/index.ts'

/** `known`: the client answers. What it said before is not shown as if it held. */
export function Privacy({ call, weaker, known }: { readonly call: CallView; readonly weaker: CallView | undefined; readonly known: boolean }): VNode {
  const w = useWords()
  const { roster } = call
  const privacy = known ? privacyOf((weaker ?? call).roster) : 'none'
  const how = !known ? w.privacy.unknownHow : weaker !== undefined ? w.calls.weakerHow(sentenceOf(w, roster)) : roster.sealedCall !== undefined ? isChained(roster) ? w.sealedCall.chainedHow : w.sealedCall.how[roster.sealedCall.state] : roster.phase === 'healing' ? w.privacy.healingHow : { sealed: w.privacy.sealedHow, bridged: w.privacy.bridgedHow, open: w.privacy.openHow, none: roster.waiting ? w.privacy.waitingHow : w.privacy.noneHow }[privacy]
  const locked = roster.policy?.state.locked === true || roster.conference?.locked === true
  const also = [locked ? w.privacy.locked : '', roster.members.some((m) => m.kind === 'gateway') ? w.privacy.gateway : '', privacy === 'sealed' && hasPlainLeg(roster) ? w.privacy.plainLeg : ''].filter((t) => t !== '')
  return (
    <section class="privacy" data-privacy={privacy} aria-labelledby="privacy">
      <Shape privacy={privacy} />
      <div>
        <h1 id="privacy">{known ? headlineOf(w, call, weaker) : w.privacy.unknown}</h1>
        <p><span class="room">{nameOf(call)}</span>{how}</p>
        {also.map((t) => <p key={t} class="also">{t}</p>)}
      </div>
    </section>
  )
}
