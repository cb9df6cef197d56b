/** The user's volume for single people: kept by key, because a member that rejoins comes back on another stream. */
import type { Ssrc } from '../../base/brand.ts'
import type { MediaCommand } from '../../media/api.ts'
import type { Roster } from '../../model/roster.ts'

const PEOPLE_LIMIT = 1000

export class Volumes {
  readonly #conference: number
  readonly #media: (c: MediaCommand) => void
  readonly #gains = new Map<string, number>()
  #blocked: (keyId: string) => boolean = () => false
  #told = false

  constructor(conference: number, media: (c: MediaCommand) => void) {
    this.#conference = conference
    this.#media = media
  }
  get all(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#gains)
  }
  set(keyId: string, gain: number, roster: Roster): void {
    if (gain === 1) this.#gains.delete(keyId)
    else if (this.#gains.size < PEOPLE_LIMIT || this.#gains.has(keyId)) this.#gains.set(keyId, gain)
    this.#tell(roster)
  }
  /** The streams may have changed, or who is blocked. */
  apply(roster: Roster, blocked: (keyId: string) => boolean): void {
    this.#blocked = blocked
    if (this.#told || this.#gains.size > 0 || roster.members.some((m) => blocked(m.identity.keyId))) this.#tell(roster)
  }
  #tell(roster: Roster): void {
    this.#told = true
    const volumes = roster.members.flatMap((m): [Ssrc, number][] => {
      const gain = this.#blocked(m.identity.keyId) ? 0 : this.#gains.get(m.identity.keyId)
      return m.ssrc === undefined || gain === undefined ? [] : [[m.ssrc, gain]]
    })
    this.#media({ op: 'conference.volumes', conference: this.#conference, volumes })
  }
}
