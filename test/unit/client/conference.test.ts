/** The conference machine alone: the server and the vault are scripts, time is virtual. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import type { RoomName, Ssrc } from '../../../src/base/brand.ts'
import { instant, unixTime } from '../../../src/base/brand.ts'
import { err, ok } from '../../../src/base/result.ts'
import type { CallIn, CallOut } from '../../../src/client/call.ts'
import { ConferenceMachine } from '../../../src/client/kinds/conference/index.ts'
import type { Identity } from '../../../src/model/identity.ts'
import { NEW_ROOM_DEFAULTS } from '../../../src/model/policy.ts'
import type { ClientMessage, ServerMessage } from '../../../src/protocol/wire/messages.ts'
import type { GroupView } from '../../../src/vault/api/calls.ts'
import { FakeVault, type VaultScript } from '../../kit/fake-vault.ts'
import { VirtualClock } from '../../kit/virtual-clock.ts'

const person = (name: string): Identity => ({
  subject: name, emails: [], hosts: [], issuer: 'CA', serial: '1', notBefore: unixTime(0), notAfter: unixTime(2e9),
  keyId: createHash('sha256').update(name).digest('hex'), fingerprint: '00',
})
const newRoom = { room: 'r' as RoomName, realm: 'stc', hosts: [], admit: 'anchors', suite: 'x-wing', codec: 'g722', forwarding: 'all', maximumMembers: 16, gatewaysAllowed: false } as const
const view = (epoch: number, names: string[], own = 0): GroupView => ({
  session: 7, expired: [], revoked: [], expiresAt: unixTime(2e9), groupId: new Uint8Array(16), generation: 1, epoch: BigInt(epoch), securityCode: '00000 00000 00000 00000 00000 00000', ownLeaf: own,
  members: names.map((n, leaf) => ({ leaf, identity: person(n), self: leaf === own, kind: 'member' })),
  policy: { ...newRoom, ...NEW_ROOM_DEFAULTS, version: 1, owners: [] }, state: { version: 0, locked: false, admitted: [], banned: [] }, policyBy: '', stateBy: '',
})
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

class Stage {
  readonly clock = new VirtualClock()
  readonly vault: FakeVault
  readonly sent: ClientMessage[] = []
  readonly out: CallOut[] = []
  readonly machine: ConferenceMachine
  #cancel: () => void = () => {}
  constructor(script: VaultScript) {
    this.vault = new FakeVault(script)
    this.machine = new ConferenceMachine({ room: 'r', media: { conference: 1, hop: 1, phone: 1 }, newRoom, sha256: (b) => createHash('sha256').update(b).digest(), chance: () => 0.5, unix: () => unixTime(1e9) })
  }
  input(i: CallIn): void {
    const { out, wakeAt } = this.machine.step(i, this.clock.now())
    this.#cancel()
    if (wakeAt !== undefined) this.#cancel = this.clock.at(instant(wakeAt), () => this.input({ kind: 'tick' }))
    for (const o of out) {
      this.out.push(o)
      if (o.kind === 'send') this.sent.push(o.message)
      if (o.kind === 'vault') void this.vault.call(o.request.call, o.request.args as never).then((result) => this.input({ kind: 'vault', ref: o.ref, result }))
    }
  }
  async server(m: ServerMessage): Promise<void> {
    this.input({ kind: 'wire', message: m })
    await this.clock.advance(0)
  }
  kinds(): string[] {
    return this.sent.map((m) => m.k)
  }
  phases(): string[] {
    return this.out.flatMap((o) => (o.kind === 'event' && o.event.kind === 'phase' ? [o.event.phase] : []))
  }
  notes(): string[] {
    return this.out.flatMap((o) => (o.kind === 'event' && o.event.kind === 'note' ? [o.event.code] : []))
  }
}

const script = (over: VaultScript = {}): VaultScript => ({
  'room.create': () => ok({ view: view(0, ['a']) }),
  'room.request': () => ok({ session: 7, keyPackage: bytes('kp') }),
  'room.welcome': () => ok({ view: view(5, ['x', 'a'], 1) }),
  'room.announce': () => ok({ message: bytes('word') }),
  'room.apply': () => ok({ view: view(6, ['x', 'a', 'new'], 1), removed: [], added: [2], ended: false }),
  'room.propose': (a) => ok({ commit: bytes('mine'), welcome: bytes('w'), epoch: 5n, refused: [], removes: a.removes, refusedRemovals: [] }),
  'room.confirm': () => ok({ view: view(6, ['x', 'a', 'new'], 1) }),
  'room.abandon': () => ok({}),
  'room.message': () => ok({ kind: 'announced', leaf: 0, ssrc: 99 as Ssrc }),
  'room.leave': () => ok({ evidence: bytes('bye') }),
  'room.act': () => ok({ evidence: bytes('act') }),
  'room.end': () => ok({}),
  ...over,
})

async function joined(over: VaultScript = {}): Promise<Stage> {
  const s = new Stage(script(over))
  s.input({ kind: 'start' })
  await s.server({ k: 'room-info', room: 'r', exists: true, generation: 1, members: 1 })
  await s.server({ k: 'room-queued', room: 'r', request: 1, ssrc: 42 })
  await s.server({ k: 'room-welcome', room: 'r', generation: 1, seq: 3, welcome: bytes('welcome') })
  return s
}
const ordered = (seq: number, commit: string): ServerMessage => ({ k: 'room-ordered', room: 'r', generation: 1, seq, epoch: 5n, commit: bytes(commit), removes: [] })

describe('getting in', () => {
  test('an empty room is created; the phone is answered only then', async () => {
    const s = new Stage(script())
    s.input({ kind: 'start' })
    await s.server({ k: 'room-info', room: 'r', exists: false, generation: 1, members: 0 })
    assert.deepEqual(s.kinds(), ['room-open', 'room-create'])
    assert.ok(!s.out.some((o) => o.kind === 'joined'))
    await s.server({ k: 'room-created', room: 'r', generation: 1, ssrc: 42 })
    assert.ok(s.out.some((o) => o.kind === 'joined'))
    assert.deepEqual(s.kinds(), ['room-open', 'room-create', 'room-message'])
  })
  test('losing the race to create means joining, and the group made in vain is wiped', async () => {
    const s = new Stage(script())
    s.input({ kind: 'start' })
    await s.server({ k: 'room-info', room: 'r', exists: false, generation: 1, members: 0 })
    await s.server({ k: 'room-info', room: 'r', exists: true, generation: 1, members: 1 })
    assert.deepEqual(s.kinds(), ['room-open', 'room-create', 'room-join'])
    assert.ok(s.vault.asked.some((a) => a.call === 'room.end'))
  })
  test('a welcome leads in: applied, announced, answered once', async () => {
    const s = await joined()
    assert.deepEqual(s.kinds(), ['room-open', 'room-join', 'room-applied', 'room-message'])
    assert.equal(s.out.filter((o) => o.kind === 'joined').length, 1)
    const open = s.out.find((o) => o.kind === 'media' && o.command.op === 'conference.open')
    assert.ok(open?.kind === 'media' && open.command.op === 'conference.open' && open.command.ssrc === 42)
  })
  test('a bad welcome is rejected with its hash, and the next try uses a new key package', async () => {
    let tries = 0
    const s = await joined({ 'room.welcome': () => (tries++ === 0 ? err('MLS_WELCOME') : ok({ view: view(5, ['x', 'a'], 1) })) })
    assert.ok(s.kinds().includes('room-rejected'))
    assert.ok(!s.out.some((o) => o.kind === 'joined'))
    await s.clock.advance(20_000)
    assert.equal(s.sent.at(-1)?.k, 'room-open')
    await s.server({ k: 'room-info', room: 'r', exists: true, generation: 1, members: 1 })
    assert.equal(s.vault.asked.filter((a) => a.call === 'room.request').length, 2)
  })
  test('a refusal ends the call with the reason', async () => {
    const s = new Stage(script())
    s.input({ kind: 'start' })
    await s.server({ k: 'room-info', room: 'r', exists: true, generation: 1, members: 16 })
    await s.server({ k: 'room-refused', room: 'r', code: 'ROOM_FULL', message: 'The room is full' })
    const over = s.out.at(-1)
    assert.ok(over?.kind === 'over' && over.fault?.code === 'CLIENT_ROOM_REFUSED' && over.reason.includes('ROOM_FULL'))
  })
  test('a silent server ends a first call after some tries, never at once and never by hanging', async () => {
    const s = new Stage(script())
    s.input({ kind: 'start' })
    await s.clock.advance(120_000)
    const over = s.out.at(-1)
    assert.ok(over?.kind === 'over' && over.fault?.code === 'CLIENT_SERVER_SILENT')
    assert.ok(s.kinds().filter((k) => k === 'room-open').length > 1)
  })
})

describe('a member', () => {
  test('applies what is ordered and says so; a newcomer makes it repeat its word', async () => {
    const s = await joined()
    await s.server(ordered(4, 'theirs'))
    assert.deepEqual(s.sent.at(-1), { k: 'room-applied', room: 'r', seq: 4 })
    await s.clock.advance(1000)
    assert.equal(s.sent.at(-1)?.k, 'room-message')
  })
  test('refuses what the vault refuses, stays where it is, and rejoins only when it stands', async () => {
    const s = await joined({ 'room.apply': () => err('MLS_CREDENTIAL') })
    await s.server(ordered(4, 'bad'))
    const reply = s.sent.at(-1)
    assert.ok(reply?.k === 'room-rejected' && reply.seq === 4 && reply.hash.length === 32 && reply.code === 'MLS_CREDENTIAL')
    assert.ok(!s.phases().includes('healing'))
    await s.server({ k: 'room-stands', room: 'r', seq: 4 })
    assert.ok(s.phases().includes('healing'))
    await s.clock.advance(2000)
    assert.equal(s.sent.at(-1)?.k, 'room-open')
  })
  test('a refused commit that is void changes nothing', async () => {
    const s = await joined({ 'room.apply': () => err('MLS_CREDENTIAL') })
    await s.server(ordered(4, 'bad'))
    await s.server({ k: 'room-void', room: 'r', seq: 4 })
    await s.clock.advance(5000)
    assert.ok(!s.phases().includes('healing'))
  })
  test('commits when nominated and switches only when it stands', async () => {
    const s = await joined()
    await s.server({ k: 'room-nominate', room: 'r', generation: 1, epoch: 5n, adds: [{ id: 9, keyPackage: bytes('kp2') }], removes: [], deadlineMs: 1000 })
    const commit = s.sent.at(-1)
    assert.ok(commit?.k === 'room-commit' && commit.adds[0] === 9 && commit.welcome !== undefined)
    await s.server(ordered(4, 'mine'))
    assert.ok(!s.vault.asked.some((a) => a.call === 'room.confirm' || a.call === 'room.apply'))
    await s.server({ k: 'room-stands', room: 'r', seq: 4 })
    assert.ok(s.vault.asked.some((a) => a.call === 'room.confirm'))
  })
  test('a commit that was passed over is forgotten before another one is applied', async () => {
    const s = await joined()
    await s.server({ k: 'room-nominate', room: 'r', generation: 1, epoch: 5n, adds: [], removes: [], deadlineMs: 1000 })
    await s.server(ordered(4, 'theirs'))
    const calls = s.vault.asked.map((a) => a.call)
    assert.ok(calls.indexOf('room.abandon') > 0 && calls.indexOf('room.abandon') < calls.indexOf('room.apply'))
  })
  test('a hole in the order heals by rejoining: the server dropped a commit', async () => {
    const s = await joined()
    await s.server(ordered(6, 'later'))
    assert.ok(s.notes().includes('CLIENT_MISSED_COMMIT'))
    assert.ok(s.phases().includes('healing'))
  })
  test('an old commit played again is not even shown to the vault', async () => {
    const s = await joined()
    await s.server(ordered(3, 'old'))
    assert.ok(!s.vault.asked.some((a) => a.call === 'room.apply'))
  })
  test('a branch that only we followed is left', async () => {
    const s = await joined()
    await s.server(ordered(4, 'theirs'))
    await s.server({ k: 'room-void', room: 'r', seq: 4 })
    assert.ok(s.notes().includes('CLIENT_OTHER_BRANCH'))
  })
  test('a lost channel heals, and the room is asked for again when it is back', async () => {
    const s = await joined()
    s.input({ kind: 'channel', up: false, reason: 'cut' })
    const before = s.sent.length
    await s.clock.advance(60_000)
    assert.equal(s.sent.length, before, 'nothing is sent into the void')
    s.input({ kind: 'channel', up: true })
    assert.equal(s.sent.at(-1)?.k, 'room-open')
  })
  test('leaves with a signed wish, and says nothing afterwards', async () => {
    const s = await joined()
    s.input({ kind: 'leave' })
    await s.clock.advance(0)
    const leave = s.sent.at(-1)
    assert.ok(leave?.k === 'room-leave' && leave.evidence !== undefined)
    assert.equal(s.out.filter((o) => o.kind === 'over').length, 1)
    await s.server(ordered(4, 'late'))
    assert.equal(s.sent.at(-1), leave)
  })
  test('a delegation that ends is renewed by a rejoin in time; a certificate that ends is not', async () => {
    const ends = (expiresAt: number): VaultScript => ({ 'room.welcome': () => ok({ view: { ...view(5, ['x', 'a'], 1), expiresAt: unixTime(expiresAt) } }) })
    const s = await joined(ends(1e9 + 86_400))
    await s.clock.advance(86_400_000 - 1_300_000)
    assert.ok(!s.notes().includes('CLIENT_RENEWING'))
    await s.clock.advance(1_200_000)
    assert.ok(s.notes().includes('CLIENT_RENEWING'))
    assert.equal(s.sent.at(-1)?.k, 'room-open')
    const last = await joined(ends(2e9))
    await last.clock.advance(90_000_000)
    assert.ok(!last.notes().includes('CLIENT_RENEWING'))
  })
  test('being removed ends the call for good', async () => {
    const s = await joined({ 'room.apply': () => ok({ view: view(6, ['x'], -1), removed: [], added: [], ended: true }) })
    await s.server(ordered(4, 'theirs'))
    const over = s.out.at(-1)
    assert.ok(over?.kind === 'over' && over.fault?.code === 'CLIENT_REMOVED')
    assert.ok(s.out.some((o) => o.kind === 'media' && o.command.op === 'conference.close'))
  })
  test('a host removes by key, and tries again while another commit is in the way', async () => {
    const s = await joined()
    s.input({ kind: 'remove', leaf: 0, ban: false })
    await s.clock.advance(0)
    const first = s.sent.at(-1)
    assert.ok(first?.k === 'room-commit' && first.removes[0]?.leaf === 0 && first.removes[0].reason === 'host')
    await s.server({ k: 'room-passed', room: 'r', epoch: 5n, reason: 'another commit is in flight' })
    await s.clock.advance(1000)
    assert.ok(s.sent.filter((m) => m.k === 'room-commit').length >= 2)
  })
  test('a word of a later version says nothing to anybody here; a malformed one is noted; both leave the room as it was', async () => {
    for (const [said, notes] of [[ok({ kind: 'unknown', leaf: 0 } as const), []], [err('MLS_MESSAGE', 'malformed'), ['MLS_MESSAGE']]] as const) {
      const s = await joined({ 'room.message': () => said })
      const before = s.out.length
      await s.server({ k: 'room-message', room: 'r', epoch: 5n, message: bytes('word of x') })
      assert.ok(s.vault.asked.some((a) => a.call === 'room.message'))
      assert.deepEqual(s.out.slice(before).flatMap((o) => (o.kind === 'vault' ? [] : [o.kind === 'event' && o.event.kind === 'note' ? o.event.code : o.kind])), notes)
      await s.server(ordered(4, 'theirs'))
      assert.deepEqual(s.sent.at(-1), { k: 'room-applied', room: 'r', seq: 4 })
    }
  })
  test('frames of an unknown epoch for a second stop our sending and make us rejoin', async () => {
    const s = await joined()
    await s.server({ k: 'room-message', room: 'r', epoch: 5n, message: bytes('word of x') })
    for (let i = 1; i <= 3; i++) {
      const sender = { ssrc: 99 as Ssrc, received: 0, lost: 0, late: 0, unopened: i * 50, lastFault: 'SFRAME_UNKNOWN_EPOCH', concealed: 0, played: 0, level: 127, bufferMs: 0, jitterMs: 0 }
      s.input({ kind: 'media', event: { op: 'conference.stats', conference: 1, sent: 0, senders: [sender], ownLevel: 127, lateTicks: 0 } })
      await s.clock.advance(1000)
    }
    assert.ok(s.notes().includes('CLIENT_DEAF'))
    assert.ok(s.out.some((o) => o.kind === 'media' && o.command.op === 'conference.send' && !o.command.on))
  })
})
