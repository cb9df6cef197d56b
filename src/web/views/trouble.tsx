/** What stands in the way, in words, with the next step. */
import type { VNode } from 'preact'
import { Icon } from '../parts/icons.tsx'
import { faultWords, useWords } from '../words/index.ts'
import type { Trouble as Found } from '../state/trouble.ts'

export function Trouble({ trouble }: { readonly trouble: Found }): VNode {
  const w = useWords()
  const { what, todo } = w.trouble[trouble.cause]
  const { fault } = trouble
  return (
    <section class="trouble" data-cause={trouble.cause} data-grave={trouble.grave} role="alert">
      <Icon name="warning" />
      <div>
        <p><strong>{what}.</strong> {trouble.seconds === undefined ? '' : `${w.clockOff(trouble.seconds)} `}{todo}</p>
        {fault !== undefined && <p class="quiet detail">{faultWords(w, fault)} <code>{fault.code}</code></p>}
      </div>
    </section>
  )
}
