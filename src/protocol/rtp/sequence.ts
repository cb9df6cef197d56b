/** Numbers that wrap: sequence numbers (16 bits), timestamps (32 bits), SRTP indices (48 bits). */

const SEQUENCES = 0x10000
const HALF = 0x8000

/**
 * The packet index that a sequence number most likely stands for, given the highest index seen
 * (RFC 3711 §3.3.1 and appendix A; RFC 3550 A.1). Index = ROC · 2^16 + sequence, exact in a number.
 * Before the first rollover there is nothing to go back to: then a sequence far ahead is taken as a jump.
 */
export function estimateIndex(highest: number, sequence: number): number {
  const highestSequence = highest % SEQUENCES
  const rolled = highest - highestSequence
  const difference = sequence - highestSequence
  if (difference > HALF && rolled > 0) return rolled - SEQUENCES + sequence
  if (difference < -HALF) return rolled + SEQUENCES + sequence
  return rolled + sequence
}

/** Signed distance from `a` to `b` around the circle of 2^32 (RTP timestamps). */
export const timestampDistance = (a: number, b: number): number => (b - a) | 0

/** Signed distance from `a` to `b` around the circle of 2^16. */
export const sequenceDistance = (a: number, b: number): number => ((b - a) << 16) >> 16
