/** The policy that the group follows: shown, every change told under the name of who signed it, and handed to the server for those who come first. */
import { actText } from '../../../model/act-text.ts'
import { actsBetween, isProminent } from '../../../model/policy.ts'
import { nameIn } from '../../../model/roster.ts'
import type { GroupView } from '../../../vault/api/calls.ts'
import type { ConferenceState } from './state.ts'

export function showPolicy(s: ConferenceState, view: GroupView): void {
  const now = { base: view.policy, state: view.state, policyBy: view.policyBy, stateBy: view.stateBy }
  const before = s.lastPolicy
  if (before?.base.version === now.base.version && before.state.version === now.state.version && before.policyBy === now.policyBy) return
  s.lastPolicy = now
  // Whoever left with the same step is still on our roster here.
  const name = (entry: string): string => (/^[0-9a-f]{64}$/.test(entry) ? (s.names.get(entry) ?? nameIn(s.roster, entry)) : entry)
  s.event({ kind: 'policy', at: s.now, policy: { base: now.base, state: now.state } })
  for (const a of before === undefined || before.base.owners.length === 0 ? [] : actsBetween(before, now)) {
    const by = a.act === 'hand-over' || a.act === 'edit' || a.act === 'gateways-allowed' ? now.policyBy : now.stateBy
    s.event({ kind: 'act', at: s.now, act: a, by, text: actText(a, by === now.base.recovery ? 'the recovery key' : name(by), name), prominent: isProminent(a) })
  }
  shelve(s, now.base.version, now.state.version, now.base.standing)
}

/** The server cannot change a policy, but it could not hand on what it never got. */
function shelve(s: ConferenceState, base: number, state: number, standing: boolean): void {
  const kept = s.shelved
  if (!standing || (kept !== undefined && (kept.base > base || (kept.base === base && kept.state >= state)))) return
  s.shelved = { base, state }
  s.ask('policy.known', { room: s.options.room }, (r) => {
    const known = r.ok ? r.value.rooms[0] : undefined
    if (known !== undefined) s.send({ k: 'room-policy', room: s.options.room, base: known.signed.base, state: known.signed.state })
  })
}
