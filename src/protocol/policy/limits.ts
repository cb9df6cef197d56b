/** How much of a stranger's policy is looked at. */

/** Base and state policy, each, in octets. */
export const POLICY_LIMIT = 48 * 1024
/** Owners, hosts, or entries of the list of who may join. */
export const LIST_LIMIT = 1000
/** Leaves of a group, whatever its policy says. */
export const LEAVES_LIMIT = 1024
/** A block notice, with its signature and the keys. */
export const NOTICE_LIMIT = 3 * 1024
/** A word that asks somebody into a room. */
export const RING_LIMIT = 3 * 1024
