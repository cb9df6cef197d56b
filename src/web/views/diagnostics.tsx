/** The numbers behind "clear" and "some loss", for who wants them. */
import type { VNode } from 'preact'
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import { epochNear, type PageServer } from '../../model/page.ts'
import { displayName } from '../../model/identity.ts'
import type { Member } from '../../model/roster.ts'
import { memo } from '../parts/memo.ts'
import { AROUND, NearItems } from '../parts/near.ts'
import { Sparkline } from '../parts/small.tsx'
import { presenceOf } from '../state/presence.ts'
import type { CallView, Line } from '../state/state.ts'
import { useWords } from '../words/index.ts'

/** Of a row whose numbers were never in view. */
const USUAL_PX = 44

export function Diagnostics({ call, server }: { readonly call: CallView; readonly server: PageServer }): VNode {
  const w = useWords()
  const [open, setOpen] = useState(false)
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
      {open && <Table call={call} server={server} />}
    </section>
  )
}

/** Of two hundred only the rows in view have numbers: they change every second. */
function Table({ call, server }: { readonly call: CallView; readonly server: PageServer }): VNode {
  const w = useWords()
  const [, redraw] = useState(0)
  const others = useMemo(() => call.roster.members.filter((m) => !m.self), [call.roster.members])
  const presences = useMemo(() => others.map((m) => presenceOf(call.roster.kind, m)), [others])
  const rows = useRef<HTMLTableSectionElement>(null)
  const near = useMemo(() => new NearItems((seen) => new IntersectionObserver(seen, { rootMargin: AROUND })), [])
  useMemo(() => near.expect(presences), [presences])
  useLayoutEffect(() => near.follow(rows.current!), [others])
  useEffect(() => () => near.stop(), [])
  const onNear = useMemo(() => () => redraw((n) => n + 1), [])
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label={w.diagnostics.lastMinute}>
      <table>
        <thead><tr>{[w.diagnostics.member, w.diagnostics.loss, w.diagnostics.jitter, w.diagnostics.buffer, w.diagnostics.concealed, w.diagnostics.delay, w.diagnostics.epoch, w.diagnostics.refused].map((t) => <th scope="col" key={t}>{t}</th>)}</tr></thead>
        <tbody ref={rows}>{others.map((m, i) => {
          const presence = presences[i]!
          const whole = near.has(presence)
          return <Numbers key={presence} presence={presence} near={near} onNear={onNear} member={m} whole={whole} line={whole ? call.lines.get(m.ssrc ?? -1) : undefined} epoch={whole ? call.roster.epoch : undefined} roundTripMs={whole ? server.roundTripMs : undefined} />
        })}</tbody>
      </table>
      <p class="quiet">{w.diagnostics.delayHow}</p>
    </div>
  )
}

interface NumbersProps {
  readonly near: NearItems
  readonly onNear: () => void
  readonly presence: string
  readonly member: Member
  readonly whole: boolean
  readonly line: Line | undefined
  readonly epoch: bigint | undefined
  readonly roundTripMs: number | undefined
}

const Numbers = memo(({ near, onNear, presence, member, whole, line, epoch, roundTripMs }: NumbersProps): VNode => {
  const w = useWords()
  useLayoutEffect(() => near.watch(presence, onNear), [])
  const name = displayName(member.identity)
  if (!whole) return <tr style={`height: ${near.heightOf(presence) ?? USUAL_PX}px`}><th scope="row"><bdi>{name}</bdi></th><td colSpan={7} /></tr>
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
      <td class="number">{line?.last.epochBits === undefined ? '–' : String(epochNear(epoch ?? 0n, line.last.epochBits))}</td>
      <td class="number">{line?.last.unopened ?? 0}</td>
    </tr>
  )
})
