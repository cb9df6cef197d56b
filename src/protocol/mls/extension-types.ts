/** Extension numbers of stc, from the private range of RFC 9420 §17.3. */
export const EXTENSION = {
  /** GroupContext: the owner's policy, and the state that a host last gave it. */
  basePolicy: 0xf5c1,
  statePolicy: 0xf5c2,
  /** KeyPackage: what it was made for. */
  request: 0xf5c3,
  /** GroupInfo in a Welcome: the announced streams of the members. */
  streams: 0xf5c4,
} as const
