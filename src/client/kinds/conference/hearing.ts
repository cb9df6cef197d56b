/** Whether we hear the others, and what follows when we do not (PROTOCOL §3 Media). */
import type { MediaEvent } from '../../../media/api.ts'
import { heal } from './joining.ts'
import type { ConferenceState } from './state.ts'

/** No frame of any peer opened for so long, although media flows: we stop sending and rejoin. */
const DEAF_MS = 3_000
const UNKNOWN_EPOCH_MS = 1_000

interface Seen {
  opened: number
  unopened: number
}

export class Hearing {
  readonly #seen = new Map<number, Seen>()
  #path: 'none' | 'udp' | 'tls' = 'none'
  #openedAt = 0
  #unknownSince: number | undefined

  onMedia(s: ConferenceState, e: MediaEvent): void {
    if (e.op === 'hop.path' && e.hop === s.options.media.hop) {
      if (e.path !== this.#path) this.#openedAt = s.now
      this.#path = e.path
    }
    if (e.op === 'conference.stats' && e.conference === s.options.media.conference) this.#onStats(s, e)
  }

  #onStats(s: ConferenceState, e: Extract<MediaEvent, { op: 'conference.stats' }>): void {
    if (s.phase !== 'member') return
    let arrived = false
    let opened = false
    let unknownEpoch = false
    for (const sender of e.senders) {
      const before = this.#seen.get(sender.ssrc) ?? { opened: 0, unopened: 0 }
      const good = sender.received - sender.unopened
      if (good > before.opened) opened = true
      if (sender.unopened > before.unopened) {
        arrived = true
        if (sender.lastFault === 'SFRAME_UNKNOWN_EPOCH') unknownEpoch = true
      }
      this.#seen.set(sender.ssrc, { opened: good, unopened: sender.unopened })
      this.#show(s, sender.ssrc, good > before.opened ? undefined : sender.lastFault)
    }
    if (opened) this.#openedAt = s.now
    this.#unknownSince = unknownEpoch && !opened ? (this.#unknownSince ?? s.now) : undefined
    const deafMs = s.now - Math.max(this.#openedAt, s.sinceJoin)
    if (this.#unknownSince !== undefined && s.now - this.#unknownSince >= UNKNOWN_EPOCH_MS) this.#stop(s, 'the others are in an epoch that we do not know')
    else if (arrived && !opened && deafMs >= DEAF_MS) this.#stop(s, 'nothing that arrives can be opened')
  }

  #stop(s: ConferenceState, why: string): void {
    this.#unknownSince = undefined
    this.#openedAt = s.now
    s.media({ op: 'conference.send', conference: s.options.media.conference, on: false })
    heal(s, 'CLIENT_DEAF', `stopped sending: ${why}`)
  }

  #show(s: ConferenceState, ssrc: number, code: string | undefined): void {
    const m = s.roster.members.find((x) => x.ssrc === ssrc && !x.self)
    if (m === undefined || m.unheard === code) return
    s.event(code === undefined ? { kind: 'unheard', at: s.now, leaf: m.leaf } : { kind: 'unheard', at: s.now, leaf: m.leaf, code })
  }
}
