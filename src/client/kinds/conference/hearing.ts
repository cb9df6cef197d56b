/** Whether we hear the others, and what follows when we do not (PROTOCOL §3 Media). */
import type { Instant } from '../../../base/brand.ts'
import type { MediaEvent, SenderStats } from '../../../media/api.ts'
import { heal } from './joining.ts'
import type { ConferenceState } from './state.ts'

/** No frame of any peer opened for so long, although media flows: we stop sending and rejoin. */
const DEAF_MS = 3_000
const LONGEST_PATIENCE_MS = 60_000
const UNKNOWN_EPOCH_MS = 1_000
/** Members send all the time. One of whom nothing comes for so long is shown as not heard. */
const SILENT_MS = 2_000

interface Seen {
  /** Frames that were opened and not too late to be played. */
  readonly inTime: number
  readonly unopened: number
  /** When the last such frame came. */
  readonly openedAt: Instant
}

export class Hearing {
  #seen = new Map<number, Seen>()
  #path: 'none' | 'udp' | 'tls' = 'none'
  #openedAt = 0
  #unknownSince: number | undefined
  /** Doubles with every rejoin that did not help. */
  #patienceMs = DEAF_MS

  onMedia(s: ConferenceState, e: MediaEvent): void {
    if (e.op === 'hop.path' && e.hop === s.options.media.hop) {
      if (e.path !== this.#path) this.#openedAt = s.now
      this.#path = e.path
    }
    if (e.op === 'conference.stats' && e.conference === s.options.media.conference) this.#onStats(s, e.senders)
  }

  #onStats(s: ConferenceState, senders: readonly SenderStats[]): void {
    if (s.phase !== 'member') return
    const seen = new Map<number, Seen>()
    let arrived = false
    let opened = false
    let unknownEpoch = false
    for (const sender of senders) {
      const { ssrc, unopened } = sender
      const inTime = sender.received - sender.late
      const before = this.#seen.get(ssrc) ?? { inTime: 0, unopened: 0, openedAt: s.now }
      const heard = inTime > 0 && inTime !== before.inTime
      const refused = unopened > before.unopened
      if (heard) opened = true
      if (refused) arrived = true
      if (refused && sender.lastFault === 'SFRAME_UNKNOWN_EPOCH') unknownEpoch = true
      const now = { inTime, unopened, openedAt: heard ? s.now : before.openedAt }
      seen.set(ssrc, now)
      this.#show(s, sender, heard, now)
    }
    this.#seen = seen
    if (opened || senders.length === 0) this.#openedAt = s.now
    if (opened) this.#patienceMs = DEAF_MS
    this.#unknownSince = unknownEpoch && !opened ? (this.#unknownSince ?? s.now) : undefined
    // One peer may have lost its network. That several fall silent in one instant is our server's doing.
    const cutOff = senders.length >= 2 && this.#path !== 'none'
    const deafMs = s.now - Math.max(this.#openedAt, s.sinceJoin)
    if (this.#unknownSince !== undefined && s.now - this.#unknownSince >= UNKNOWN_EPOCH_MS) this.#stop(s, 'the others are in an epoch that we do not know')
    else if (arrived && !opened && deafMs >= DEAF_MS) this.#stop(s, 'nothing that arrives can be opened')
    else if (cutOff && !opened && deafMs >= this.#patienceMs) this.#stop(s, 'nothing arrives from anybody')
  }

  #stop(s: ConferenceState, why: string): void {
    this.#unknownSince = undefined
    this.#openedAt = s.now
    this.#patienceMs = Math.min(2 * this.#patienceMs, LONGEST_PATIENCE_MS)
    s.media({ op: 'conference.send', conference: s.options.media.conference, on: false })
    heal(s, 'CLIENT_DEAF', `stopped sending: ${why}`)
  }

  #show(s: ConferenceState, sender: SenderStats, heard: boolean, seen: Seen): void {
    const m = s.roster.members.find((x) => x.ssrc === sender.ssrc && !x.self)
    if (m === undefined) return
    // Where the server chooses the loudest, that nothing comes of somebody is the rule.
    const chosen = s.view?.policy.forwarding === 'loudest'
    const silent = chosen ? undefined : s.now - seen.openedAt >= SILENT_MS ? 'CLIENT_NOT_ARRIVING' : m.unheard
    const code = heard ? undefined : (sender.lastFault ?? silent)
    if (code === m.unheard) return
    s.event(code === undefined ? { kind: 'unheard', at: s.now, leaf: m.leaf } : { kind: 'unheard', at: s.now, leaf: m.leaf, code })
  }
}
