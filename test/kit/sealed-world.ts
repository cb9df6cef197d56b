/** Several phones behind several clients at one provider, for tests that hold many calls one after the other: starting them is what takes long. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { hears } from './hears.ts'
import type { Phone } from './phones/phone.ts'
import { until } from './processes.ts'
import type { StcClient } from './stc.ts'
import { toneBelow } from './tones.ts'
import { part, type Pcm, seconds } from './wav.ts'

export const SEALED = /Only you and the other side can hear this/g
export const SEALED_MS = 12_000
/** A call that took too long is made again: whether it can be sealed in time is the question, not whether the machine had time just then. */
const ATTEMPTS = 4

/** A client's terminal from a moment on. */
export class Screen {
  readonly client: StcClient
  #from = 0

  constructor(client: StcClient) {
    this.client = client
  }
  /** What was said so far is not looked at any more. */
  skip(): void {
    this.#from = this.client.process.output().length
  }
  get said(): string {
    return this.client.process.output().slice(this.#from)
  }
  /** To compare, each once. */
  get words(): ReadonlySet<string> {
    return new Set([...this.said.matchAll(/compare aloud: (.+)/g)].map((m) => m[1]!.trim()))
  }
  /** Resolves when it was said so many times. */
  says(what: RegExp, timeoutMs = 15_000, times = 1): Promise<readonly RegExpMatchArray[]> {
    const all = new RegExp(what.source, [...new Set(`${what.flags}g`)].join(''))
    const found = (): readonly RegExpMatchArray[] | undefined => {
      const matches = [...this.said.matchAll(all)]
      return matches.length >= times ? matches : undefined
    }
    return until(timeoutMs, `${what} ${times} times on a terminal`, found, () => this.said.slice(-2000), 50)
  }
}

/** Tones cross over, the signal of a sealed call is mixed in for its first second. */
const SETTLE = 1.3
const LOOK = 1.6

export async function heardFromNow(phone: Phone, length: number, settle = 0): Promise<Pcm> {
  const from = seconds(phone.heard())
  await until(15_000, `${length} s of sound at ${phone.uri}`, () => seconds(phone.heard()) >= from + settle + length || undefined, undefined, 100)
  return part(phone.heard(), from + settle, from + settle + length)
}

/**
 * None of these tones, and nothing else that is louder than a room's noise: −50 dB of full scale. In a piece that comes soon: what was before, and the
 * signal that tells of it, may go on for a while on a busy machine. What is let through goes on.
 */
export async function hearsNothing(phone: Phone, length = LOOK, settle = 0.6): Promise<void> {
  const from = seconds(phone.heard()) + settle
  let seen = 'no sound'
  await until(10_000, `silence at ${phone.uri}`, () => {
    const all = phone.heard()
    if (seconds(all) < from + length) return undefined
    const { samples } = part(all, seconds(all) - length)
    const rms = Math.sqrt(samples.reduce((n, s) => n + s * s, 0) / samples.length)
    seen = `it hears something: ${Math.round(rms)} of 32767`
    return rms < 100 || undefined
  }, () => seen, 200)
}

/** Two phones behind two clients. */
export interface Pair {
  readonly caller: Phone
  readonly callee: Phone
  /** What the caller dials. */
  readonly number: string
  /** What each hears. */
  readonly hz: readonly [caller: number, callee: number]
}

/** All pairs call at the same time: sealed soon after the answer, the same words on both ends, heard both ways. They go on talking. Gives how often they called; `again` is told before they call once more. */
export async function callSealed(t: TestContext, pairs: readonly Pair[], screens: readonly Screen[], withinMs: number, again: () => void = () => {}): Promise<number> {
  let calls = 1
  for (; ; calls++) {
    for (const s of screens) s.skip()
    const sealedMs = await untilSealed(pairs, screens)
    t.diagnostic(`sealed ${sealedMs} ms after the answer`)
    if (sealedMs < withinMs) break
    assert.ok(calls < ATTEMPTS, `${sealedMs} ms, ${calls} times too late`)
    await hangUp(pairs)
    again()
  }
  await until(15_000, 'the same words on both terminals', () => sameWords(screens, pairs.length) || undefined, () => screens.map((s) => [...s.words].join(', ')).join(' | '), 50)
  await Promise.all(pairs.flatMap(({ caller, callee, hz }) => [hears(caller, hz[0], { settle: SETTLE }), hears(callee, hz[1], { settle: SETTLE })]))
  return calls
}
/** Milliseconds from the last answer until all terminals have said so. */
async function untilSealed(pairs: readonly Pair[], screens: readonly Screen[]): Promise<number> {
  const answered = await Promise.all(pairs.map(async ({ caller, callee, number }) => {
    for (const p of [caller, callee]) p.events.skip()
    caller.dial(number)
    await caller.events.next('established')
    return performance.now()
  }))
  await Promise.all(screens.map(async (s) => {
    await s.says(SEALED, SEALED_MS, pairs.length)
    // One call that was lost and is back says so twice; each has words of its own.
    await until(SEALED_MS, `${pairs.length} sealed calls on a terminal`, () => s.words.size >= pairs.length || undefined, () => s.said.slice(-2000), 50)
  }))
  return Math.round(performance.now() - Math.max(...answered))
}

export async function hangUp(pairs: readonly Pair[]): Promise<void> {
  await Promise.all(pairs.map(async ({ caller, callee }) => {
    callee.hangup()
    await Promise.all([caller.events.next('closed'), callee.events.next('closed')])
  }))
}

const sameWords = (screens: readonly Screen[], calls: number): boolean =>
  new Set(screens.map((s) => [...s.words].sort().join('\n'))).size === 1 && screens.every((s) => s.words.size >= calls)

/** Of 32767: −30 dB of full scale. What is sealed is as loud as a codec can say; silence says nothing of what was sealed. */
const NOISE = 1000

/** As loud as noise, and no more of any voice's tone than of what lies beside it. */
export function assertNoise(pcm: Pcm, voices: readonly number[]): void {
  const rms = Math.sqrt(pcm.samples.reduce((n, s) => n + s * s, 0) / Math.max(1, pcm.samples.length))
  assert.ok(rms > NOISE, `what the server has is no noise: ${Math.round(rms)} of 32767`)
  for (const hz of voices) assert.ok(toneBelow(pcm, hz, [hz - 200, hz + 200]) > -10, `in what the server has is a tone of ${hz} Hz`)
}
