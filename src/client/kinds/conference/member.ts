/** What a member does: commits when nominated, applies what was ordered, tells the others where it stands. */
import { sameBytes } from '../../../base/bytes.ts'
import { makeFault } from '../../../base/result.ts'
import { inSentence } from '../../../model/identity.ts'
import type { ServerWire } from '../../../protocol/wire/messages.ts'
import type { GroupView, RemovalRequest, VaultCalls } from '../../../vault/api/calls.ts'
import { wasRemoved } from './acts.ts'
import { noteEnded } from './certificates.ts'
import { commit, copyRemoval } from './committing.ts'
import { announce, forgetSession, heal, showGroup, showSenders } from './joining.ts'
import { type ConferenceState, inGroup } from './state.ts'
import { heardFlag, heardLeg, heardNotice, sayAgain, sayLeg, tellNewcomers } from './words.ts'

/** Group work that may wait before we say that we cannot keep up. */
const QUEUE_LIMIT = 500
/** After an Add some repeat their word for the newcomer, spread over this time per member. */
const ANNOUNCE_MS = 40
const ANNOUNCE_MS_PER_MEMBER = 8
const REPEATED_EPOCHS = 2n

export function onNominate(s: ConferenceState, m: ServerWire['room-nominate']): void {
  commit(s, m.adds, m.removes.map(copyRemoval), m.epoch)
}

/** The nomination or our commit was passed over: forget it. */
export function onPassed(s: ConferenceState): void {
  const session = s.session
  if (session === undefined) return
  s.enqueue((done) => {
    if (s.ownCommit === undefined || s.ownSeq !== undefined) return done()
    s.ownCommit = undefined
    s.ask('room.abandon', { session }, done)
  })
}

export function onOrdered(s: ConferenceState, m: ServerWire['room-ordered']): void {
  if (!inGroup(s)) return
  if (m.seq <= s.lastSeq) return
  if (m.seq !== s.lastSeq + 1) return heal(s, 'CLIENT_MISSED_COMMIT', `the server skipped from ${s.lastSeq} to ${m.seq}`)
  s.lastSeq = m.seq
  if (s.queued > QUEUE_LIMIT) return heal(s, 'CLIENT_TOO_SLOW', `${s.queued} group changes wait`)
  const session = s.session!
  s.enqueue((done) => {
    if (s.ownCommit !== undefined && sameBytes(s.ownCommit, m.commit)) {
      s.ownSeq = m.seq
      return done()
    }
    if (s.ownCommit === undefined) return apply(s, m, done)
    // Somebody else's commit was ordered for this epoch: ours is dead.
    s.ownCommit = undefined
    s.ask('room.abandon', { session }, () => apply(s, m, done))
  })
}

function apply(s: ConferenceState, m: ServerWire['room-ordered'], done: () => void): void {
  const session = s.session!
  s.ask('room.apply', { session, commit: m.commit, removals: m.removes }, (r) => {
    if (s.session !== session) return
    if (r.ok) {
      s.appliedSeq = m.seq
      s.standing = { seq: m.seq, epoch: r.value.view.epoch }
      s.send({ k: 'room-applied', room: s.options.room, seq: m.seq })
      if (r.value.ended) return removed(s, r.value.removed.find((x) => x.leaf === r.value.view.ownLeaf)?.reason)
      applied(s, r.value)
    } else {
      s.refusedSeqs.add(m.seq)
      s.send({ k: 'room-rejected', room: s.options.room, seq: m.seq, hash: s.options.sha256(m.commit), code: r.fault.code })
      s.note(r.fault.code, r.fault.message)
    }
    done()
  })
}

/** "Unreachable" may be an error, or one member's spite: we ask again. Everything else is final. */
function removed(s: ConferenceState, reason: RemovalRequest['reason'] | undefined): void {
  if (reason === 'unreachable') return heal(s, 'CLIENT_ROOM_CLOSED', 'the others removed us as unreachable')
  const fault = makeFault(reason === 'rejoin' ? 'CLIENT_REPLACED' : 'CLIENT_REMOVED', s.options.room)
  forgetSession(s)
  s.over(fault.message, fault)
}

function applied(s: ConferenceState, a: Pick<VaultCalls['room.apply']['out'], 'view' | 'removed' | 'added'>): void {
  const before = s.view
  showGroup(s, a.view)
  const rejoined = new Set<string>()
  for (const gone of a.removed) {
    if (gone.reason === 'rejoin') {
      rejoined.add(gone.identity.keyId)
      s.note('CLIENT_MEMBER_REJOINED', `${inSentence(gone.identity)} took a new place: connected anew, or from another machine with the same key`)
      continue
    }
    // The server may have kept the notice itself from us.
    if (gone.notice !== undefined) heardNotice(s, gone.notice, 'removal')
    wasRemoved(s, gone.identity.keyId)
    const by = before?.members.find((m) => m.leaf === gone.by)
    const whose = gone.reason === 'leave' ? 'left' : `was removed (${gone.reason}) by ${by === undefined ? 'a member' : inSentence(by.identity)}`
    s.note(gone.reason === 'leave' ? 'CLIENT_MEMBER_LEFT' : 'CLIENT_MEMBER_REMOVED', `${inSentence(gone.identity)} ${whose}`)
  }
  for (const leaf of a.added) {
    const m = a.view.members.find((x) => x.leaf === leaf)
    if (m?.kind === 'gateway') s.note('CLIENT_GATEWAY_JOINED', `${inSentence(m.identity)} was let in, a GATEWAY: telephone callers who hold no keys can hear this`, true)
    else if (m !== undefined && !rejoined.has(m.identity.keyId)) s.note('CLIENT_MEMBER_JOINED', `${inSentence(m.identity)} was let in`)
  }
  noteEnded(s, before, a.view)
  if (a.added.length > 0) announceAgain(s, a.view.epoch)
}

/**
 * The welcome tells a newcomer whose stream is whose as the committer knew it. Whoever gave its word in one of the
 * last two epochs may have come too late for that, and says it again.
 */
function announceAgain(s: ConferenceState, epoch: bigint): void {
  if (s.announcedIn === undefined || epoch - s.announcedIn <= REPEATED_EPOCHS) announceSoon(s)
}

function announceSoon(s: ConferenceState): void {
  if (s.waiting('announce')) return
  const members = s.view?.members.length ?? 1
  s.after('announce', ANNOUNCE_MS + s.options.chance() * ANNOUNCE_MS_PER_MEMBER * members, () => announce(s))
}

/** Our word was of an epoch that is over for the others. */
export function onFault(s: ConferenceState, m: ServerWire['fault']): void {
  if (m.code !== 'ROOM_EPOCH' || s.phase !== 'member') return
  s.announcedIn = undefined
  announceSoon(s)
  sayAgain(s)
}

export function onStands(s: ConferenceState, m: ServerWire['room-stands']): void {
  const session = s.session
  if (session === undefined) return
  s.enqueue((done) => {
    if (s.refusedSeqs.has(m.seq)) return heal(s, 'CLIENT_OTHER_BRANCH', 'the others accepted a change that we refused')
    if (s.ownSeq !== m.seq) return done()
    const before = s.view
    const removes = s.ownRemoves
    s.ownCommit = undefined
    s.ownSeq = undefined
    s.ask('room.confirm', { session }, (r) => {
      if (s.session !== session) return
      if (!r.ok) return heal(s, r.fault.code, r.fault.message)
      const view = r.value.view
      s.standing = { seq: m.seq, epoch: view.epoch }
      s.send({ k: 'room-applied', room: s.options.room, seq: m.seq })
      const added = view.members.filter((x) => !before?.members.some((b) => b.leaf === x.leaf && b.identity.keyId === x.identity.keyId))
      applied(s, { view, removed: removedByUs(before, view, removes), added: added.map((x) => x.leaf) })
      if (added.length > 0) tellNewcomers(s)
      done()
    })
  })
}

function removedByUs(before: GroupView | undefined, now: GroupView, removes: readonly RemovalRequest[]): VaultCalls['room.apply']['out']['removed'] {
  return removes.flatMap(({ leaf, reason }) => {
    const gone = before?.members.find((m) => m.leaf === leaf)
    return gone === undefined ? [] : [{ leaf, identity: gone.identity, reason, by: now.ownLeaf }]
  })
}

/** Nobody waits for the key any more: what we say from now on is for those whom the change let in, too. */
export function onSettled(s: ConferenceState, m: ServerWire['room-settled']): void {
  const session = s.session
  if (session === undefined) return
  s.enqueue((done) => {
    // Nothing that follows needs its answer.
    if (s.standing?.seq === m.seq) s.ask('room.settle', { session, epoch: s.standing.epoch }, () => {})
    done()
  })
}

export function onVoid(s: ConferenceState, m: ServerWire['room-void']): void {
  const session = s.session
  if (session === undefined) return
  s.enqueue((done) => {
    s.refusedSeqs.delete(m.seq)
    if (s.appliedSeq === m.seq) return heal(s, 'CLIENT_OTHER_BRANCH', 'the others dropped a change that we accepted')
    if (s.ownSeq !== m.seq) return done()
    s.ownCommit = undefined
    s.ownSeq = undefined
    s.note('CLIENT_COMMIT_REFUSED', 'the others refused our change')
    s.ask('room.abandon', { session }, done)
  })
}

export function onMessage(s: ConferenceState, m: ServerWire['room-message']): void {
  if (!inGroup(s)) return
  const session = s.session!
  if (s.queued > QUEUE_LIMIT) return
  s.enqueue((done) => {
    s.ask('room.message', { session, message: m.message }, (r) => {
      if (s.session !== session) return
      if (r.ok) {
        if (r.value.kind === 'flag') heardFlag(s, r.value.leaf, r.value.text)
        else if (r.value.kind === 'notice') heardNotice(s, r.value.notice)
        else if (r.value.kind === 'leg') heardLeg(s, r.value.leaf, r.value.leg)
        else if (r.value.kind === 'announced') {
          const { leaf } = r.value
          const fresh = s.roster.members.some((m) => m.leaf === leaf && m.state === 'joining')
          s.event({ kind: 'confirmed', at: s.now, leaf: r.value.leaf, ssrc: r.value.ssrc })
          showSenders(s)
          if (fresh) sayLeg(s)
        }
      } else if (r.fault.code !== 'MLS_WRONG_EPOCH') s.note(r.fault.code, r.fault.message)
      done()
    })
  })
}
