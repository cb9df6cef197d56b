/** Acts of our own: as a host, an owner, or with a block notice in hand. Each is a commit that nobody asked for. */
import type { Result } from '../../../base/result.ts'
import { inSentence } from '../../../model/identity.ts'
import { decided, fits } from '../../../model/policy.ts'
import type { GroupView, RemovalRequest } from '../../../vault/api/calls.ts'
import type { SignedRoom } from '../../../model/policy.ts'
import type { OwnAct, PendingAct } from './act-types.ts'
import { commit } from './committing.ts'
import type { ConferenceState } from './state.ts'

const ACT_TRIES = 8
const ACT_RETRY_MS = 250
const ACTS_LIMIT = 64

/** Begins when the acts before it are done. `delayMs` lets somebody else be first. */
export function act(s: ConferenceState, what: OwnAct, delayMs = 0): void {
  if (s.acts.length >= ACTS_LIMIT || s.view === undefined) return
  s.acts.push({ what, from: s.view.policy.version, tries: 0 })
  if (s.acts.length === 1) s.after('act', delayMs, () => goOn(s))
}

/** A removal by place, as a screen shows it. */
export function removeMember(s: ConferenceState, leaf: number, ban: boolean): void {
  const keyId = s.view?.members.find((m) => m.leaf === leaf)?.identity.keyId
  if (keyId === undefined) return s.note('CLIENT_NO_SUCH_MEMBER', `nobody is at place ${leaf}`)
  act(s, { act: 'remove', keyId, ban })
}

function goOn(s: ConferenceState): void {
  const pending = s.acts[0]
  const { session, view } = s
  if (pending === undefined || s.phase !== 'member' || session === undefined || view === undefined) {
    s.acts.length = 0
    return
  }
  if (isDone(pending, view)) {
    if (pending.what.act === 'amend') sendAway(s, view)
    return next(s)
  }
  if (pending.tries === ACT_TRIES) {
    s.note('CLIENT_COMMIT_REFUSED', 'what you decided could not be put in order')
    return next(s)
  }
  s.after('act', ACT_RETRY_MS * ++pending.tries, () => goOn(s))
  // The server puts one commit in order at a time: when another is at work this one is tried again.
  if (s.ownCommit === undefined) propose(s, session, view, pending.what)
}

/** Whom a stricter policy of ours would not let in any more must not stay: nobody who comes could believe the room that it follows its policy. */
function sendAway(s: ConferenceState, view: GroupView): void {
  for (const m of view.members) {
    if (m.self || fits(view.policy, m)) continue
    s.note('CLIENT_POLICY_UNFIT', `${inSentence(m.identity)} does not fit the policy any more and has to leave`)
    s.acts.push({ what: { act: 'remove', keyId: m.identity.keyId, ban: false }, from: view.policy.version, tries: 0 })
  }
}

/** Somebody was removed: whoever decided that must not do it again to one who came back since. */
export function wasRemoved(s: ConferenceState, keyId: string): void {
  for (const pending of s.acts) if ((pending.what.act === 'remove' || pending.what.act === 'blocked') && targetOf(pending.what) === keyId) pending.gone = true
}

function next(s: ConferenceState): void {
  s.acts.shift()
  if (s.acts.length === 0) s.cancel('act')
  else s.after('act', 0, () => goOn(s))
}

function isDone({ what, from, gone }: PendingAct, view: GroupView): boolean {
  const there = (keyId: string): boolean => view.members.some((m) => m.identity.keyId === keyId)
  switch (what.act) {
    case 'remove': return (gone === true || !there(what.keyId)) && (!what.ban || view.state.banned.includes(what.keyId))
    case 'blocked': return gone === true || !there(what.notice.target)
    case 'decide': return decided(view.state, what.decision) === view.state
    case 'amend': return view.policy.version > from
  }
}

function propose(s: ConferenceState, session: number, view: GroupView, what: OwnAct): void {
  const leaf = what.act === 'remove' || what.act === 'blocked' ? view.members.find((m) => m.identity.keyId === targetOf(what))?.leaf : undefined
  const remove = (reason: 'host' | 'blocked', evidence: Uint8Array): void => {
    if (leaf !== undefined) commit(s, [], [{ leaf, reason, evidence } satisfies RemovalRequest])
  }
  const decide = (signed: SignedRoom): void => commit(s, [], [], undefined, signed)
  switch (what.act) {
    case 'blocked':
      return remove('blocked', what.notice.bytes)
    case 'remove':
      // It went by itself while a ban was on its way, and would come straight back.
      if (leaf === undefined) return s.ask('room.decide', { session, decision: { act: 'ban', keyId: what.keyId } }, (r) => answered(s, session, r, ({ signed }) => decide(signed)))
      return s.ask('room.act', { session, leaf, ban: what.ban }, (r) => answered(s, session, r, ({ evidence }) => remove('host', evidence)))
    case 'decide':
      return s.ask('room.decide', { session, decision: what.decision }, (r) => answered(s, session, r, ({ signed }) => decide(signed)))
    case 'amend':
      if (view.members.some((m) => m.self && !fits({ ...view.policy, ...what.change }, m))) {
        s.note('MLS_POLICY', 'under that policy you could not be in the room yourself')
        return next(s)
      }
      return s.ask('room.amend', { session, change: what.change, ...(what.handTo === undefined ? {} : { handTo: what.handTo }) }, (r) => answered(s, session, r, ({ signed }) => decide(signed)))
  }
}

const targetOf = (what: Extract<OwnAct, { act: 'remove' | 'blocked' }>): string => (what.act === 'remove' ? what.keyId : what.notice.target)

function answered<T>(s: ConferenceState, session: number, r: Result<T>, then: (value: T) => void): void {
  if (s.session !== session) return
  if (r.ok) return then(r.value)
  s.note(r.fault.code, r.fault.message)
  next(s)
}
