/** A commit arrives: is it the one that was asked for, or a host's own? Then it is ordered. */
import { instant } from '../../base/brand.ts'
import { sameBytes } from '../../base/bytes.ts'
import type { ClientWire, WireRemoval } from '../wire/messages.ts'
import { stand } from './deciding.ts'
import type { OuterCommit } from './framing.ts'
import { LEFT_TO_A_HOST } from './lobby.ts'
import { keyPackageIn, parseCommit } from './framing.ts'
import { passOver, withoutEvidence } from './nominating.ts'
import type { Flight, JoinRequest, Nomination, Room, RoomGroup, RoomMember } from './state.ts'
import { takeLeaf } from './state.ts'

type CommitMessage = ClientWire['room-commit']

export function commit(room: Room, g: RoomGroup, from: RoomMember, m: CommitMessage): void {
  const refuse = (reason: string): void => room.send(from.session, { k: 'room-passed', room: room.name, epoch: m.epoch, reason })
  if (g.flight !== undefined) return refuse('another commit is in flight')
  if (m.generation !== room.state.generation || m.epoch !== g.epoch) return refuse(`the room is in epoch ${g.epoch} of generation ${room.state.generation}`)
  const nomination = g.nomination?.member === from.id ? g.nomination : undefined
  const read = readFor(g, from, m)
  if (typeof read === 'string') {
    if (nomination !== undefined) return passOver(room, g, read)
    return refuse(read)
  }
  const asked = nomination === undefined ? 'nobody asked for it' : mismatch(g, nomination, m, read)
  if (nomination !== undefined && asked === undefined) return takeNominated(room, g, from, nomination, m, read)
  const own = ownAct(room, g, from, m, read)
  if (own === undefined) return takeOwn(room, g, from, m, read)
  if (nomination !== undefined) return passOver(room, g, asked ?? own)
  refuse(own)
}

/** The commit as far as a server can read it, or why it is not for here and now. */
function readFor(g: RoomGroup, from: RoomMember, m: CommitMessage): OuterCommit | string {
  const parsed = parseCommit(m.commit)
  if (!parsed.ok) return parsed.fault.message
  const c = parsed.value
  if (!sameBytes(c.groupId, g.groupId)) return 'it is for another group'
  if (c.epoch !== g.epoch) return `it is for epoch ${c.epoch}`
  if (c.leaf !== from.leaf) return `it says that leaf ${c.leaf} sent it`
  if (!c.path) return 'it has no update path'
  if (c.removes.includes(from.leaf)) return 'it removes its own sender'
  return c
}

/** Where a nominee's commit differs from what it was asked for; undefined: nowhere. */
function mismatch(g: RoomGroup, n: Nomination, m: CommitMessage, c: OuterCommit): string | undefined {
  if (c.contextExtensions) return 'it changes the policy'
  const committed = addsOf(g, n, c)
  if (committed === undefined) return 'it adds somebody who was not nominated'
  if (new Set(m.adds).size !== m.adds.length || m.adds.length !== committed.length || committed.some((q) => !m.adds.includes(q.id))) return 'its list of joiners is another'
  const answered = new Set([...m.adds, ...m.refused.map((f) => f.id)])
  if (n.adds.some((id) => !answered.has(id) && g.queue.some((q) => q.id === id))) return 'it omits a joiner'
  if (m.refused.some((f) => !n.adds.includes(f.id) || m.adds.includes(f.id))) return 'it refuses somebody who was not nominated'
  if ((m.welcome === undefined) !== (committed.length === 0)) return 'adds and welcome do not fit'
  return wrongRemoves(g, n, c, committed)
}

/** The requests whose key packages were committed, in their order. A request that was dropped meanwhile does not count. */
function addsOf(g: RoomGroup, n: Nomination, c: OuterCommit): JoinRequest[] | undefined {
  const found: JoinRequest[] = []
  for (const keyPackage of c.adds) {
    const q = g.queue.find((x) => n.adds.includes(x.id) && !found.includes(x) && sameBytes(keyPackageIn(x.keyPackage) ?? x.keyPackage, keyPackage))
    if (q === undefined) return undefined
    found.push(q)
  }
  return found
}

function wrongRemoves(g: RoomGroup, n: Nomination, c: OuterCommit, committed: readonly JoinRequest[]): string | undefined {
  if (new Set(c.removes).size !== c.removes.length || c.removes.some((leaf) => !n.removes.some((r) => r.leaf === leaf))) return 'it removes somebody who is not to be removed'
  for (const r of n.removes) {
    if (c.removes.includes(r.leaf)) continue
    const m = g.members.find((x) => x.leaf === r.leaf)
    const optional = r.reason === 'leave' || (r.reason === 'rejoin' && !committed.some((q) => q.keyId === m?.keyId))
    if (!optional) return `it omits the removal of leaf ${r.leaf}`
  }
  return undefined
}

function takeNominated(room: Room, g: RoomGroup, from: RoomMember, n: Nomination, m: CommitMessage, c: OuterCommit): void {
  delete g.nomination
  for (const r of n.removes) {
    // Left out although nominated: only bad evidence explains it.
    const removal = c.removes.includes(r.leaf) ? undefined : g.members.find((x) => x.leaf === r.leaf)?.removal
    if (removal?.reason === 'leave') withoutEvidence(removal)
  }
  for (const f of m.refused) {
    const q = g.queue.find((x) => x.id === f.id)
    if (q === undefined) continue
    q.refusedBy.push(from.id)
    q.refusal = `${f.code}: ${f.message}`
    if (f.code !== LEFT_TO_A_HOST) q.knocks = false
  }
  const adds = addsOf(g, n, c) ?? []
  // The order and the reasons are ours: the nomination says why somebody is removed.
  order(room, g, from, m, { requests: adds, removes: n.removes.filter((r) => c.removes.includes(r.leaf)), nominated: true, policy: false })
}

/** Why this is no commit that a host may send of its own accord; undefined: it is one, as far as the server can see. */
function ownAct(room: Room, g: RoomGroup, from: RoomMember, m: CommitMessage, c: OuterCommit): string | undefined {
  if (c.adds.length > 0 || m.adds.length > 0 || m.welcome !== undefined) return 'nobody asked for it'
  if (c.removes.length === 0 && !c.contextExtensions) return 'nobody asked for it'
  if (room.now < from.ownCommitsFrom) return 'the last commit of your own accord was refused by all'
  if (new Set(c.removes).size !== c.removes.length || c.removes.length !== m.removes.length) return 'its list of removals is another'
  for (const r of m.removes) {
    if ((r.reason !== 'host' && r.reason !== 'blocked') || r.evidence === undefined || !c.removes.includes(r.leaf)) return 'a removal without a signed act'
    if (!g.members.some((x) => x.leaf === r.leaf)) return `nobody is at leaf ${r.leaf}`
  }
  return undefined
}

function takeOwn(room: Room, g: RoomGroup, from: RoomMember, m: CommitMessage, c: OuterCommit): void {
  const n = g.nomination
  delete g.nomination
  const nominee = n === undefined || n.member === from.id ? undefined : g.members.find((x) => x.id === n.member)
  if (nominee?.reachable === true) room.send(nominee.session, { k: 'room-passed', room: room.name, epoch: g.epoch, reason: 'a host\'s own commit came first' })
  order(room, g, from, m, { requests: [], removes: m.removes, nominated: false, policy: c.contextExtensions })
}

interface Ordered {
  readonly requests: readonly JoinRequest[]
  readonly removes: readonly WireRemoval[]
  readonly nominated: boolean
  readonly policy: boolean
}

function order(room: Room, g: RoomGroup, from: RoomMember, m: CommitMessage, { requests, removes, nominated, policy }: Ordered): void {
  const { limits, now, state } = room
  const seq = ++g.seq
  const removed = (leaf: number): boolean => removes.some((r) => r.leaf === leaf)
  // Removes are applied before Adds (RFC 9420 §12.4.2).
  const taken = new Set(g.members.map((x) => x.leaf).filter((leaf) => !removed(leaf)))
  const adds = requests.map((request) => ({ request, leaf: takeLeaf(taken) }))
  g.queue = g.queue.filter((q) => !requests.includes(q))
  const flight: Flight = {
    seq, committer: from.id, nominated, policy, adds, removes, ...(m.welcome === undefined ? {} : { welcome: m.welcome }), rejected: [],
    awaited: g.members.filter((x) => x.reachable && x.id !== from.id && !removed(x.leaf)).map((x) => x.id),
    deadline: instant(now + Math.min(limits.applyMostMs, limits.applyMs * 2 ** Math.min(g.voids, 10))),
  }
  g.flight = flight
  room.tellMembers(g, { k: 'room-ordered', room: room.name, generation: state.generation, seq, epoch: g.epoch, commit: m.commit, removes: [...removes] })
  if (flight.awaited.length === 0) stand(room, g, flight)
}
