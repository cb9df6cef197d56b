/** What a member that keeps to no rule can do: commits with the library's own parts, bent as needed. */
import type { CiphersuiteImpl, ClientState, LeafNode, Proposal } from 'ts-mls'
import { createCommit } from 'ts-mls/createCommit.js'
import { emptyPskIndex } from 'ts-mls/pskIndex.js'
import { leafToNodeIndex, toLeafIndex } from 'ts-mls/treemath.js'
import assert from 'node:assert/strict'
import { fromUtf8 } from '../../src/base/bytes.ts'
import { type Result, must } from '../../src/base/result.ts'
import { decodeCommitMessage, encodeCommitMessage } from '../../src/protocol/mls/codec.ts'
import { type BuiltCommit, buildCommit } from '../../src/protocol/mls/commit-builder.ts'
import { encodeRemovals, type Removal } from '../../src/protocol/mls/removal.ts'
import type { Player } from './mls-room.ts'

export const stateOf = (p: Player): ClientState => p.group.snapshot.state

export interface Crafted {
  readonly proposals?: readonly Proposal[]
  readonly removals?: readonly Removal[]
  /** Replaces the authenticated data altogether. */
  readonly reasons?: Uint8Array
  readonly impl?: Partial<CiphersuiteImpl>
  readonly state?: Partial<ClientState>
}

/** A commit with a path, with whatever in it. */
export function craft(by: Player, c: Crafted = {}): Promise<BuiltCommit> {
  const { suite, state } = by.group.snapshot
  const impl = { ...suite.impl, ...c.impl }
  return buildCommit({ ...suite, impl }, { ...state, ...c.state }, c.proposals ?? [], c.reasons ?? encodeRemovals(c.removals ?? []), [])
}

/** The commit with other proposals than it was signed for: what must be refused before any signature is looked at. */
export function withProposals(commit: Uint8Array, proposals: readonly Proposal[]): Uint8Array {
  const message = must(decodeCommitMessage(commit))
  assert.ok(message.content.contentType === 'commit')
  const byValue = proposals.map((proposal) => ({ proposalOrRefType: 'proposal' as const, proposal }))
  return encodeCommitMessage({ ...message, content: { ...message.content, commit: { ...message.content.commit, proposals: byValue } } })
}

/** The library's own commit: without a path where it finds none necessary, with references to what is stored. */
export async function libraryCommit(by: Player, proposals: readonly Proposal[], state: ClientState = stateOf(by)): Promise<Uint8Array> {
  const { commit } = await createCommit({ state, pskIndex: emptyPskIndex, cipherSuite: by.group.snapshot.suite.impl }, { wireAsPublicMessage: true, extraProposals: [...proposals], authenticatedData: encodeRemovals([]), ratchetTreeExtension: true })
  assert.ok(commit.wireformat === 'mls_public_message')
  return encodeCommitMessage(commit.publicMessage)
}

/** The state in which the committer's own leaf is another one. */
export function withOwnLeaf(state: ClientState, change: (leaf: LeafNode) => LeafNode): ClientState {
  const at = leafToNodeIndex(toLeafIndex(state.privatePath.leafIndex))
  const tree = state.ratchetTree.slice()
  const node = tree[at]
  assert.ok(node?.nodeType === 'leaf')
  tree[at] = { nodeType: 'leaf', leaf: change(node.leaf) }
  return { ...state, ratchetTree: tree }
}

/** Signs the leaf with another key than everything else. */
export function signingLeafWith(impl: CiphersuiteImpl, key: Uint8Array): CiphersuiteImpl['signature'] {
  const label = 'LeafNodeTBS'
  return { ...impl.signature, sign: (own, message) => impl.signature.sign(fromUtf8(message.slice(1, 64).filter((b) => b < 0x80))?.includes(label) === true ? key : own, message) }
}

/** Refused with this code, and nothing changed. */
export async function assertRefused(victim: Player, commit: Uint8Array, code: string): Promise<void> {
  const before = victim.group.snapshot
  const r = await victim.group.apply(commit)
  assert.equal(codeOf(r), code)
  assert.equal(victim.group.snapshot, before)
}

export const codeOf = (r: Result<unknown>): string => (r.ok ? 'accepted' : r.fault.code)
