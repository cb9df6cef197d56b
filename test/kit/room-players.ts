/** A room's machine in virtual time with players that behave as clients do, each keeping its own tree; hostile ones override a part. */
import { instant } from '../../src/base/brand.ts'
import { fromUtf8, sameBytes, utf8 } from '../../src/base/bytes.ts'
import { must } from '../../src/base/result.ts'
import { parseCommit } from '../../src/protocol/room/framing.ts'
import type { RoomLimits, RoomOut, RoomRequest, Stream } from '../../src/protocol/room/index.ts'
import { ROOM_LIMITS, RoomMachine } from '../../src/protocol/room/index.ts'
import type { ServerMessage, ServerWire, WireRemoval } from '../../src/protocol/wire/messages.ts'
import { fakeCommit, fakeKeyPackage } from './fake-mls.ts'
import { VirtualClock } from './virtual-clock.ts'

export class RoomTable {
  readonly clock = new VirtualClock()
  machine: RoomMachine
  readonly limits: RoomLimits
  readonly players = new Map<string, Player>()
  streams: readonly Stream[] = []
  readonly notes: string[] = []
  over = false
  latencyMs = 5
  /** What a first member makes of the room. */
  newRoom = { forwarding: 'all', maximumMembers: 16 }
  #cancelWake = (): void => {}
  nextMark = 1

  constructor(limits: Partial<RoomLimits> = {}) {
    this.limits = { ...ROOM_LIMITS, ...limits }
    this.machine = new RoomMachine('r', this.limits)
  }
  get group() {
    return this.machine.state.group
  }
  player(session: string, keyId = session): Player {
    const p = new Player(this, session, keyId)
    this.players.set(session, p)
    return p
  }
  /** Some players, in the room. */
  seat(...names: string[]): Player[] {
    const players = names.map((n) => this.player(n))
    for (const p of players) {
      p.enter()
      this.run(100)
    }
    return players
  }
  run(ms: number): void {
    this.clock.advanceSync(ms)
  }
  fromPlayer(p: Player, message: RoomRequest): void {
    this.clock.at(instant(this.clock.now() + this.latencyMs + p.lagMs), () => {
      if (p.connected) this.step({ kind: 'message', session: p.session, keyId: p.keyId, message, ssrc: 1000 + this.nextMark++ })
    })
  }
  step(input: Parameters<RoomMachine['step']>[0]): readonly RoomOut[] {
    const { out, wakeAt } = this.machine.step(input, this.clock.now())
    this.#cancelWake()
    this.#cancelWake = wakeAt === undefined ? () => {} : this.clock.at(wakeAt, () => this.step({ kind: 'tick' }))
    this.over = false
    for (const o of out) {
      if (o.kind === 'streams') this.streams = o.streams
      else if (o.kind === 'note') this.notes.push(o.text)
      else if (o.kind === 'over') this.over = true
      else this.players.get(o.session)?.deliver(o.message)
    }
    return out
  }
}

interface View {
  readonly epoch: bigint
  /** Leaf → mark of the key package; the creator's is 0. */
  readonly leaves: ReadonlyMap<number, number>
}

const markOf = (keyPackage: Uint8Array): number => new DataView(keyPackage.buffer, keyPackage.byteOffset).getUint32(keyPackage.length - 64 - 2 - 4)

/** The tree after a commit (RFC 9420 §12.4.2: Removes first, Adds to the leftmost blank leaf). */
function after(v: View, commit: Uint8Array): View {
  const c = must(parseCommit(commit))
  const leaves = new Map(v.leaves)
  for (const leaf of c.removes) if (!leaves.delete(leaf)) throw new Error(`leaf ${leaf} is blank`)
  for (const add of c.adds) {
    let leaf = 0
    while (leaves.has(leaf)) leaf++
    leaves.set(leaf, markOf(add))
  }
  return { epoch: v.epoch + 1n, leaves }
}

const encodeView = (v: View): Uint8Array => utf8(JSON.stringify({ epoch: String(v.epoch), leaves: [...v.leaves] }))
/** Undefined for what a hostile nominee made up. */
function decodeView(bytes: Uint8Array): View | undefined {
  try {
    const { epoch, leaves } = JSON.parse(fromUtf8(bytes)!) as { epoch: string; leaves: [number, number][] }
    return { epoch: BigInt(epoch), leaves: new Map(leaves) }
  } catch {
    return undefined
  }
}

export class Player {
  readonly table: RoomTable
  readonly session: string
  readonly keyId: string
  view: View | undefined
  leaf = -1
  mark = 0
  ssrc = 0
  generation = 0
  connected = true
  wanted = false
  lagMs = 0
  pending: Uint8Array | undefined
  readonly got: ServerMessage[] = []
  readonly #applied = new Set<number>()
  readonly #rejected = new Set<number>()
  /** What a hostile or broken player does instead; undefined: nothing, 'honest': as the others. */
  onNominate: (m: ServerWire['room-nominate']) => RoomRequest | undefined | 'honest' = () => 'honest'
  judge: (m: ServerWire['room-ordered']) => 'apply' | 'reject' | 'silent' = () => 'apply'
  judgeAdd: (id: number) => boolean = () => true
  takesWelcome = true

  constructor(table: RoomTable, session: string, keyId: string) {
    this.table = table
    this.session = session
    this.keyId = keyId
  }
  say(message: RoomRequest): void {
    this.table.fromPlayer(this, message)
  }
  enter(): void {
    this.wanted = true
    this.say({ k: 'room-open', room: 'r' })
  }
  leave(evidence: Uint8Array | undefined = utf8('signed')): void {
    this.wanted = false
    this.view = undefined
    this.say({ k: 'room-leave', room: 'r', ...(evidence === undefined ? {} : { evidence }) })
  }
  drop(): void {
    this.connected = false
    this.view = undefined
    this.table.step({ kind: 'gone', session: this.session })
  }
  count(k: ServerMessage['k']): number {
    return this.got.filter((m) => m.k === k).length
  }
  last<K extends ServerMessage['k']>(k: K): Extract<ServerMessage, { k: K }> | undefined {
    return this.got.findLast((m): m is Extract<ServerMessage, { k: K }> => m.k === k)
  }
  /** The commit that an honest nominee would make. */
  commitFor(m: Pick<ServerWire['room-nominate'], 'adds' | 'removes'>, change: Partial<Parameters<typeof fakeCommit>[0]> = {}): Extract<RoomRequest, { k: 'room-commit' }> {
    const view = this.view!
    const adds = m.adds.filter((a) => this.judgeAdd(a.id))
    const refused = m.adds.filter((a) => !adds.includes(a)).map((a) => ({ id: a.id, code: 'MLS_X', message: 'not welcome' }))
    const commit = fakeCommit({
      groupId: this.table.group?.groupId ?? new Uint8Array(1), epoch: view.epoch, leaf: this.leaf, mark: this.table.nextMark++,
      adds: adds.map((a) => a.keyPackage), removes: m.removes.map((r) => r.leaf), ...change,
    })
    const fits = parseCommit(commit).ok
    const welcome = adds.length === 0 ? {} : { welcome: fits ? encodeView(after(view, commit)) : utf8('made up') }
    return { k: 'room-commit', room: 'r', generation: this.generation, epoch: view.epoch, commit, ...welcome, adds: adds.map((a) => a.id), removes: m.removes, refused }
  }
  /** A host's own act. */
  act(removes: WireRemoval[], change: Partial<Parameters<typeof fakeCommit>[0]> = {}): void {
    const m = this.commitFor({ adds: [], removes }, change)
    this.pending = m.commit
    this.say(m)
  }

  deliver(message: ServerMessage): void {
    const lag = this.table.latencyMs + this.lagMs
    this.table.clock.at(instant(this.table.clock.now() + lag), () => {
      if (!this.connected) return
      this.got.push(message)
      this.#handle(message)
    })
  }
  #handle(m: ServerMessage): void {
    switch (m.k) {
      case 'room-info': return this.#info(m)
      case 'room-created':
        this.view = { epoch: 0n, leaves: new Map([[0, 0]]) }
        this.leaf = 0
        this.ssrc = m.ssrc
        return
      case 'room-queued':
        this.ssrc = m.ssrc
        return
      case 'room-welcome': return this.#welcome(m)
      case 'room-nominate': return this.#nominated(m)
      case 'room-passed':
        this.pending = undefined
        return
      case 'room-ordered': return this.#ordered(m)
      case 'room-stands': return this.#stands(m)
      case 'room-void':
        this.pending = undefined
        if (this.#applied.has(m.seq)) this.#again()
        return
      case 'room-reset': return this.#again()
      case 'room-refused':
        if (m.code === 'ROOM_NOBODY_COMMITS') this.table.clock.at(instant(this.table.clock.now() + 1000), () => this.#again())
        return
      case 'room-closed':
        this.view = undefined
        if (m.reason === 'unreachable' && this.wanted) this.#again()
        return
      default:
    }
  }
  #again(): void {
    this.view = undefined
    this.pending = undefined
    this.#applied.clear()
    this.#rejected.clear()
    if (this.wanted) this.enter()
  }
  #info(m: ServerWire['room-info']): void {
    if (!this.wanted || this.view !== undefined) return
    this.generation = m.generation
    this.#applied.clear()
    this.#rejected.clear()
    if (!m.exists) {
      this.mark = 0
      this.say({ k: 'room-create', room: 'r', generation: m.generation, groupId: utf8(`group of ${this.session} ${m.generation}`), suite: 'x25519', ...this.table.newRoom })
      return
    }
    this.mark = this.table.nextMark++
    this.say({ k: 'room-join', room: 'r', generation: m.generation, keyPackage: fakeKeyPackage(this.mark) })
  }
  #welcome(m: ServerWire['room-welcome']): void {
    if (!this.takesWelcome || !this.wanted) return
    const view = decodeView(m.welcome)
    const leaf = [...(view?.leaves ?? [])].find(([, mark]) => mark === this.mark)?.[0]
    if (view === undefined || leaf === undefined) {
      this.say({ k: 'room-rejected', room: 'r', seq: m.seq, hash: new Uint8Array(32), code: 'MLS_X' })
      return this.#again()
    }
    this.view = view
    this.leaf = leaf
    this.say({ k: 'room-applied', room: 'r', seq: m.seq })
  }
  #nominated(m: ServerWire['room-nominate']): void {
    const own = this.view === undefined ? undefined : this.onNominate(m)
    const reply = own === 'honest' ? (this.view?.epoch === m.epoch ? this.commitFor(m) : undefined) : own
    if (reply === undefined) return
    if (reply.k === 'room-commit') this.pending = reply.commit
    this.say(reply)
  }
  #ordered(m: ServerWire['room-ordered']): void {
    if (this.view === undefined || (this.pending !== undefined && sameBytes(this.pending, m.commit))) return
    this.pending = undefined
    if (m.removes.some((r) => r.leaf === this.leaf)) return
    const verdict = m.epoch === this.view.epoch ? this.judge(m) : 'reject'
    if (verdict === 'silent') return
    if (verdict === 'reject') {
      this.#rejected.add(m.seq)
      this.say({ k: 'room-rejected', room: 'r', seq: m.seq, hash: new Uint8Array(32), code: 'MLS_X' })
      return
    }
    this.view = after(this.view, m.commit)
    this.#applied.add(m.seq)
    this.say({ k: 'room-applied', room: 'r', seq: m.seq })
  }
  #stands(m: ServerWire['room-stands']): void {
    if (this.#rejected.has(m.seq)) return this.#again()
    if (this.pending === undefined || this.view === undefined) return
    this.view = after(this.view, this.pending)
    this.pending = undefined
    this.say({ k: 'room-applied', room: 'r', seq: m.seq })
  }
}
