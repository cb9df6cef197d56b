import type { Random } from './ports.ts'

/** A number in [0, 1) for spreading things in time; 32 bits of it are random. */
export const chance = (random: Random): number => {
  const b = random.bytes(4)
  return (((b[0]! << 24) | (b[1]! << 16) | (b[2]! << 8) | b[3]!) >>> 0) / 2 ** 32
}
