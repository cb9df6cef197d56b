/** How much of a stranger's message is looked at, in octets unless said otherwise. */

export const KEY_PACKAGE_LIMIT = 32 * 1024
export const COMMIT_LIMIT = 512 * 1024
export const WELCOME_LIMIT = 1024 * 1024
export const APPLICATION_LIMIT = 4 * 1024
export const CREDENTIAL_LIMIT = 24 * 1024
/** Proposals in one commit: a whole room may go, or come, at once. */
export const PROPOSALS_LIMIT = 512
export { LEAVES_LIMIT } from '../policy/limits.ts'

/** Longest life of a request to join, seconds. */
export const REQUEST_LIFE_S = 120
/** How far two honest clocks may differ, seconds. */
export const CLOCK_SKEW_S = 30
/** Longest life of a leaf as its key package states it: that of a delegation, seconds. */
export const LEAF_LIFE_S = 24 * 3600
/** How long messages of the epoch before the current one are still taken, milliseconds. */
export const OLD_EPOCH_MS = 10_000
