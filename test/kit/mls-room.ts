/** Members of a room at the level of groups: no vault, no server. Commits go to everybody at once. */
import assert from 'node:assert/strict'
import type { RoomName, UnixTime } from '../../src/base/brand.ts'
import { toHex } from '../../src/base/bytes.ts'
import { must } from '../../src/base/result.ts'
import { type BasePolicy, NEW_ROOM_DEFAULTS } from '../../src/model/policy.ts'
import { createRoom, joinRoom } from '../../src/protocol/mls/begin.ts'
import { encodeKeyPackageMessage } from '../../src/protocol/mls/codec.ts'
import { MlsGroup } from '../../src/protocol/mls/group.ts'
import type { OwnKeyPackage } from '../../src/protocol/mls/key-package.ts'
import { makeKeyPackage } from '../../src/protocol/mls/key-package.ts'
import { BlockList } from '../../src/protocol/policy/block-notice.ts'
import { type Policies, signBase, signState } from '../../src/protocol/policy/signed-policy.ts'
import { PolicyMemory } from '../../src/protocol/policy/memory.ts'
import type { Removal } from '../../src/protocol/mls/removal.ts'
import { UsedRequests } from '../../src/protocol/mls/rules/additions.ts'
import type { GroupWorld } from '../../src/protocol/mls/snapshot.ts'
import { createSuite } from '../../src/protocol/mls/suite.ts'
import type { IdentityKeeper, OwnIdentity } from '../../src/vault/inside/identity-keeper.ts'
import { People, REALM } from './people.ts'
import { VirtualClock } from './virtual-clock.ts'

export const ROOM = 'room-1' as RoomName

export const policyOf = (owner: string, now: UnixTime, changes: Partial<BasePolicy> = {}): BasePolicy => ({
  room: ROOM, realm: REALM, version: now, owners: [owner], hosts: [], admit: 'anchors', suite: 'x25519', codec: 'g722', forwarding: 'loudest', maximumMembers: 200, gatewaysAllowed: false, ...NEW_ROOM_DEFAULTS, ...changes,
})

export class Player {
  readonly name: string
  readonly own: OwnIdentity
  readonly keeper: IdentityKeeper
  readonly world: GroupWorld
  #group: MlsGroup | undefined

  constructor(name: string, own: OwnIdentity, keeper: IdentityKeeper, world: GroupWorld) {
    this.name = name
    this.own = own
    this.keeper = keeper
    this.world = world
  }
  get keyId(): string {
    return toHex(this.world.crypto.hash('sha256', this.own.signer.spki))
  }
  get group(): MlsGroup {
    assert.ok(this.#group, `${this.name} is in no group`)
    return this.#group
  }
  set group(g: MlsGroup) {
    this.#group = g
  }
}

export class Stage {
  readonly clock = new VirtualClock()
  readonly people: People
  readonly suite: BasePolicy['suite']

  constructor(suite: BasePolicy['suite'] = 'x25519') {
    this.people = new People(this.clock.unix())
    this.suite = suite
  }
  get crypto() {
    return this.people.crypto
  }
  player(name: string, own: OwnIdentity = this.people.person(name), people: People = this.people): Player {
    const keeper = people.keeper(own, this.people.anchors)
    return new Player(name, own, keeper, { crypto: this.crypto, clock: this.clock, verify: keeper.verify, policies: new PolicyMemory(), used: new UsedRequests(), blocks: new BlockList() })
  }
  policies(owner: Player, changes: Partial<BasePolicy> = {}): Policies {
    const base = must(signBase(this.crypto, policyOf(owner.keyId, this.clock.unix(), { suite: this.suite, ...changes }), owner.own.signer))
    return { base, state: must(signState(this.crypto, base, { version: 1, locked: false, admitted: [], banned: [] }, undefined, owner.own.signer)) }
  }
  async create(owner: Player, changes: Partial<BasePolicy> = {}): Promise<void> {
    const key = must(owner.keeper.leafKey(this.suite, this.clock.unix()))
    owner.group = new MlsGroup(owner.world, must(await createRoom(owner.world, this.policies(owner, changes), 1, key)))
  }
  /** A key package for this room; `changes` for those that do not keep to the rules. */
  async request(joiner: Player, changes: { readonly room?: string; readonly realm?: string; readonly nonce?: Uint8Array; readonly expiry?: UnixTime } = {}): Promise<{ readonly bytes: Uint8Array; readonly own: OwnKeyPackage }> {
    const now = this.clock.unix()
    const key = must(joiner.keeper.leafKey(this.suite, now))
    const own = await makeKeyPackage(createSuite(this.crypto, this.suite), key, { room: ROOM, realm: REALM, nonce: this.crypto.bytes(16), expiry: (now + 60) as UnixTime, ...changes }, now)
    return { bytes: encodeKeyPackageMessage(own.publicPackage), own }
  }
  async enter(joiner: Player, own: OwnKeyPackage, welcome: Uint8Array): Promise<void> {
    joiner.group = new MlsGroup(joiner.world, must(await joinRoom(joiner.world, { room: ROOM, realm: REALM, suite: this.suite, own }, welcome)))
  }
  /** `by` adds all of them in one commit that everybody of `others` applies. */
  async add(by: Player, joiners: readonly Player[], others: readonly Player[] = []): Promise<void> {
    const requests = await Promise.all(joiners.map((j) => this.request(j)))
    const made = must(await by.group.propose(requests.map((r, id) => ({ id, keyPackage: r.bytes })), []))
    assert.deepEqual(made.plan.refused, [])
    for (const other of others) must(await other.group.apply(made.commit))
    must(await by.group.confirm())
    for (const [i, joiner] of joiners.entries()) await this.enter(joiner, requests[i]!.own, made.welcome!)
  }
  /** `by` commits these removals and everybody of `others` applies. */
  async remove(by: Player, removals: readonly Removal[], others: readonly Player[] = []): Promise<void> {
    const made = must(await by.group.propose([], removals))
    assert.deepEqual(made.plan.refusedRemovals, [])
    for (const other of others) must(await other.group.apply(made.commit))
    must(await by.group.confirm())
  }
  /** A room of these members, the first its owner. */
  async room(...names: readonly string[]): Promise<Player[]> {
    const [owner, ...rest] = names.map((n) => this.player(n))
    await this.create(owner!)
    if (rest.length > 0) await this.add(owner!, rest)
    return [owner!, ...rest]
  }
}

export function assertAgree(players: readonly Player[]): void {
  const [first] = players
  for (const p of players) {
    assert.equal(p.group.epoch, first!.group.epoch)
    assert.equal(p.group.securityCode, first!.group.securityCode)
    assert.deepEqual([...p.group.snapshot.members].map(([l, m]) => [l, m.identity.keyId]), [...first!.group.snapshot.members].map(([l, m]) => [l, m.identity.keyId]))
  }
}
