/** The newest policy that was seen of each room, so that an old one, or another owner's, cannot take its place unnoticed. */
import { sameBytes } from '../../base/bytes.ts'
import { type Result, err, ok } from '../../base/result.ts'
import { type Policies, notFollowing } from './signed-policy.ts'

/** Rooms remembered; those that are nobody's for good go first. */
const ROOMS_KEPT = 2000

export class PolicyMemory {
  /**
   * A standing room by its name: its owners' alone. Other rooms by name and first owner: another owner's room of the
   * same name is another room, for whoever comes first.
   */
  readonly #newest = new Map<string, Policies>()

  static #place(realm: string, room: string): string {
    return `${realm} ${room}`
  }
  /** Why this is not what may come after what is remembered; undefined where it may. */
  check(p: Policies): Result<undefined> {
    const { realm, room, standing, owners } = p.base.policy
    const known = this.#newest.get(PolicyMemory.#place(realm, room))
    if (known !== undefined && !standing) return err('MLS_POLICY_OWNER', `${room} belongs to ${known.base.policy.owners[0]!.slice(0, 16)}`)
    const before = known ?? (standing ? undefined : this.#newest.get(`${PolicyMemory.#place(realm, room)} ${owners[0]}`))
    return before === undefined ? ok(undefined) : follows(p, before)
  }
  /** Refuses what `check` refuses, remembers the rest. */
  admit(p: Policies): Result<undefined> {
    const checked = this.check(p)
    if (!checked.ok) return checked
    const { realm, room, standing, owners } = p.base.policy
    const place = PolicyMemory.#place(realm, room)
    const key = standing ? place : `${place} ${owners[0]}`
    // The last one of a name is the newest.
    this.#newest.delete(key)
    this.#newest.set(key, p)
    if (this.#newest.size > ROOMS_KEPT) this.#newest.delete([...this.#newest].find(([, q]) => !q.base.policy.standing)?.[0] ?? this.#newest.keys().next().value!)
    return ok(undefined)
  }
  /** What a new generation of the room starts with. */
  newestOf(realm: string, room: string): Policies | undefined {
    return this.standingOf(realm, room) ?? [...this.#newest.values()].filter((p) => p.base.policy.realm === realm && p.base.policy.room === room).at(-1)
  }
  standingOf(realm: string, room: string): Policies | undefined {
    return this.#newest.get(PolicyMemory.#place(realm, room))
  }
  /** Nothing is known of the room any more: whoever comes next is believed. */
  forget(realm: string, room: string): void {
    const place = PolicyMemory.#place(realm, room)
    for (const key of [...this.#newest.keys()]) if (key === place || key.startsWith(`${place} `)) this.#newest.delete(key)
  }
  get all(): readonly Policies[] {
    return [...this.#newest.values()]
  }
}

function follows(p: Policies, known: Policies): Result<undefined> {
  const { base, state } = known
  if (sameBytes(p.base.hash, base.hash)) {
    if (p.state.policy.version < state.policy.version) return err('MLS_POLICY_OLD', `state ${p.state.policy.version} after ${state.policy.version}`)
    const twin = p.state.policy.version === state.policy.version && !sameBytes(p.state.hash, state.hash)
    return twin ? err('MLS_POLICY_OLD', 'two states of one version') : ok(undefined)
  }
  if (p.base.policy.version < base.policy.version) return err('MLS_POLICY_OLD', `version ${p.base.policy.version} after ${base.policy.version}`)
  if (p.base.policy.version === base.policy.version) return err('MLS_POLICY_OLD', 'two policies of one version')
  // A room that is nobody's for good begins anew with every meeting.
  if (!p.base.policy.standing) return ok(undefined)
  const wrong = notFollowing(p.base, base)
  if (wrong !== undefined) return err('MLS_POLICY_OWNER', wrong)
  // Otherwise an owner who was away could lift, without meaning to, what hosts decided meanwhile.
  return p.state.policy.version > state.policy.version ? ok(undefined) : err('MLS_POLICY_OLD', `state ${p.state.policy.version} after ${state.policy.version}, under a later policy`)
}
