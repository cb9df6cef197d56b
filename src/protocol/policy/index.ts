/** Rooms' policies and block notices: signed, verified, remembered. No keys of groups: the server reads them too. */
export { BlockList, type SignerRank, mayBlock, readNotice, signNotice } from './block-notice.ts'
export { amend, banNext, decideNext, draftRoom, handOver } from './drafting.ts'
export { PolicyMemory } from './memory.ts'
export { type RoomContent, decodeRooms, encodeRooms } from './room-content.ts'
export { type Ring, readRing, signRing } from './ring.ts'
export { type Policies, type SignedBase, type SignedState, notFollowing, readPolicies, signBase, signState, succeeds, verifyBase, verifyState } from './signed-policy.ts'
