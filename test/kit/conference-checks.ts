/** What must be true of a conference once it has come to rest. */
import assert from 'node:assert/strict'
import { ConferenceWorld, type WorldMember, type WorldOptions } from './conference-world.ts'
import { heardShare, toneIn } from './room-tones.ts'

/** Whole periods in 20 ms, so that one does not leak into the measure of another. */
export const TONES = [400, 700, 1100, 1600, 2200, 2900] as const

/** A world that ends with the test. */
export async function worldFor(t: { after(run: () => void): void }, options: WorldOptions = {}): Promise<ConferenceWorld> {
  const w = await ConferenceWorld.start(options)
  t.after(() => w.stop())
  return w
}

/** Comes to rest: one roster, one code, streams of exactly these. */
export async function agree(w: ConferenceWorld, members: readonly WorldMember[], limitMs = 30_000): Promise<void> {
  const streams = (): string => w.streams.map((s) => s.session).sort().join()
  const wanted = (): string => members.map((m) => m.session).sort().join()
  try {
    await w.until(() => w.agreed(members) && streams() === wanted(), limitMs, 'agreement')
  } catch (cause) {
    const seen = members.map((m) => `${m.name}: ${m.roster.phase} ${m.roster.epoch} ${m.roster.securityCode.slice(0, 5)} [${m.names}] ${m.over?.code ?? ''} ${m.noteCodes.slice(-4)}`)
    throw new Error(`no agreement at ${w.clock.now()}\n${seen.join('\n')}\nstreams ${streams()}\nserver: ${w.notes.slice(-6).join('; ')}`, { cause })
  }
}

/** Runs `ms`, and on until every phone has reported it. Gives the instant at which it began. */
export async function listen(w: ConferenceWorld, ms: number): Promise<number> {
  const from = w.clock.now()
  await w.run(ms + 1050)
  return from
}

/** Each of these hears all others and not itself, for `ms`. */
export async function hearEachOther(w: ConferenceWorld, members: readonly WorldMember[], ms = 1000, share = 1): Promise<void> {
  const from = await listen(w, ms)
  for (const m of members) {
    const pcm = m.heardBetween(from, from + ms)
    for (const other of members) {
      if (other === m) assert.equal(heardShare(pcm, m.hz, 1000), 0, `${m.name} hears itself`)
      else assert.ok(heardShare(pcm, other.hz, 4000) >= share, `${m.name} hears ${other.name} in ${heardShare(pcm, other.hz, 4000)} of the time`)
    }
  }
}

/** Share of the time in which `m` hears `of` during `ms` from now. */
export async function shareHeard(w: ConferenceWorld, m: WorldMember, of: WorldMember, ms = 1000): Promise<number> {
  const from = await listen(w, ms)
  return heardShare(m.heardBetween(from, from + ms), of.hz, 4000)
}

/** The longest time for which `m` did not hear `of` between two instants, ms, in steps of 20. */
export function longestGap(m: WorldMember, of: WorldMember, fromMs: number, toMs: number): number {
  const pcm = m.heardBetween(fromMs, toMs)
  let longest = 0
  let gap = 0
  for (let at = 0; at + 320 <= pcm.length; at += 320) {
    gap = toneIn(pcm.subarray(at, at + 320), of.hz) < 800 ? gap + 20 : 0
    longest = Math.max(longest, gap)
  }
  return longest
}
