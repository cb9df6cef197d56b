/** Sequence numbers (16 bits) that wrap, and the packet indices (48 bits) behind them. */

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
