/**
 * The private keys that we derived must fit the public keys in the tree (RFC 9420 §7.5, §12.4.3.1). ts-mls does not
 * look: a committer could hand out a path whose keys nobody but itself has.
 */
import type { ClientState } from 'ts-mls'
import { getHpkePublicKey } from 'ts-mls/ratchetTree.js'
import { sameBytes } from '../../base/bytes.ts'
import type { Suite } from './suite.ts'

/** True where every private key that is not in `before` belongs to the node at its index. */
export function pathKeysFit(suite: Suite, next: ClientState, before: ClientState['privatePath']['privateKeys']): boolean {
  return Object.entries(next.privatePath.privateKeys).every(([index, privateKey]) => {
    if (before[Number(index)] === privateKey) return true
    const node = next.ratchetTree[Number(index)]
    return node === undefined || sameBytes(suite.publicOf(privateKey), getHpkePublicKey(node))
  })
}
