/** A call through a provider: the words to compare, and the one decision that is a person's. */
import type { VNode } from 'preact'
import { useRef, useState } from 'preact/hooks'
import type { PageFault } from '../../model/page.ts'
import { Icon } from '../parts/icons.tsx'
import type { CallView } from '../state/state.ts'
import { connection } from '../state/store.ts'
import { faultWords, useWords } from '../words/index.ts'

export function SealedCall({ call }: { readonly call: CallView }): VNode | null {
  const words = useWords()
  const w = words.sealedCall
  const [fault, setFault] = useState<PageFault>()
  const s = call.roster.sealedCall
  // What a click met is of the call as it was shown then.
  const as = s === undefined ? '' : [call.id, s.state, s.memory, ...s.words].join(' ')
  const met = useRef({ fault, as })
  if (met.current.fault !== fault) met.current = { fault, as }
  if (s === undefined) return null
  const asks = s.state === 'asking' || s.state === 'doubt' || s.state === 'lost'
  return (
    <section class="card" aria-labelledby="sealed-call">
      <h2 id="sealed-call"><bdi>{s.number}</bdi></h2>
      {s.state === 'sealed' && (s.held === true || s.muted === true) && <p role="status">{[...(s.held === true ? [w.held] : []), ...(s.muted === true ? [w.muted] : [])].join(' ')}</p>}
      {s.words.length > 0 && (
        <>
          <p class="quiet">{w.compare}</p>
          <ol class="big-groups words">{s.words.map((x) => <li key={x}>{x}</li>)}</ol>
          {s.memory === 'remembered' && <p class="good"><Icon name="check" /> {w.remembered}</p>}
          {s.memory === 'new' && (
            <>
              <p class="quiet">{w.newKey}</p>
              <div class="row end"><button type="button" onClick={() => void connection.command('same-words', { call: call.id, words: s.words }).then(setFault)}>{w.same}</button></div>
            </>
          )}
        </>
      )}
      {fault !== undefined && met.current.as === as && <p class="problem" role="alert">{faultWords(words, fault)}</p>}
      {asks && (
        <div class="ask" role="alert">
          <p><Icon name="warning" /> {w.asks}</p>
          <div class="row end"><button type="button" class="danger" onClick={() => void connection.command('accept', { call: call.id, state: s.state }).then(setFault)}>{s.state === 'doubt' ? w.acceptDoubt : w.accept}</button></div>
        </div>
      )}
    </section>
  )
}
