/** The security code, and how to compare it. */
import type { VNode } from 'preact'
import { useState } from 'preact/hooks'
import { Icon } from '../parts/icons.tsx'
import { Dialog } from '../parts/small.tsx'
import type { CallView } from '../state/state.ts'
import { compared, connection } from '../state/store.ts'
import { useWords } from '../words/index.ts'

const groupsOf = (code: string): string[] => code.split(/\s+/).filter((g) => g !== '')

export function Code({ call }: { readonly call: CallView }): VNode {
  const w = useWords()
  const [open, setOpen] = useState(false)
  const groups = groupsOf(call.roster.securityCode)
  const same = call.compared !== undefined && call.compared === call.roster.securityCode
  return (
    <section class="card code" aria-labelledby="code">
      <h2 id="code">{w.code.heading}</h2>
      {groups.length === 0 ? <p class="quiet">{w.code.none}</p> : (
        <>
          <p class="groups" data-same={same}>{groups.map((g, i) => <span key={i}>{g}</span>)}</p>
          {same && <p class="good"><Icon name="check" /> {w.code.compared}</p>}
          {call.compared !== undefined && !same && <p class="quiet">{w.code.changed}</p>}
          <button type="button" onClick={() => setOpen(true)}>{w.code.compare}</button>
        </>
      )}
      {open && <Compare call={call} groups={groups} onClose={() => setOpen(false)} />}
    </section>
  )
}

function Compare({ call, groups, onClose }: { readonly call: CallView; readonly groups: readonly string[]; readonly onClose: () => void }): VNode {
  const w = useWords()
  const [differs, setDiffers] = useState(false)
  if (differs) {
    return (
      <Dialog title={w.code.alarm} onClose={onClose}>
        <p>{w.code.alarmHow}</p>
        <div class="row end">
          <button type="button" onClick={() => setDiffers(false)}>{w.code.back}</button>
          <button type="button" class="danger" onClick={() => void connection.command('leave', { call: call.id }).then(onClose)}>{w.code.leave}</button>
        </div>
      </Dialog>
    )
  }
  const say = (code: string | undefined): void => {
    compared(call.id, code)
    onClose()
  }
  return (
    <Dialog title={w.code.title} onClose={onClose} wide>
      <ol class="big-groups">{groups.map((g, i) => <li key={i} aria-label={`${w.code.group(i + 1)}: ${[...g].join(' ')}`}>{g}</li>)}</ol>
      <ol class="steps">{w.code.how.map((t) => <li key={t}>{t}</li>)}</ol>
      <p class="quiet">{w.code.limit}</p>
      <div class="row end">
        <button type="button" class="plain" onClick={onClose}>{w.code.later}</button>
        <button type="button" class="danger" onClick={() => setDiffers(true)}>{w.code.different}</button>
        <button type="button" class="primary" onClick={() => say(call.roster.securityCode)}>{w.code.same}</button>
      </div>
    </Dialog>
  )
}
