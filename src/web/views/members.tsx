/** Who is in the call. A row says all that there is to say of one person; the rest is behind it, on demand. */
import type { VNode } from 'preact'
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { PagePerson } from '../../model/page.ts'
import type { Roster } from '../../model/roster.ts'
import { memo } from '../parts/memo.ts'
import { AROUND, NearItems } from '../parts/near.ts'
import { namesakes, presenceOf } from '../state/presence.ts'
import { type CallView, type Clock, type Quality, qualityOf } from '../state/state.ts'
import { timeOfDay, useWords } from '../words/index.ts'
import { MemberDetails, PbxActs } from './member-details.tsx'
import { Row } from './member-row.tsx'
import { AskIn } from './people.tsx'

interface MembersProps {
  readonly id: number
  readonly roster: Roster
  readonly muted: boolean
  readonly volumes: CallView['volumes']
  /** By stream; the same object as long as they are the same. */
  readonly qualities: ReadonlyMap<number, Quality>
  readonly clock: Clock
  readonly people: readonly PagePerson[]
}

export function Members({ call, clock, people }: { readonly call: CallView; readonly clock: Clock; readonly people: readonly PagePerson[] }): VNode {
  const now = new Map([...call.lines].map(([ssrc, line]) => [ssrc, qualityOf(line)]))
  const kept = useRef(now)
  if (now.size !== kept.current.size || [...now].some(([ssrc, q]) => kept.current.get(ssrc) !== q)) kept.current = now
  const [open, setOpen] = useState<string>()
  const shown = call.roster.members.find((m) => presenceOf(call.roster.kind, m) === open)
  return (
    <>
      <List id={call.id} roster={call.roster} muted={call.muted} volumes={call.volumes} qualities={kept.current} clock={clock} people={people} onOpen={setOpen} />
      {shown !== undefined && <MemberDetails call={call} member={shown} person={people.find((p) => p.to === shown.identity.keyId)} onClose={() => setOpen(undefined)} />}
    </>
  )
}

/** Numbers come every second; two hundred rows are looked at again only when one of them says something else. */
const List = memo(({ id, roster, muted, volumes, qualities, clock, people, onOpen }: MembersProps & { readonly onOpen: (presence: string) => void }): VNode => {
  const w = useWords()
  const [asking, setAsking] = useState(false)
  const { kind, members } = roster
  // Else their voices come in one, from the PBX or from the other side of a call through a provider.
  const streams = kind === 'sealed' && roster.sealedCall === undefined
  const names = useMemo(() => namesakes(roster), [kind, members])
  const lines = useMemo(() => members.map((m) => presenceOf(kind, m)), [kind, members])
  const list = useRef<HTMLUListElement>(null)
  const near = useMemo(() => new NearItems((seen) => new IntersectionObserver(seen, { rootMargin: AROUND })), [])
  useMemo(() => near.expect(lines), [lines])
  useLayoutEffect(() => near.follow(list.current!), [members])
  useEffect(() => () => near.stop(), [])
  // Nobody whom a certificate names.
  const strangers = members.length === 0 && roster.callers.length > 0
  return (
    <section class="card members" aria-labelledby="members">
      <div class="row head">
        <h2 id="members">{strangers ? w.members.callers : w.members.heading(members.length)}</h2>
        {roster.kind === 'sealed' && roster.phase === 'member' && roster.sealedCall === undefined && <button type="button" class="plain" onClick={() => setAsking(true)}>{w.people.askIn}</button>}
      </div>
      {members.length === 0 && !strangers && <p class="quiet">{w.members.empty}</p>}
      <ul ref={list} class={near.long ? 'long' : undefined} onFocusIn={(e) => near.focus(lines[[...list.current!.children].findIndex((row) => row.contains(e.target as Node))])} onFocusOut={() => near.focus(undefined)}>
        {members.map((m, i) => (
          <Row
            key={lines[i]!} line={lines[i]!} near={near} call={id} member={m} muted={m.self && muted} quality={!streams ? undefined : m.self ? 'good' : (qualities.get(m.ssrc ?? -1) ?? 'none')}
            sinceMs={clock.unixMs + m.since - clock.instant} namesake={names.get(lines[i]!) ?? ''} volume={volumes[m.identity.keyId] ?? 1} onOpen={onOpen}
          />
        ))}
      </ul>
      <Callers call={id} roster={roster} headed={!strangers} since={(at) => timeOfDay(clock.unixMs + at - clock.instant)} />
      {asking && <AskIn call={id} people={people.filter((p) => !members.some((m) => m.identity.keyId === p.to))} onClose={() => setAsking(false)} />}
    </section>
  )
})

/** Whoever no certificate names, apart from those whom one does. */
function Callers({ call, roster, headed, since }: { readonly call: number; readonly roster: Roster; readonly headed: boolean; readonly since: (at: number) => string }): VNode | null {
  const w = useWords()
  const more = roster.conference?.more ?? 0
  if (roster.callers.length + more === 0 && roster.conference?.current !== false) return null
  return (
    <div class="callers">
      {headed && <h3>{w.members.callers}</h3>}
      <p class="quiet">{roster.conference?.current === false ? `${w.members.old} ` : ''}{w.members.callersHow}</p>
      <ul>
        {roster.callers.map((c) => (
          <li key={c.leaf} data-caller>
            <span class="avatar"><span aria-hidden="true" class="initials unknown">?</span></span>
            <div class="who">
              <p class="name">
                <bdi>{[c.name, c.number].filter((t) => t !== '').join(' · ') || w.members.withheld}</bdi>
                {c.self && <span class="tag">{w.members.you}</span>}
                {c.presence.muted === true && <span class="tag warn">{w.members.muted}</span>}
                {c.presence.recorded === true && <span class="tag warn">{w.members.recorded}</span>}
              </p>
              {c.refused !== undefined && <p class="about">{c.refused}</p>}
            </div>
            <div class="how"><span class="facts">{w.members.since(since(c.since))}</span></div>
            {roster.conference?.weAreHost === true && <PbxActs call={call} member={c.leaf} muted={c.presence.muted === true} />}
          </li>
        ))}
      </ul>
      {more > 0 && <p class="quiet">{w.members.more(more)}</p>}
    </div>
  )
}
