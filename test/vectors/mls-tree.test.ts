/** RFC 9420 vectors of trees. */
import assert from 'node:assert/strict'
import { decodeProposal } from 'ts-mls/proposal.js'
import { addLeafNode, decodeRatchetTree, encodeRatchetTree, type RatchetTree, removeLeafNode, updateLeafNode } from 'ts-mls/ratchetTree.js'
import { treeHashRoot } from 'ts-mls/treeHash.js'
import { isLeaf, left, nodeWidth, parent, right, root, sibling, toLeafIndex, toNodeIndex } from 'ts-mls/treemath.js'
import { toHex } from '../../src/base/bytes.ts'
import { must } from '../../src/base/result.ts'
import { decodeExactly } from '../../src/protocol/mls/codec.ts'
import { WELCOME_LIMIT } from '../../src/protocol/mls/limits.ts'
import { hex, suite, vectors } from '../kit/mls-vectors.ts'

interface TreeMath { n_leaves: number; n_nodes: number; root: number; left: (number | null)[]; right: (number | null)[]; parent: (number | null)[]; sibling: (number | null)[] }
vectors<TreeMath>('tree-math', 'relations of nodes', (v) => {
  assert.equal(nodeWidth(v.n_leaves), v.n_nodes)
  const top = root(v.n_leaves)
  assert.equal(top, v.root)
  for (let i = 0; i < v.n_nodes; i++) {
    const n = toNodeIndex(i)
    assert.deepEqual(isLeaf(n) ? [null, null] : [left(n), right(n)], [v.left[i], v.right[i]])
    assert.deepEqual(n === top ? [null, null] : [parent(n, v.n_leaves), sibling(n, v.n_leaves)], [v.parent[i], v.sibling[i]])
  }
})

interface TreeOperation { tree_before: string; proposal: string; proposal_sender: number; tree_hash_before: string; tree_after: string; tree_hash_after: string }
vectors<TreeOperation>('tree-operations', 'Add, Update, Remove', async (v) => {
  const before = must(decodeExactly('tree', WELCOME_LIMIT, hex(v.tree_before), decodeRatchetTree, encodeRatchetTree))
  assert.equal(toHex(await treeHashRoot(before, suite.impl.hash)), v.tree_hash_before)
  const after = applied(before, v)
  assert.equal(toHex(encodeRatchetTree(after)), v.tree_after)
  assert.equal(toHex(await treeHashRoot(after, suite.impl.hash)), v.tree_hash_after)
})

function applied(tree: RatchetTree, v: TreeOperation): RatchetTree {
  const p = decodeProposal(hex(v.proposal), 0)![0]
  if ('add' in p) return addLeafNode(tree, p.add.keyPackage.leafNode)[0]
  if ('remove' in p) return removeLeafNode(tree, toLeafIndex(p.remove.removed))
  assert.ok('update' in p)
  return updateLeafNode(tree, p.update.leafNode, toLeafIndex(v.proposal_sender))
}
