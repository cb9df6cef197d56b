/** The two ways to be in a group: having made it, or a Welcome to one's own request. */
import { createGroup } from 'ts-mls/clientState.js'
import { ByteReader, ByteWriter, concat } from '../../base/bytes.ts'
import { type Result, err, ok } from '../../base/result.ts'
import { decodeWelcomeMessage } from './codec.ts'
import { EXTENSION } from './extension-types.ts'
import { enterGroup, openWelcome } from './join.ts'
import { type LeafKey, type OwnKeyPackage, type RequestedRoom, makeKeyPackage } from './key-package.ts'
import { contextExtensions, readContext } from './rules/context.ts'
import { admitted } from './rules/admission.ts'
import { type GroupWorld, type Snapshot, CLIENT_CONFIG, guarded, membersOf } from './snapshot.ts'
import { type StreamClaim, decodeStreams, verifyStream } from './stream.ts'
import { type Suite, createSuite } from './suite.ts'
import { leafAt } from './tree-check.ts'

const GROUP_ID_RANDOM = 16

/** The generation of the room, then what makes the group's name its own. */
export const makeGroupId = (generation: number, random: Uint8Array): Uint8Array => concat(new ByteWriter().u32(generation).finish(), random)

/** Undefined where it is not the id of a group of ours. */
export function generationOf(groupId: Uint8Array): number | undefined {
  const r = new ByteReader(groupId)
  const generation = r.u32()
  r.take(GROUP_ID_RANDOM)
  return r.done ? generation : undefined
}

export function createRoom(world: GroupWorld, policies: Snapshot['policies'], generation: number, key: LeafKey): Promise<Result<Snapshot>> {
  return guarded(async () => {
    const suite = createSuite(world.crypto, policies.base.policy.suite)
    const { publicPackage, privatePackage } = await makeKeyPackage(suite, key, undefined, world.clock.unix())
    const groupId = makeGroupId(generation, world.crypto.bytes(GROUP_ID_RANDOM))
    const state = await createGroup(groupId, publicPackage, privatePackage, contextExtensions(policies), suite.impl, CLIENT_CONFIG)
    const members = membersOf(state, suite, world.verify, world.clock.unix())
    if (!members.ok) return members
    const { base, state: decided } = policies
    // Whoever would not be let in does not begin the room either.
    for (const self of members.value.values()) {
      const may = admitted(base.policy, decided.policy, self, world.blocks)
      if (!may.ok) return may
    }
    const remembered = world.policies.admit(policies)
    return remembered.ok ? ok({ suite, state, policies, members: members.value, streams: new Map() }) : remembered
  })
}

export interface Requested extends RequestedRoom {
  readonly suite: Suite['suite']
  readonly own: OwnKeyPackage
}

/** One request, one welcome: the caller forgets the request when this succeeds. */
export function joinRoom(world: GroupWorld, requested: Requested, welcomeBytes: Uint8Array): Promise<Result<Snapshot>> {
  return guarded(async () => {
    const welcome = decodeWelcomeMessage(welcomeBytes)
    if (!welcome.ok) return welcome
    const suite = createSuite(world.crypto, requested.suite)
    const { publicPackage, privatePackage } = requested.own
    const opened = await openWelcome(suite, welcome.value, publicPackage, privatePackage)
    if (!opened.ok) return opened
    const { groupContext, extensions } = opened.value.info
    if (generationOf(groupContext.groupId) === undefined) return err('MLS_WELCOME', 'the id of the group is not of our form')
    const policies = readContext(world.crypto, groupContext.extensions)
    if (!policies.ok) return policies
    const base = policies.value.base.policy
    if (base.room !== requested.room || base.realm !== requested.realm || base.suite !== requested.suite) return err('MLS_WELCOME', 'it leads into another room than the one asked for')

    const state = await enterGroup(suite, opened.value, publicPackage, privatePackage, CLIENT_CONFIG)
    if (!state.ok) return state
    const members = membersOf(state.value, suite, world.verify, world.clock.unix())
    if (!members.ok) return members
    for (const member of members.value.values()) {
      const may = admitted(base, policies.value.state.policy, member, world.blocks, true)
      if (!may.ok) return may
    }
    if (members.value.size > base.maximumMembers) return err('MLS_ROOM_FULL', `${members.value.size} members`)
    const entered: Snapshot = { suite, state: state.value, policies: policies.value, members: members.value, streams: new Map() }
    const streams = readStreams(world, entered, extensions.filter((e) => e.extensionType !== 'ratchet_tree'))
    if (!streams.ok) return streams
    const remembered = world.policies.admit(policies.value)
    return remembered.ok ? ok({ ...entered, streams: streams.value }) : remembered
  })
}

/** The streams that the members announced before we came, each under its own member's signature. */
function readStreams(world: GroupWorld, s: Snapshot, extensions: readonly { readonly extensionType: string | number; readonly extensionData: Uint8Array }[]): Result<Map<number, StreamClaim>> {
  const [extension, ...more] = extensions
  if (extension?.extensionType !== EXTENSION.streams || more.length > 0) return err('MLS_EXTENSIONS', 'a welcome without exactly the list of streams')
  const claims = decodeStreams(extension.extensionData)
  if (!claims.ok) return claims
  const streams = new Map<number, StreamClaim>()
  for (const claim of claims.value) {
    const leaf = leafAt(s.state.ratchetTree, claim.leaf)
    if (leaf === undefined || streams.has(claim.leaf) || !verifyStream(world.crypto, s.state.groupContext.groupId, claim, leaf.signaturePublicKey)) return err('MLS_MESSAGE', `the stream of leaf ${claim.leaf} is not signed by its member`)
    if ([...streams.values()].some((c) => c.ssrc === claim.ssrc)) return err('MLS_STREAM_TAKEN')
    streams.set(claim.leaf, claim)
  }
  return ok(streams)
}

