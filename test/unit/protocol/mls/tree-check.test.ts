import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ClientState, Node, ParentNode } from 'ts-mls'
import { initializeEpoch } from 'ts-mls/keySchedule.js'
import { treeHashRoot } from 'ts-mls/treeHash.js'
import { toHex } from '../../../../src/base/bytes.ts'
import { must } from '../../../../src/base/result.ts'
import { checkTree } from '../../../../src/protocol/mls/tree-check.ts'
import { craft, stateOf } from '../../../kit/mls-attacker.ts'
import { Stage } from '../../../kit/mls-room.ts'

/** Eight members who all have committed, and a ninth whom some parents do not know yet. */
async function grown(): Promise<{ stage: Stage; state: ClientState; check: (tree: ClientState['ratchetTree']) => Promise<string> }> {
  const stage = new Stage()
  const players = await stage.room(...'ABCDEFGH')
  for (const p of players) await stage.remove(p, [], players.filter((o) => o !== p))
  await stage.remove(players[0]!, [{ leaf: 5, reason: 'unreachable' }], players.filter((_, i) => i !== 0 && i !== 5))
  const stay = players.filter((_, i) => i !== 5)
  await stage.remove(players[4]!, [], stay.filter((p) => p !== players[4]))
  await stage.add(players[1]!, [stage.player('I')], stay.filter((p) => p !== players[1]))
  const state = stateOf(players[2]!)
  const { suite } = players[2]!.group.snapshot
  const check = async (tree: ClientState['ratchetTree']): Promise<string> => {
    // A tree that is no tree has no hash.
    const treeHash = await treeHashRoot(tree, suite.impl.hash).catch(() => new Uint8Array(32))
    const result = await checkTree(tree, { ...state.groupContext, treeHash }, suite)
    return result.ok ? 'sound' : result.fault.message
  }
  return { stage, state, check }
}

test('sound, with unmerged leaves whose ancestors know them', async () => {
  const { state, check } = await grown()
  const unmerged = state.ratchetTree.flatMap((n) => (n?.nodeType === 'parent' ? n.parent.unmergedLeaves : []))
  assert.ok(unmerged.length > 0)
  assert.equal(await check(state.ratchetTree), 'sound')
})

test('unsound in any node', async () => {
  const { stage, state, check } = await grown()
  const bent = (index: number, node: Node | undefined): Promise<string> => check(state.ratchetTree.map((n, i) => (i === index ? node : n)))
  const parents = state.ratchetTree.flatMap((n, i) => (n?.nodeType === 'parent' ? [{ i, parent: n.parent }] : []))
  assert.ok(parents.length >= 3)
  for (const { i, parent } of parents) {
    const as = (changes: Partial<ParentNode>): Promise<string> => bent(i, { nodeType: 'parent', parent: { ...parent, ...changes } })
    assert.match(await as({ hpkePublicKey: stage.crypto.bytes(32) }), /parent hash/)
    assert.match(await as({ parentHash: stage.crypto.bytes(32) }), /parent hash/)
    assert.match(await as({ unmergedLeaves: [...parent.unmergedLeaves, 99] }), /unmerged/)
  }
  const [first, second] = [state.ratchetTree[0], state.ratchetTree[2]]
  assert.ok(first?.nodeType === 'leaf' && second?.nodeType === 'leaf')
  assert.match(await bent(0, { ...first, leaf: { ...first.leaf, signaturePublicKey: second.leaf.signaturePublicKey } }), /signature key twice/)
  assert.match(await bent(0, { ...first, leaf: { ...first.leaf, hpkePublicKey: second.leaf.hpkePublicKey } }), /encryption key twice/)
  // Any change below a parent shows in its parent hash first; a leaf without parents has its signature alone.
  assert.match(await check([{ ...first, leaf: { ...first.leaf, signature: new Uint8Array(64) } }]), /signature of leaf 0/)
  assert.match(await bent(1, first), /wrong place/)
})

test('whoever was removed cannot compute the secrets of one who stays alone', async () => {
  const stage = new Stage()
  const [ann, ben] = await stage.room('Ann', 'Ben')
  const initSecret = stateOf(ben!).keySchedule.initSecret.slice()
  const { next } = await craft(ann!, { proposals: [{ proposalType: 'remove', remove: { removed: 1 } }], removals: [{ leaf: 1, reason: 'unreachable' }] })
  const { kdf } = ann!.group.snapshot.suite.impl
  const zero = new Uint8Array(kdf.size)
  const guessed = await initializeEpoch(initSecret, zero, next.groupContext, zero, kdf)
  assert.notEqual(toHex(guessed.keySchedule.epochAuthenticator), toHex(next.keySchedule.epochAuthenticator))
  assert.ok(must(await ann!.group.propose([], [])).commit.length > 0)
})
