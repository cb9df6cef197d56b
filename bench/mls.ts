/**
 * MLS steps through the adapter, with certificates verified: a commit that adds one, its application by a member, the
 * joiner's welcome, and a removal. Members besides nominee, one other and the joiner exist as leaves only, and their
 * parts of the tree are blank: the costliest tree, and the usual one in a room whose nominee is the longest present.
 */
import { instant, type RoomName, unixTime, type UnixTime } from '../src/base/brand.ts'
import type { Clock } from '../src/base/ports.ts'
import { must } from '../src/base/result.ts'
import { createNodeCrypto } from '../src/crypto/node/index.ts'
import type { BasePolicy, MlsSuite } from '../src/model/policy.ts'
import { createCa, issueCertificate } from '../src/pki/authority.ts'
import { createRoom, joinRoom } from '../src/protocol/mls/begin.ts'
import { encodeKeyPackageMessage } from '../src/protocol/mls/codec.ts'
import { MlsGroup } from '../src/protocol/mls/group.ts'
import { makeKeyPackage, type OwnKeyPackage } from '../src/protocol/mls/key-package.ts'
import { signBase, signState } from '../src/protocol/policy/signed-policy.ts'
import { NEW_ROOM_DEFAULTS } from '../src/model/policy.ts'
import { BlockList } from '../src/protocol/policy/block-notice.ts'
import { PolicyMemory } from '../src/protocol/policy/memory.ts'
import { UsedRequests } from '../src/protocol/mls/rules/additions.ts'
import type { GroupWorld } from '../src/protocol/mls/snapshot.ts'
import { createSuite } from '../src/protocol/mls/suite.ts'
import { makeAnchors } from '../src/protocol/x509/path.ts'
import { IdentityKeeper } from '../src/vault/inside/identity-keeper.ts'
import { listOption, round } from './_args.ts'

const REALM = 'bench.example'
const ROOM = 'bench' as RoomName
const ROUNDS = 3

const crypto = createNodeCrypto()
const clock: Clock = { now: () => instant(performance.now()), unix: (): UnixTime => unixTime(Math.floor(Date.now() / 1000)) }
const ca = createCa(crypto, { name: 'Bench CA', now: clock.unix() })
const anchors = must(makeAnchors([ca.certificate]))

interface Person {
  readonly keeper: IdentityKeeper
  readonly world: GroupWorld
}

function person(n: number): Person {
  const { chain, pkcs8 } = issueCertificate(ca, { name: `Member ${n}`, kind: 'member', now: clock.unix() })
  const signer = crypto.signer('ecdsa-p256-sha256', pkcs8)
  const keeper = new IdentityKeeper(crypto, { chain, signer, kind: 'member', keyProtection: 'in-process' }, { realm: REALM, anchors })
  return { keeper, world: { crypto, clock, verify: keeper.verify, policies: new PolicyMemory(), used: new UsedRequests(), blocks: new BlockList() } }
}

async function request(suite: MlsSuite, p: Person): Promise<{ readonly own: OwnKeyPackage; readonly keyPackage: Uint8Array }> {
  const now = clock.unix()
  const key = must(p.keeper.leafKey(suite, now))
  const own = await makeKeyPackage(createSuite(crypto, suite), key, { room: ROOM, realm: REALM, nonce: crypto.bytes(16), expiry: unixTime(now + 100) }, now)
  return { own, keyPackage: encodeKeyPackageMessage(own.publicPackage) }
}

const enter = async (suite: MlsSuite, p: Person, own: OwnKeyPackage, welcome: Uint8Array): Promise<MlsGroup> =>
  new MlsGroup(p.world, must(await joinRoom(p.world, { room: ROOM, realm: REALM, suite, own }, welcome)))

async function room(suite: MlsSuite, size: number): Promise<{ nominee: MlsGroup; other: MlsGroup }> {
  const owner = person(0)
  const policy: BasePolicy = { room: ROOM, realm: REALM, version: 1, owners: [must(owner.keeper.show(clock.unix())).keyId], hosts: [], admit: 'anchors', suite, codec: 'g722', forwarding: 'loudest', maximumMembers: 512, gatewaysAllowed: false, ...NEW_ROOM_DEFAULTS }
  const base = must(signBase(crypto, policy, owner.keeper.signer))
  const state = must(signState(crypto, base, { version: 1, locked: false, admitted: [], banned: [] }, undefined, owner.keeper.signer))
  const nominee = new MlsGroup(owner.world, must(await createRoom(owner.world, { base, state }, 1, must(owner.keeper.leafKey(suite, clock.unix())))))
  const people = Array.from({ length: size - 1 }, (_, i) => person(i + 1))
  const requests = await Promise.all(people.map((p) => request(suite, p)))
  const made = must(await nominee.propose(requests.map((r, id) => ({ id, keyPackage: r.keyPackage })), []))
  must(await nominee.confirm())
  return { nominee, other: await enter(suite, people[0]!, requests[0]!.own, made.welcome!) }
}

export type MlsRow = {
  readonly suite: MlsSuite
  readonly members: number
  /** Milliseconds of CPU, median of three: the work runs on one thread, so on an idle machine this is its time. */
  readonly proposeAdd: number
  readonly applyAdd: number
  /** A joiner that knows nobody: every certificate is verified. */
  readonly welcome: number
  readonly proposeRemove: number
  readonly applyRemove: number
  /** Octets. */
  readonly commitOctets: number
  readonly welcomeOctets: number
}

async function timed<T>(into: number[], step: () => Promise<T>): Promise<T> {
  const from = process.cpuUsage()
  const value = await step()
  const { user, system } = process.cpuUsage(from)
  into.push((user + system) / 1000)
  return value
}
const median = (times: readonly number[]): number => round([...times].sort((a, b) => a - b)[times.length >> 1]!)

async function measure(suite: MlsSuite, members: number): Promise<MlsRow> {
  const { nominee, other } = await room(suite, members)
  const t: Record<'proposeAdd' | 'applyAdd' | 'welcome' | 'proposeRemove' | 'applyRemove', number[]> = { proposeAdd: [], applyAdd: [], welcome: [], proposeRemove: [], applyRemove: [] }
  let commitOctets = 0
  let welcomeOctets = 0
  for (let i = 0; i < ROUNDS; i++) {
    const joiner = person(10_000 + i)
    const { own, keyPackage } = await request(suite, joiner)
    const made = must(await timed(t.proposeAdd, () => nominee.propose([{ id: 1, keyPackage }], [])))
    must(await timed(t.applyAdd, () => other.apply(made.commit)))
    must(await nominee.confirm())
    const joined = await timed(t.welcome, () => enter(suite, joiner, own, made.welcome!))
    commitOctets = made.commit.length
    welcomeOctets = made.welcome!.length
    const gone = must(await timed(t.proposeRemove, () => nominee.propose([], [{ leaf: joined.ownLeaf, reason: 'unreachable' }])))
    must(await timed(t.applyRemove, () => other.apply(gone.commit)))
    must(await nominee.confirm())
  }
  return { suite, members, proposeAdd: median(t.proposeAdd), applyAdd: median(t.applyAdd), welcome: median(t.welcome), proposeRemove: median(t.proposeRemove), applyRemove: median(t.applyRemove), commitOctets, welcomeOctets }
}

/** `--sizes 2,10,50`: members before the join. */
export async function run(args: readonly string[]): Promise<{ readonly name: string; readonly rows: MlsRow[]; readonly remarks: readonly string[] }> {
  const rows: MlsRow[] = []
  for (const suite of ['x25519', 'x-wing'] as const) for (const size of listOption(args, 'sizes', [2, 10, 50, 100, 200])) rows.push(await measure(suite, size))
  return { name: 'mls', rows, remarks: ['Milliseconds of CPU time, octets. A join costs proposeAdd + applyAdd + welcome, on three machines one after the other.'] }
}
