/** The numbers behind "clear" and "some loss", for who wants them. */
import type { VNode } from 'preact'
import { useState } from 'preact/hooks'
import type { PageServer } from '../../model/page.ts'
import { displayName } from '../../model/identity.ts'
import type { Member } from '../../model/roster.ts'
import { Sparkline } from '../parts/small.tsx'
import type { CallView, Line } from '../state/state.ts'
import { useWords } from '../words/index.ts'

export function Diagnostics({ call, server }: { readonly call: CallView; readonly server: PageServer }): VNode {
  const w = useWords()
  const [open, setOpen] = useState(false)
  const others = call.roster.members.filter((m) => !m.self)
  return (
    <section class="card diagnostics" aria-labelledby="diagnostics">
      <div class="row">
        <h2 id="diagnostics">{w.diagnostics.heading}</h2>
        <button type="button" class="plain" aria-expanded={open} onClick={() => setOpen(!open)}>{open ? w.diagnostics.close : w.diagnostics.open}</button>
      </div>
      <p class="quiet">
        {w.diagnostics.path}: {w.diagnostics.paths[server.path]}{server.roundTripMs === undefined ? '' : ` · ${w.server.roundTrip(server.roundTripMs)}`}
        {open && ` · ${w.diagnostics.epoch} ${call.roster.epoch} · ${w.diagnostics.late} ${call.lateTicks}`}
      </p>
      {open && (
        <div class="scroll" tabIndex={0} role="group" aria-label={w.diagnostics.lastMinute}>
          <table>
            <thead><tr>{[w.diagnostics.member, w.diagnostics.loss, w.diagnostics.jitter, w.diagnostics.buffer, w.diagnostics.concealed, w.diagnostics.delay, w.diagnostics.refused].map((t) => <th scope="col" key={t}>{t}</th>)}</tr></thead>
            <tbody>{others.map((m) => <Numbers key={m.identity.keyId} member={m} line={call.lines.get(m.ssrc ?? -1)} roundTripMs={server.roundTripMs} />)}</tbody>
          </table>
          <p class="quiet">{w.diagnostics.delayHow}</p>
        </div>
      )}
    </section>
  )
}

function Numbers({ member, line, roundTripMs }: { readonly member: Member; readonly line: Line | undefined; readonly roundTripMs: number | undefined }): VNode {
  const w = useWords()
  const name = displayName(member.identity)
  const points = line?.points ?? []
  const last = points.at(-1)
  const cell = (title: string, text: string, values: readonly number[], most: number): VNode => (
    <td><span class="number">{text}</span><Sparkline values={values} most={most} label={`${title}, ${w.diagnostics.lastMinute}`} /></td>
  )
  return (
    <tr>
      <th scope="row"><bdi>{name}</bdi></th>
      {cell(w.diagnostics.loss, last === undefined ? '–' : `${(100 * last.lossShare).toFixed(1)} %`, points.map((p) => p.lossShare), 0.05)}
      {cell(w.diagnostics.jitter, last === undefined ? '–' : `${last.jitterMs.toFixed(1)} ms`, points.map((p) => p.jitterMs), 20)}
      {cell(w.diagnostics.buffer, last === undefined ? '–' : `${Math.round(last.bufferMs)} ms`, points.map((p) => p.bufferMs), 100)}
      {cell(w.diagnostics.concealed, last === undefined ? '–' : `${(100 * last.concealedShare).toFixed(1)} %`, points.map((p) => p.concealedShare), 0.05)}
      <td class="number">{last === undefined ? '–' : `${Math.round(last.bufferMs + (roundTripMs ?? 0) / 2)} ms`}</td>
      <td class="number">{line?.last.unopened ?? 0}</td>
    </tr>
  )
}
