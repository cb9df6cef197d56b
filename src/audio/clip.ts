export function clamp(v: number, low: number, high: number): number {
  if (v > high) return high
  if (v < low) return low
  return v
}

/** To the range of a 16-bit sample; does not round. */
export const clip16 = (v: number): number => clamp(v, -32768, 32767)
