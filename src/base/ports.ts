import type { Instant, UnixTime } from './brand.ts'

/** Time as an argument. Only `net` and `test/kit` implement it over a real or virtual clock. */
export interface Clock {
  now(): Instant
  unix(): UnixTime
}

/** Calls back at an absolute instant. The returned function cancels; calling it twice is harmless. */
export interface Scheduler extends Clock {
  at(when: Instant, run: () => void): () => void
}

/** Randomness as an argument: cryptographic in production, seeded in tests. */
export interface Random {
  bytes(length: number): Uint8Array
}

/** Something that ends. */
export type Stop = () => void
