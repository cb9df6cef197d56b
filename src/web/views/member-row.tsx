/** One member's row: whole where it can be seen, else what can be found and read out. */
import type { VNode } from 'preact'
import { useLayoutEffect, useState } from 'preact/hooks'
import { displayName } from '../../model/identity.ts'
import type { Member } from '../../model/roster.ts'
import { Icon } from '../parts/icons.tsx'
import { memo } from '../parts/memo.ts'
import type { NearItems } from '../parts/near.ts'
import { Initials, Meter, Speaking } from '../parts/small.tsx'
import type { Quality } from '../state/state.ts'
import { connection } from '../state/store.ts'
import { keyWords, timeOfDay, useWords, type Words } from '../words/index.ts'
import { Unheard } from './unheard.tsx'

interface RowProps {
  readonly near: NearItems
  readonly call: number
  /** Whose it is (`presenceOf`). */
  readonly line: string
  readonly member: Member
  readonly muted: boolean
  /** Absent where its voice is no stream of its own: nothing can be told, or turned up, of it alone. */
  readonly quality: Quality | undefined
  readonly sinceMs: number
  readonly namesake: string
  readonly volume: number
  readonly onOpen: (line: string) => void
}

/** One and the same element, in view or not: what is watched, found or focused in it stays. */
export const Row = memo((props: RowProps): VNode => {
  const { near, line, member: m, sinceMs } = props
  const w = useWords()
  const [whole, setWhole] = useState(() => near.has(line))
  useLayoutEffect(() => near.watch(line, setWhole), [])
  const name = displayName(m.identity)
  const about = [m.identity.organisation, m.identity.emails[0]].filter((t) => t !== undefined && t !== name).join(' · ') || m.identity.issuer
  const height = whole ? undefined : near.heightOf(line)
  return (
    <li class={whole ? '' : 'far'} style={height === undefined ? '' : `height: ${height}px`} data-unheard={m.unheard !== undefined} data-changed={m.acquaintance?.kind === 'changed'} data-joining={m.state === 'joining'}>
      {whole && <Speaking call={props.call} who={streamOf(m)} word={w.members.speaking}><Initials identity={m.identity} /></Speaking>}
      <div class="who">
        <p class="name"><bdi>{name}</bdi>{whole && <Tags {...props} />}</p>
        <p class="about"><bdi>{about}</bdi>{!whole && ` · ${qualityText(w, props)}${w.members.since(timeOfDay(sinceMs))}`}</p>
        {m.unheard !== undefined && <p class="unheard"><Icon name="warning" /> {w.members.unheard}: <Unheard code={m.unheard} /></p>}
      </div>
      {whole && <Sides {...props} name={name} />}
    </li>
  )
})
const qualityText = (w: Words, { member: m, quality }: Pick<RowProps, 'member' | 'quality'>): string => (quality === undefined ? '' : `${w.members.quality[m.unheard === undefined ? quality : 'none']} · `)
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
function Sides({ call, line, member: m, quality, sinceMs, volume, onOpen, name }: RowProps & { readonly name: string }): VNode {
  const w = useWords()
  const who = streamOf(m)
  return (
    <>
      <div class="how">
        <span class="sound">{who === undefined ? null : <Meter call={call} who={who} />}</span>
        <span class="facts">{m.self ? '' : qualityText(w, { member: m, quality })}{w.members.since(timeOfDay(sinceMs))}</span>
      </div>
      {m.self || quality === undefined ? <span class="slider" /> : (
        <label class="slider">
          <span class="unseen">{w.members.volume(name)}</span><Icon name="volume" />
          <input type="range" min="0" max="2" step="0.05" value={volume} onInput={(e) => void connection.command('volume', { call, keyId: m.identity.keyId, gain: Number(e.currentTarget.value) })} />
        </label>
      )}
      <button type="button" class="icon-button" aria-label={w.members.details(name)} onClick={() => onOpen(line)}><Icon name="more" /></button>
    </>
  )
}
