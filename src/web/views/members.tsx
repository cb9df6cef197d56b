/** Who is in the call. A row says all that there is to say of one person; the rest is behind it, on demand. */
import type { VNode } from 'preact'
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import { displayName } from '../../model/identity.ts'
import type { PagePerson } from '../../model/page.ts'
import type { Member, Roster } from '../../model/roster.ts'
import { Icon } from '../parts/icons.tsx'
import { memo } from '../parts/memo.ts'
import { AROUND, NearItems } from '../parts/near.ts'
import { Initials, Meter, Speaking } from '../parts/small.tsx'
import { type CallView, type Clock, type Quality, qualityOf } from '../state/state.ts'
import { connection } from '../state/store.ts'
import { keyWords, timeOfDay, useWords } from '../words/index.ts'
import { MemberDetails, PbxActs } from './member-details.tsx'
import { AskIn } from './people.tsx'
import { Unheard } from './unheard.tsx'

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
  const shown = call.roster.members.find((m) => m.identity.keyId === open)
  return (
    <>
      <List id={call.id} roster={call.roster} muted={call.muted} volumes={call.volumes} qualities={kept.current} clock={clock} people={people} onOpen={setOpen} />
      {shown !== undefined && <MemberDetails call={call} member={shown} person={people.find((p) => p.to === shown.identity.keyId)} onClose={() => setOpen(undefined)} />}
    </>
  )
}

/** Numbers come every second; two hundred rows are looked at again only when one of them says something else. */
const List = memo(({ id, roster, muted, volumes, qualities, clock, people, onOpen }: MembersProps & { readonly onOpen: (keyId: string) => void }): VNode => {
  const w = useWords()
  const [asking, setAsking] = useState(false)
  const { members } = roster
  const names = useMemo(() => namesakes(members), [members])
  const list = useRef<HTMLUListElement>(null)
  const near = useMemo(() => new NearItems((seen) => new IntersectionObserver(seen, { rootMargin: AROUND })), [])
  useMemo(() => near.expect(members.map((m) => m.identity.keyId)), [members])
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
      <ul ref={list} class={near.long ? 'long' : undefined} onFocusIn={(e) => near.focus(members[[...list.current!.children].findIndex((row) => row.contains(e.target as Node))]?.identity.keyId)} onFocusOut={() => near.focus(undefined)}>
        {members.map((m) => (
          <Row
            key={m.identity.keyId} near={near} call={id} member={m} muted={m.self && muted} quality={m.self ? 'good' : (qualities.get(m.ssrc ?? -1) ?? 'none')}
            sinceMs={clock.unixMs + m.since - clock.instant} namesake={names.get(m.identity.keyId) ?? ''} volume={volumes[m.identity.keyId] ?? 1} onOpen={onOpen}
          />
        ))}
      </ul>
      <Callers call={id} roster={roster} headed={!strangers} since={(at) => timeOfDay(clock.unixMs + at - clock.instant)} />
      {asking && <AskIn call={id} people={people.filter((p) => !members.some((m) => m.identity.keyId === p.to))} onClose={() => setAsking(false)} />}
    </section>
  )
})

/** `i/n` for people who share a name with somebody else here. */
function namesakes(members: readonly Member[]): Map<string, string> {
  const by = new Map<string, string[]>()
  for (const m of members) {
    const name = displayName(m.identity).toLocaleLowerCase()
    by.set(name, [...(by.get(name) ?? []), m.identity.keyId])
  }
  return new Map([...by.values()].filter((ids) => ids.length > 1).flatMap((ids) => ids.toSorted().map((id, i): [string, string] => [id, `${i + 1}/${ids.length}`])))
}

interface RowProps {
  readonly near: NearItems
  readonly call: number
  readonly member: Member
  readonly muted: boolean
  readonly quality: Quality
  readonly sinceMs: number
  readonly namesake: string
  readonly volume: number
  readonly onOpen: (keyId: string) => void
}

/** One and the same element, in view or not: what is watched, found or focused in it stays. */
const Row = memo((props: RowProps): VNode => {
  const { near, member: m, quality, sinceMs } = props
  const { keyId } = m.identity
  const w = useWords()
  const [whole, setWhole] = useState(() => near.has(keyId))
  useLayoutEffect(() => near.watch(keyId, setWhole), [])
  const name = displayName(m.identity)
  const about = [m.identity.organisation, m.identity.emails[0]].filter((t) => t !== undefined && t !== name).join(' · ') || m.identity.issuer
  const height = whole ? undefined : near.heightOf(keyId)
  return (
    <li class={whole ? '' : 'far'} style={height === undefined ? '' : `height: ${height}px`} data-unheard={m.unheard !== undefined} data-changed={m.acquaintance?.kind === 'changed'} data-joining={m.state === 'joining'}>
      {whole && <Speaking call={props.call} who={streamOf(m)} word={w.members.speaking}><Initials identity={m.identity} /></Speaking>}
      <div class="who">
        <p class="name"><bdi>{name}</bdi>{whole && <Tags {...props} />}</p>
        <p class="about"><bdi>{about}</bdi>{!whole && ` · ${w.members.quality[m.unheard === undefined ? quality : 'none']} · ${w.members.since(timeOfDay(sinceMs))}`}</p>
        {m.unheard !== undefined && <p class="unheard"><Icon name="warning" /> {w.members.unheard}: <Unheard code={m.unheard} /></p>}
      </div>
      {whole && <Sides {...props} name={name} />}
    </li>
  )
})
const streamOf = (m: Member): number | 'own' | undefined => (m.self ? 'own' : m.ssrc)

function Tags({ member: m, muted, namesake }: RowProps): VNode {
  const w = useWords()
  const [i, n] = namesake.split('/').map(Number)
  return (
    <>
      {m.self && <span class="tag">{w.members.you}</span>}
      {muted && <span class="tag warn">{w.members.muted}</span>}
      {m.role !== undefined && <span class="tag">{w.roles[m.role]}</span>}
      {m.acquaintance !== undefined && !m.self && m.acquaintance.kind !== 'known' && <span class={m.acquaintance.kind === 'changed' ? 'tag alarm' : 'tag'}>{w.acquaintance[m.acquaintance.kind]}</span>}
      {m.acquaintance?.compared === true && m.acquaintance.kind === 'known' && <span class="tag good-tag"><Icon name="check" /> {w.acquaintance.compared}</span>}
      {m.presence?.muted === true && <span class="tag warn">{w.members.muted}</span>}
      {m.presence?.recorded === true && <span class="tag warn">{w.members.recorded}</span>}
      {m.presence?.host === true && <span class="tag">{w.members.host}</span>}
      {m.kind === 'gateway' && <span class="tag warn">{w.members.gateway}</span>}
      {m.state === 'joining' && <span class="tag">{w.members.joining}</span>}
      {n !== undefined && i !== undefined && <span class="tag twin">{w.members.sameName(i, n)} · {keyWords(m.identity.keyId)}</span>}
    </>
  )
}

/** Level, quality, volume, and what is behind the row. */
function Sides({ call, member: m, quality, sinceMs, volume, onOpen, name }: RowProps & { readonly name: string }): VNode {
  const w = useWords()
  const who = streamOf(m)
  return (
    <>
      <div class="how">
        <span class="sound">{who === undefined ? null : <Meter call={call} who={who} />}</span>
        <span class="facts">{m.self ? '' : `${w.members.quality[m.unheard === undefined ? quality : 'none']} · `}{w.members.since(timeOfDay(sinceMs))}</span>
      </div>
      {m.self ? <span class="slider" /> : (
        <label class="slider">
          <span class="unseen">{w.members.volume(name)}</span><Icon name="volume" />
          <input type="range" min="0" max="2" step="0.05" value={volume} onInput={(e) => void connection.command('volume', { call, keyId: m.identity.keyId, gain: Number(e.currentTarget.value) })} />
        </label>
      )}
      <button type="button" class="icon-button" aria-label={w.members.details(name)} onClick={() => onOpen(m.identity.keyId)}><Icon name="more" /></button>
    </>
  )
}

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
