/**
 * Verifies the tree in a Welcome (RFC 9420 §12.4.3.1): structure, unmerged leaves, tree hash, parent hashes, leaf
 * signatures. ts-mls's own check refuses valid trees in which an ancestor was refreshed after an Add, and computes
 * parent hashes in quadratic time; with every hash kept it is linear.
 */
import type { GroupContext, LeafNode, ParentNode, RatchetTree } from 'ts-mls'
import { verifyLeafNodeSignature } from 'ts-mls/leafNode.js'
import { encodeParentHashInput } from 'ts-mls/parentHash.js'
import { resolution } from 'ts-mls/ratchetTree.js'
import { encodeLeafNodeHashInput, encodeParentNodeHashInput } from 'ts-mls/treeHash.js'
import { directPath, isLeaf, leafToNodeIndex, leafWidth, left, nodeToLeafIndex, right, rootFromNodeWidth, toLeafIndex, toNodeIndex } from 'ts-mls/treemath.js'
import { sameBytes, toHex } from '../../base/bytes.ts'
import { type Result, err, ok } from '../../base/result.ts'
import { LEAVES_LIMIT } from './limits.ts'
import type { Suite } from './suite.ts'

export const leafAt = (tree: RatchetTree, leaf: number): LeafNode | undefined => {
  const node = tree[leafToNodeIndex(toLeafIndex(leaf))]
  return node?.nodeType === 'leaf' ? node.leaf : undefined
}

const parentAt = (tree: RatchetTree, node: number): ParentNode | undefined => {
  const n = tree[node]
  return n?.nodeType === 'parent' ? n.parent : undefined
}

/** Every occupied leaf with its index. */
export function* leavesOf(tree: RatchetTree): Generator<readonly [number, LeafNode]> {
  for (let leaf = 0; leaf * 2 < tree.length; leaf++) {
    const node = leafAt(tree, leaf)
    if (node !== undefined) yield [leaf, node]
  }
}

const inSubtree = (leaf: number, node: number): boolean => {
  const n = leafToNodeIndex(toLeafIndex(leaf))
  const span = (1 << trailingOnes(node)) - 1
  return n >= node - span && n <= node + span
}

/** The level of a node (RFC 9420 Appendix C). */
function trailingOnes(node: number): number {
  let k = 0
  while (((node >> k) & 1) === 1) k++
  return k
}

class TreeHasher {
  readonly #tree: RatchetTree
  readonly #hash: (bytes: Uint8Array) => Uint8Array
  readonly #kept = new Map<number, Uint8Array>()

  constructor(tree: RatchetTree, hash: (bytes: Uint8Array) => Uint8Array) {
    this.#tree = tree
    this.#hash = hash
  }

  /** §7.8; with `without`, as if those leaves had never been added (§7.9, original_sibling_tree_hash). */
  of(node: number, without: readonly number[] = []): Uint8Array {
    const gone = without.filter((leaf) => inSubtree(leaf, node))
    const kept = gone.length === 0 ? this.#kept.get(node) : undefined
    if (kept !== undefined) return kept
    const hash = this.#hash(isLeaf(toNodeIndex(node)) ? this.#leafInput(node, gone) : this.#parentInput(node, gone))
    if (gone.length === 0) this.#kept.set(node, hash)
    return hash
  }

  #leafInput(node: number, gone: readonly number[]): Uint8Array {
    const leafIndex = nodeToLeafIndex(toNodeIndex(node))
    return encodeLeafNodeHashInput({ nodeType: 'leaf', leafIndex, leafNode: gone.includes(leafIndex) ? undefined : leafAt(this.#tree, leafIndex) })
  }

  #parentInput(node: number, gone: readonly number[]): Uint8Array {
    const parent = parentAt(this.#tree, node)
    const parentNode = parent === undefined || gone.length === 0 ? parent : { ...parent, unmergedLeaves: parent.unmergedLeaves.filter((l) => !gone.includes(l)) }
    const at = toNodeIndex(node)
    return encodeParentNodeHashInput({ nodeType: 'parent', parentNode, leftHash: this.of(left(at), gone), rightHash: this.of(right(at), gone) })
  }
}

/** §7.9.2: P is chained to a node D below it on one side. */
function parentHashValid(tree: RatchetTree, node: number, hasher: TreeHasher, hash: (bytes: Uint8Array) => Uint8Array): boolean {
  const parent = parentAt(tree, node)!
  const at = toNodeIndex(node)
  const sides = [[left(at), right(at)], [right(at), left(at)]] as const
  return sides.some(([child, sibling]) => {
    const expected = hash(encodeParentHashInput({ encryptionKey: parent.hpkePublicKey, parentHash: parent.parentHash, originalSiblingTreeHash: hasher.of(sibling, parent.unmergedLeaves) }))
    const below = resolution(tree, child)
    const unmergedBelow = parent.unmergedLeaves.filter((l) => inSubtree(l, child)).map((l) => l * 2)
    return below.some((d) => {
      const stated = parentHashOf(tree, d)
      return stated !== undefined && sameBytes(stated, expected) && sameSet(below.filter((n) => n !== d), unmergedBelow)
    })
  })
}

function parentHashOf(tree: RatchetTree, node: number): Uint8Array | undefined {
  const n = tree[node]
  if (n?.nodeType === 'parent') return n.parent.parentHash
  return n?.leaf.leafNodeSource === 'commit' ? n.leaf.parentHash : undefined
}

const sameSet = (a: readonly number[], b: readonly number[]): boolean => a.length === b.length && a.every((n) => b.includes(n))

/** §7.1 unmerged_leaves: ascending, occupied, below the node, and known to every occupied node in between. */
function unmergedValid(tree: RatchetTree, node: number): boolean {
  const { unmergedLeaves } = parentAt(tree, node)!
  return unmergedLeaves.every((leaf, i) => {
    if (i > 0 && unmergedLeaves[i - 1]! >= leaf) return false
    if (leafAt(tree, leaf) === undefined || !inSubtree(leaf, node)) return false
    const path = directPath(leafToNodeIndex(toLeafIndex(leaf)), leafWidth(tree.length))
    const between = path.slice(0, path.indexOf(toNodeIndex(node)))
    return between.every((n) => parentAt(tree, n)?.unmergedLeaves.includes(leaf) ?? true)
  })
}

function structure(tree: RatchetTree): string | undefined {
  const encryptionKeys = new Set<string>()
  const signatureKeys = new Set<string>()
  for (const [i, node] of tree.entries()) {
    if (node === undefined) continue
    if ((node.nodeType === 'leaf') !== isLeaf(toNodeIndex(i))) return 'a node in the wrong place'
    const key = toHex(node.nodeType === 'leaf' ? node.leaf.hpkePublicKey : node.parent.hpkePublicKey)
    if (encryptionKeys.has(key)) return 'an encryption key twice'
    encryptionKeys.add(key)
    if (node.nodeType === 'parent') {
      if (!unmergedValid(tree, i)) return 'wrong unmerged leaves'
      continue
    }
    const signature = toHex(node.leaf.signaturePublicKey)
    if (signatureKeys.has(signature)) return 'a signature key twice'
    signatureKeys.add(signature)
    if (node.leaf.leafNodeSource === 'update') return 'a leaf from an Update proposal'
  }
  return undefined
}

/** Everything about a tree that needs no opinion on who its members are. */
export async function checkTree(tree: RatchetTree, context: GroupContext, suite: Suite): Promise<Result<undefined>> {
  if (leafWidth(tree.length) > LEAVES_LIMIT) return err('MLS_TOO_LARGE', 'tree of a welcome')
  const mistake = structure(tree)
  if (mistake !== undefined) return err('MLS_TREE', mistake)
  const hasher = new TreeHasher(tree, suite.hash)
  if (!sameBytes(hasher.of(rootFromNodeWidth(tree.length)), context.treeHash)) return err('MLS_TREE', 'its hash is not the one of the group')
  for (const [i, node] of tree.entries()) {
    if (node?.nodeType === 'parent' && !parentHashValid(tree, i, hasher, suite.hash)) return err('MLS_TREE', 'a parent hash does not verify')
  }
  for (const [leaf, node] of leavesOf(tree)) {
    if (!(await verifyLeafNodeSignature(node, context.groupId, leaf, suite.impl.signature))) return err('MLS_TREE', `the signature of leaf ${leaf} does not verify`)
  }
  return ok(undefined)
}
