/** Somebody asks somebody else into a room, now: what a telephone does when it rings. */

/** How ringing ended. `unreachable`: nobody of that name is connected to the server. */
export const RING_ENDS = ['answered', 'declined', 'busy', 'cancelled', 'unanswered', 'unreachable'] as const
export type RingEnd = (typeof RING_ENDS)[number]

/** Whom it is for: a key (`Identity.keyId`), or a mail address as in certificates. */
export const RING_TO = /^(?:[0-9a-f]{64}|[^\s@]{1,64}@[^\s@]{1,190})$/

/** Octets of the number of a ring. */
export const RING_ID = 16

/** As it is compared and signed. */
export const ringTo = (text: string): string => text.trim().toLowerCase()
export const isMail = (to: string): boolean => to.includes('@')
