/** Randomness that repeats, and the seed in the message of a test that failed. */
import type { TestContext } from 'node:test'
import { test } from 'node:test'
import type { Random } from '../../src/base/ports.ts'

/** sfc32: small, fast, good enough for everything that is not a secret. */
export class SeededNumbers {
  #a: number
  #b: number
  #c: number
  #d = 1
  constructor(seed: number | string) {
    let h = 0x9e3779b9
    for (const c of String(seed)) h = Math.imul(h ^ c.codePointAt(0)!, 0x85ebca6b) ^ (h >>> 13)
    this.#a = h >>> 0
    this.#b = Math.imul(h, 0xc2b2ae35) >>> 0
    this.#c = ~h >>> 0
    for (let i = 0; i < 15; i++) this.u32()
  }
  u32(): number {
    const t = (((this.#a + this.#b) | 0) + this.#d) | 0
    this.#d = (this.#d + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + t | 0
    return t >>> 0
  }
  /** In [0, 1). */
  float(): number {
    return this.u32() / 0x1_0000_0000
  }
  /** Integer in [0, below). */
  int(below: number): number {
    return Math.floor(this.float() * below)
  }
  chance(probability: number): boolean {
    return probability > 0 && this.float() < probability
  }
  pick<T>(from: readonly T[]): T {
    return from[this.int(from.length)]!
  }
}

/** The `Random` port, repeatable. */
export class SeededRandom implements Random {
  readonly #numbers: SeededNumbers
  constructor(seed: number | string) {
    this.#numbers = new SeededNumbers(seed)
  }
  bytes(length: number): Uint8Array {
    const out = new Uint8Array(length)
    for (let i = 0; i < length; i++) out[i] = this.#numbers.u32() & 0xff
    return out
  }
}

/** A test with a seed: a fixed one, or `STC_SEED` from the environment. A failure names it. */
export function seededTest(name: string, run: (seed: number, t: TestContext) => void | Promise<void>, fixed = 1): void {
  const seed = Number(process.env['STC_SEED'] ?? fixed)
  test(name, async (t) => {
    try {
      await run(seed, t)
    } catch (cause) {
      t.diagnostic(`seed ${seed}: repeat with STC_SEED=${seed}`)
      throw cause
    }
  })
}
