/** The newest policy that was seen of each room, so that an old one cannot come back unnoticed. */
import { sameBytes } from '../../base/bytes.ts'
import { type Result, err, ok } from '../../base/result.ts'
import type { Policies } from './rules/context.ts'

export class PolicyMemory {
  /** By room and first owner: another owner's room of the same name is another room. */
  readonly #newest = new Map<string, Policies>()

  static #key(p: Policies): string {
    return `${p.base.policy.realm} ${p.base.policy.room} ${p.base.policy.owners[0]}`
  }
  /** Refuses what is older than remembered, remembers the rest. */
  admit(p: Policies): Result<undefined> {
    const key = PolicyMemory.#key(p)
    const known = this.#newest.get(key)
    if (known !== undefined) {
      const { base, state } = known
      if (p.base.policy.version < base.policy.version) return err('MLS_POLICY_OLD', `version ${p.base.policy.version} after ${base.policy.version}`)
      const sameBase = sameBytes(p.base.hash, base.hash)
      if (!sameBase && p.base.policy.version === base.policy.version) return err('MLS_POLICY_OLD', 'two policies of one version')
      if (sameBase && p.state.policy.version < state.policy.version) return err('MLS_POLICY_OLD', `state ${p.state.policy.version} after ${state.policy.version}`)
      if (sameBase && p.state.policy.version === state.policy.version && !sameBytes(p.state.hash, state.hash)) return err('MLS_POLICY_OLD', 'two states of one version')
    }
    this.#newest.set(key, p)
    return ok(undefined)
  }
  /** What a new generation of the room starts with. */
  newestOf(realm: string, room: string): Policies | undefined {
    return [...this.#newest.values()].filter((p) => p.base.policy.realm === realm && p.base.policy.room === room).at(-1)
  }
}
