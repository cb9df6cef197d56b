/** From dialling to being in the group, and back in after something broke (PROTOCOL §3 Delivery). */
import type { FaultCode } from '../../../base/faults/index.ts'
import type { RoomName, Ssrc } from '../../../base/brand.ts'
import { makeFault, type Fault } from '../../../base/result.ts'
import { callIdOf } from '../../../model/call-id.ts'
import { inSentence } from '../../../model/identity.ts'
import type { MlsSuite } from '../../../model/policy.ts'
import type { ServerWire } from '../../../protocol/wire/messages.ts'
import type { GroupView } from '../../../vault/api/calls.ts'
import { showPolicy } from './policy.ts'
import type { ConferenceState } from './state.ts'

const ANSWER_MS = 10_000
const WELCOME_MS = 10_000
const ATTEMPTS = 5
const RETRY_MS = 500
/** In the lobby: key packages live for 120 s. */
const LOBBY_REFRESH_MS = 60_000
const LOBBY_PATIENCE_MS = 600_000
const OUTSIDE_MS = 5_000
const NAMES_KEPT = 2000

export function ask(s: ConferenceState): void {
  s.phase = 'asking'
  s.send({ k: 'room-open', room: s.options.room })
  s.after('answer', ANSWER_MS, () => retry(s, makeFault('CLIENT_SERVER_SILENT', s.options.room)))
}

/** Everything of the present session goes; the room is asked for anew. */
export function heal(s: ConferenceState, code: FaultCode, reason: string): void {
  if (s.phase === 'left' || s.phase === 'healing') return
  s.note(code, reason)
  forgetSession(s)
  s.phase = 'healing'
  s.event({ kind: 'phase', phase: s.joinedOnce ? 'healing' : 'joining', at: s.now, reason })
  s.after('retry', backoffMs(s), () => ask(s))
}

/** A try failed before we were in: again a little later, or give up with the reason. */
function retry(s: ConferenceState, fault: Fault): void {
  s.attempts++
  forgetSession(s)
  // A member that lost its place goes on trying; a caller is told.
  if (!s.joinedOnce && s.attempts >= ATTEMPTS) {
    s.over(fault.message, fault)
    return
  }
  s.note(fault.code, fault.message)
  s.phase = 'healing'
  s.after('retry', backoffMs(s), () => ask(s))
}

const backoffMs = (s: ConferenceState): number => Math.min(RETRY_MS * 2 ** Math.min(s.attempts, 5), 10_000) * (0.5 + s.options.chance())

export function forgetSession(s: ConferenceState): void {
  for (const name of ['answer', 'welcome', 'retry', 'announce', 'act', 'renew', 'lobby', 'gossip', 'blocked'] as const) s.cancel(name)
  if (s.view !== undefined) s.media({ op: 'conference.close', conference: s.options.media.conference })
  s.view = undefined
  s.pendingView = undefined
  s.ownCommit = undefined
  s.ownSeq = undefined
  s.appliedSeq = undefined
  s.standing = undefined
  s.announcedIn = undefined
  s.refusedSeqs.clear()
  s.acts.length = 0
  s.said = []
  // In the next group everybody hears it once more.
  s.gossiped.clear()
  s.dropTasks()
  if (s.session !== undefined) s.ask('room.end', { session: s.session }, () => {})
  s.session = undefined
}

export function onInfo(s: ConferenceState, m: ServerWire['room-info']): void {
  if (s.phase !== 'asking' && s.phase !== 'creating') return
  s.cancel('answer')
  s.generation = m.generation
  // Lost the race to be first: the group we made is of no use.
  if (s.phase === 'creating') forgetSession(s)
  s.phase = 'asking'
  learnPolicy(s, m, (suite) => {
    if (s.phase !== 'asking') return
    if (m.exists) request(s, m, suite)
    else create(s)
  })
}

/** What the server keeps of a standing room: believed by its signatures, and never when it is older than what we know. */
function learnPolicy(s: ConferenceState, m: ServerWire['room-info'], then: (suite: MlsSuite) => void): void {
  const told = m.suite === 'x25519' ? 'x25519' : 'x-wing'
  const known = (): void => s.ask('policy.known', { room: s.options.room }, (r) => {
    const room = r.ok ? r.value.rooms[0] : undefined
    // A standing room keeps its suite, whatever the server says.
    then(room?.base.standing === true ? room.base.suite : told)
  })
  if (m.policy === undefined) return known()
  s.ask('policy.learn', { signed: m.policy }, (r) => {
    if (r.ok && r.value.known.base.room !== s.options.room) s.note('MLS_POLICY', `the server hands out the policy of another room: ${r.value.known.base.room}`, true)
    else if (r.ok) s.shelved = { base: r.value.known.base.version, state: r.value.known.state.version }
    else s.note(r.fault.code, `the server hands out a policy that cannot be: ${r.fault.message}`, true)
    known()
  })
}

function create(s: ConferenceState): void {
  s.phase = 'creating'
  const policy = s.options.newRoom
  s.ask('room.create', { policy, generation: s.generation }, (r) => {
    if (s.phase !== 'creating') return
    if (!r.ok) {
      // Nobody is there to let us in: a host may come.
      if (r.fault.code === 'MLS_LOBBY' && mayWait(s)) return waitOutside(s)
      s.over(r.fault.message, r.fault)
      return
    }
    s.session = r.value.view.session
    s.pendingView = r.value.view
    s.send({
      k: 'room-create', room: s.options.room, generation: s.generation, groupId: r.value.view.groupId,
      suite: policy.suite, forwarding: policy.forwarding, maximumMembers: policy.maximumMembers,
    })
    s.after('answer', ANSWER_MS, () => retry(s, makeFault('CLIENT_SERVER_SILENT', s.options.room)))
  })
}

export function onCreated(s: ConferenceState, m: ServerWire['room-created']): void {
  if (s.phase !== 'creating' || s.pendingView === undefined) return
  s.ssrc = m.ssrc
  s.lastSeq = 0
  enter(s, s.pendingView)
}

function request(s: ConferenceState, m: ServerWire['room-info'], suite: MlsSuite): void {
  s.phase = 'requesting'
  s.ask('room.request', { room: s.options.room as RoomName, suite }, (r) => {
    if (s.phase !== 'requesting') return
    if (!r.ok) {
      s.over(r.fault.message, r.fault)
      return
    }
    s.session = r.value.session
    s.phase = 'waiting'
    s.send({ k: 'room-join', room: s.options.room, generation: m.generation, keyPackage: r.value.keyPackage })
    s.after('welcome', WELCOME_MS, () => {
      s.send({ k: 'room-cancel', room: s.options.room })
      retry(s, makeFault('CLIENT_NOT_LET_IN', s.options.room))
    })
  })
}

/** In the lobby: the key package is made anew before it expires, until a host decides or our patience ends. */
export function onWaiting(s: ConferenceState): void {
  if (s.phase !== 'waiting') return
  s.cancel('welcome')
  if (!mayWait(s)) {
    s.send({ k: 'room-cancel', room: s.options.room })
    const fault = makeFault('CLIENT_NOT_ADMITTED', s.options.room)
    forgetSession(s)
    return s.over(fault.message, fault)
  }
  s.after('lobby', LOBBY_REFRESH_MS, () => {
    forgetSession(s)
    ask(s)
  })
}

/** Nobody who could let us in is there: asked again soon. */
function waitOutside(s: ConferenceState): void {
  forgetSession(s)
  s.phase = 'asking'
  s.after('lobby', OUTSIDE_MS * (0.5 + s.options.chance()), () => ask(s))
}

function mayWait(s: ConferenceState): boolean {
  if (s.waitingSince === undefined) {
    s.waitingSince = s.now
    s.event({ kind: 'waiting', at: s.now })
    s.note('CLIENT_WAITING', 'you are in the lobby: a host has to let you in')
  }
  return s.now - s.waitingSince < LOBBY_PATIENCE_MS
}

export function onQueued(s: ConferenceState, m: ServerWire['room-queued']): void {
  if (s.phase === 'waiting') s.ssrc = m.ssrc
}

export function onWelcome(s: ConferenceState, m: ServerWire['room-welcome']): void {
  if (s.phase !== 'waiting' || s.session === undefined || s.ssrc === undefined) return
  s.cancel('welcome')
  s.phase = 'entering'
  s.lastSeq = m.seq
  const session = s.session
  // Commits ordered behind our own Add wait in the queue behind this task.
  s.enqueue((done) => {
    s.ask('room.welcome', { session, welcome: m.welcome }, (r) => {
      if (s.session !== session) return
      if (!r.ok) {
        s.send({ k: 'room-rejected', room: s.options.room, seq: m.seq, hash: s.options.sha256(m.welcome), code: r.fault.code })
        retry(s, r.fault)
        return
      }
      s.send({ k: 'room-applied', room: s.options.room, seq: m.seq })
      enter(s, r.value.view)
      done()
    })
  })
}

export function onRefused(s: ConferenceState, m: ServerWire['room-refused']): void {
  if (s.phase === 'member' || s.phase === 'left') return
  const fault = makeFault('CLIENT_ROOM_REFUSED', `${m.code}: ${m.message}`)
  // Somebody may have taken our key package for a commit that came to nothing, and refuses it ever after: a new one is due.
  if (s.joinedOnce || (m.code === 'ROOM_NOBODY_COMMITS' && s.attempts === 0)) retry(s, fault)
  else s.over(fault.message, fault)
}

/** Our membership ended by the server's word. */
export function onClosed(s: ConferenceState, m: ServerWire['room-closed']): void {
  // The answer to the hanging up of a call before this one.
  if (m.reason === 'left') return
  if (m.reason === 'unreachable') return heal(s, 'CLIENT_ROOM_CLOSED', 'the server lost us')
  const fault = makeFault(m.reason === 'replaced' ? 'CLIENT_REPLACED' : 'CLIENT_REMOVED', s.options.room)
  forgetSession(s)
  s.over(fault.message, fault)
}

/** Before the end, spread, so that the members of a room do not all rejoin at once. */
const RENEW_BEFORE_MS = 600_000

/**
 * A delegation ends within 24 h and is made anew only with a new leaf: a longer call rejoins in time. When it is the
 * certificate that ends, nothing can be renewed.
 */
function renewInTime(s: ConferenceState, view: GroupView): void {
  const self = view.members.find((m) => m.self)
  if (self === undefined || view.expiresAt >= self.identity.notAfter) return
  const leftMs = (view.expiresAt - s.options.unix()) * 1000
  s.after('renew', Math.max(leftMs / 2, leftMs - RENEW_BEFORE_MS * (1 + s.options.chance())), () => heal(s, 'CLIENT_RENEWING', 'our delegation ends soon: a new leaf takes the place of the old one'))
}

/** In the group: sound opens, our word goes out, the phone is answered. */
function enter(s: ConferenceState, view: GroupView): void {
  s.cancel('answer')
  s.phase = 'member'
  s.attempts = 0
  s.sinceJoin = s.now
  s.waitingSince = undefined
  s.pendingView = undefined
  const { conference, hop } = s.options.media
  s.media({ op: 'conference.open', conference, hop, phone: s.phone, ssrc: s.ssrc as Ssrc, session: view.session, codec: view.policy.codec, forwarding: view.policy.forwarding })
  if (s.muted) s.media({ op: 'conference.mute', conference, muted: true })
  showGroup(s, view)
  s.event({ kind: 'phase', phase: 'member', at: s.now })
  announce(s)
  renewInTime(s, view)
  if (!s.joinedOnce) s.out.push({ kind: 'joined' })
  s.joinedOnce = true
}

export function showGroup(s: ConferenceState, view: GroupView): void {
  s.view = view
  for (const m of view.members) s.names.set(m.identity.keyId, inSentence(m.identity))
  if (s.names.size > NAMES_KEPT) s.names.delete(s.names.keys().next().value!)
  s.event({ kind: 'group', at: s.now, epoch: view.epoch, securityCode: view.securityCode, members: view.members, call: callIdOf(view.groupId) })
  showPolicy(s, view)
  meetAll(s, view)
  showSenders(s)
}

/** Who is whom, by what we remember: a known name with another key is told so that nobody misses it. */
function meetAll(s: ConferenceState, view: GroupView): void {
  const { meet } = s.options
  if (meet === undefined) return
  for (const m of view.members) {
    // Who comes back is marked anew; what there is to say of them was said.
    if (m.self || s.roster.members.find((x) => x.leaf === m.leaf)?.acquaintance !== undefined) continue
    const acquaintance = meet(m.identity)
    s.event({ kind: 'acquainted', at: s.now, leaf: m.leaf, acquaintance })
    if (s.met.has(m.identity.fingerprint)) continue
    s.met.add(m.identity.fingerprint)
    if (acquaintance.kind === 'changed') s.note('CLIENT_KEY_CHANGED', `${inSentence(m.identity)} has ANOTHER KEY than before: compare the code before you believe who it is`, true)
    else if (acquaintance.kind === 'reissued') s.note('CLIENT_CERTIFICATE_REISSUED', `${inSentence(m.identity)} has a new certificate for the key that you know`)
  }
}

export function showSenders(s: ConferenceState): void {
  const senders = s.roster.members.flatMap((m) => (m.self || m.ssrc === undefined ? [] : [m.ssrc]))
  s.media({ op: 'conference.senders', conference: s.options.media.conference, senders })
}

/** Our signed word {epoch authenticator, SSRC}: ties our stream to our leaf for everybody. */
export function announce(s: ConferenceState): void {
  const session = s.session
  if (session === undefined || s.ssrc === undefined) return
  const ssrc = s.ssrc as Ssrc
  s.enqueue((done) => {
    s.ask('room.announce', { session, ssrc }, (r) => {
      if (s.session === session && r.ok && s.view !== undefined) {
        s.announcedIn ??= s.view.epoch
        // Nobody could open frames of a stream that was not announced, and the vault seals none.
        s.media({ op: 'conference.send', conference: s.options.media.conference, on: true })
        s.send({ k: 'room-message', room: s.options.room, epoch: s.view.epoch, message: r.value.message })
      } else if (!r.ok) s.note(r.fault.code, r.fault.message)
      done()
    })
  })
}
