/** The echo room: what the server could hear of the user, and what the members hear. */
import type { VNode } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { PageSnapshot } from '../../model/page.ts'
import { Icon } from '../parts/icons.tsx'
import { Meter, Wave } from '../parts/small.tsx'
import type { CallView, Tapped } from '../state/state.ts'
import { connection, forgetTapped, sound } from '../state/store.ts'
import { useWords } from '../words/index.ts'
import { dialFromPage } from './rooms.tsx'

const SECONDS = 4
type Side = 'members' | 'server'

export function Echo({ snapshot, call, tapped, onDone }: { readonly snapshot: PageSnapshot; readonly call: CallView | undefined; readonly tapped: Tapped | undefined; readonly onDone: () => void }): VNode {
  const w = useWords()
  const [left, setLeft] = useState<number>()
  const [playing, setPlaying] = useState<Side>()
  const ready = call?.roster.phase === 'member'
  const complete = tapped?.members !== undefined && tapped.server !== undefined

  useEffect(() => {
    if (call === undefined) void dialFromPage(snapshot.echoDial)
    forgetTapped()
    const done = sound.need()
    return () => {
      sound.recordings.stop()
      done()
    }
  }, [])
  useEffect(() => {
    if (ready && !complete && left === undefined) record()
  }, [ready])
  useEffect(() => {
    if (left === undefined || left === 0) return
    const timer = setTimeout(() => setLeft(left - 1), 1000)
    return () => clearTimeout(timer)
  }, [left])
  useEffect(() => {
    // First what the server gets, then what the members get: that order makes the point.
    if (complete) play('server', 'members')
  }, [complete])

  function record(): void {
    if (call === undefined) return
    // What is heard now would be in it.
    sound.recordings.stop()
    forgetTapped()
    setLeft(SECONDS)
    void connection.command('tap', { call: call.id, seconds: SECONDS })
  }
  function play(...sides: readonly Side[]): void {
    // Noise at full scale is unpleasant, and says no more than quiet noise.
    void sound.recordings.play(sides.map((name) => ({ name, pcm: name === 'server' ? tapped!.server!.map((x) => x >> 3) : tapped!.members! })), setPlaying)
  }
  const leave = (): void => {
    if (call !== undefined) void connection.command('leave', { call: call.id })
    onDone()
  }
  return (
    <div class="echo">
      <h1>{w.echo.heading}</h1>
      <p class="lead">{w.echo.how}</p>
      {!complete && (
        <section class="card recording" role="status">
          <p class="big">{ready && left !== undefined ? w.echo.speak(left) : w.echo.joining}</p>
          {call !== undefined && <Meter call={call.id} who="own" />}
        </section>
      )}
      {complete && (
        <>
          <div class="columns even">
            <Heard kind="server" title={w.echo.server} how={w.echo.serverHow} pcm={tapped.server!} playing={playing === 'server'} onPlay={() => play('server')} octets={tapped.octets} />
            <Heard kind="members" title={w.echo.members} how={w.echo.membersHow} pcm={tapped.members!} playing={playing === 'members'} onPlay={() => play('members')} />
          </div>
          <p role="status" class={isQuiet(tapped.members!) ? 'problem' : 'good big'}>{isQuiet(tapped.members!) ? w.echo.quiet : <><Icon name="check" /> {w.echo.done}</>}</p>
        </>
      )}
      <div class="row end">
        {complete && <button type="button" disabled={!ready} onClick={record}>{w.echo.ready}</button>}
        <button type="button" class={complete ? 'primary' : ''} onClick={leave}>{w.echo.finish}</button>
      </div>
    </div>
  )
}

interface HeardProps {
  readonly kind: Side
  readonly title: string
  readonly how: string
  readonly pcm: Int16Array
  readonly playing: boolean
  readonly onPlay: () => void
  readonly octets?: string
}

function Heard({ kind, title, how, pcm, playing, onPlay, octets }: HeardProps): VNode {
  const w = useWords()
  return (
    <section class="card heard" data-kind={kind} data-playing={playing} aria-labelledby={`heard-${kind}`}>
      <h2 id={`heard-${kind}`}>{title}</h2>
      <Wave pcm={pcm} label={`${title}: ${w.echo.wave}`} />
      <p class="quiet">{how}</p>
      {octets !== undefined && <p class="octets"><span class="unseen">{w.echo.octets}</span><span aria-hidden="true">{(octets.slice(0, 192).match(/../g) ?? []).join(' ')}</span></p>}
      <button type="button" aria-label={`${playing ? w.echo.playing : w.echo.play}: ${title}`} onClick={onPlay}><Icon name="play" /> {playing ? w.echo.playing : w.echo.play}</button>
    </section>
  )
}

/** Below about −50 dBov on average: nobody spoke, or no microphone did. */
const isQuiet = (pcm: Int16Array): boolean => Math.sqrt(pcm.reduce((n, x) => n + x * x, 0) / pcm.length) < 100
