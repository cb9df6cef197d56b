/** What all groups of a vault share. */
import type { Clock } from '../../base/ports.ts'
import type { CryptoPort } from '../../crypto/port.ts'
import { BlockList, mayBlock, PolicyMemory } from '../../protocol/policy/index.ts'
import { UsedRequests } from '../../protocol/mls/rules/additions.ts'
import type { GroupWorld } from '../../protocol/mls/snapshot.ts'

export { BlockList, type GroupWorld, mayBlock }

export const groupWorld = (crypto: CryptoPort, clock: Clock, verify: GroupWorld['verify']): GroupWorld => ({ crypto, clock, verify, policies: new PolicyMemory(), used: new UsedRequests(), blocks: new BlockList() })
