/** Commits of our own. */
import type { FaultCode } from '../../../base/faults/index.ts'
import type { SignedRoom } from '../../../model/policy.ts'
import type { ServerWire } from '../../../protocol/wire/messages.ts'
import type { RemovalRequest } from '../../../vault/api/calls.ts'
import { type ConferenceState, inGroup } from './state.ts'

/** A commit of ours, handed to the server and pending until it stands or is passed over. `signed`: policies that it puts in place. */
export function commit(s: ConferenceState, adds: ServerWire['room-nominate']['adds'], removes: readonly RemovalRequest[], forEpoch?: bigint, signed?: SignedRoom): void {
  const session = s.session
  if (session === undefined || !inGroup(s)) return
  s.enqueue((done) => {
    if (s.ownCommit !== undefined || (forEpoch !== undefined && s.view?.epoch !== forEpoch)) return done()
    s.ask('room.propose', { session, adds, removes, ...(signed === undefined ? {} : { signed }) }, (r) => {
      if (s.session !== session) return
      if (r.ok) {
        s.ownCommit = r.value.commit
        s.ownRemoves = r.value.removes
        const { welcome, epoch, refused, refusedRemovals } = r.value
        for (const no of refusedRemovals) s.note(no.code as FaultCode, no.message)
        s.send({
          k: 'room-commit', room: s.options.room, generation: s.generation, epoch, commit: r.value.commit,
          ...(welcome === undefined ? {} : { welcome }),
          adds: adds.map((a) => a.id).filter((id) => !refused.some((f) => f.id === id)),
          removes: r.value.removes.map(copyRemoval), refused: [...refused],
        })
      } else s.note(r.fault.code, r.fault.message)
      done()
    })
  })
}

export const copyRemoval = (r: RemovalRequest): { leaf: number; reason: RemovalRequest['reason']; evidence?: Uint8Array } =>
  r.evidence === undefined ? { leaf: r.leaf, reason: r.reason } : { leaf: r.leaf, reason: r.reason, evidence: r.evidence }
