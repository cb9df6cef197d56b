/** Rooms in which the server passes on who is loudest: who is heard, how soon, and from the first sample on. */
import assert from 'node:assert/strict'
import { SILENCE_LEVEL } from '../../src/audio/levels.ts'
import { MediaWorld, type Member, tone, toneIn } from '../kit/media-world.ts'
import { SeededNumbers, seededTest } from '../kit/seeded-random.ts'

const MEMBERS = 24
const LOUDEST = { loudest: { group: 1, count: 5 } }
/** Whole periods in 20 ms, far enough apart for tones whose pitch a player shifts by one per cent. */
const hzOf = (n: number): number => 300 + 200 * n
/** A Hann window: what begins or ends within the piece, or is another tone, leaks little. */
const WINDOW = Float64Array.from({ length: 320 }, (_, i) => 1 - Math.cos((2 * Math.PI * (i + 0.5)) / 320))
const inPiece = (pcm: Int16Array, at: number, hz: number): number => toneIn(pcm.slice(at, at + 320).map((v, i) => v * WINDOW[i]! / 2), hz) * 2
const LISTENERS = [0, 13]
const silentRobot = (record: boolean) => ({ kind: 'pcm', speech: new Int16Array(0), record }) as const

async function room(seed: number, members = MEMBERS): Promise<{ w: MediaWorld; m: Member[] }> {
  const w = await MediaWorld.start(seed)
  const m = Array.from({ length: members }, (_, i) => w.join(`m${i}`, silentRobot(LISTENERS.includes(i)), { forwarding: 'loudest' }))
  w.converse(m, LOUDEST)
  // Everybody gets packets; decoding them all would test the machine.
  for (const [i, x] of m.entries()) if (!LISTENERS.includes(i)) x.command({ op: 'conference.senders', conference: 1, senders: [] })
  await w.clock.advance(1500)
  return { w, m }
}

/** Begins to say its tone now, for so long, then is silent. */
function say(m: Member, n: number, ms: number, amplitude = 8000): void {
  const speech = new Int16Array(16_000 * 60)
  speech.set(tone(hzOf(n), Math.ceil(ms / 1000), amplitude).subarray(0, ms * 16))
  m.command({ op: 'phone.set', phone: 1, media: { kind: 'pcm', speech, record: m.heard.length > 0 } })
}

/** Where a tone begins to be heard and for how long, ms, in pieces of 20. A piece alone is the edge of another tone. */
function heardAt(pcm: Int16Array, hz: number): { at: number; ms: number } {
  const pieces: boolean[] = []
  for (let i = 0; i + 320 <= pcm.length; i += 320) pieces.push(inPiece(pcm, i, hz) > 1000)
  const first = pieces.findIndex((_, i) => pieces[i] === true && pieces[i + 1] === true && pieces[i + 2] === true)
  let last = first
  for (let i = first; i < pieces.length && (pieces[i] === true || pieces[i + 1] === true || pieces[i + 2] === true); i++) if (pieces[i] === true) last = i
  return first < 0 ? { at: Number.POSITIVE_INFINITY, ms: 0 } : { at: 20 * first, ms: 20 * (last - first + 1) }
}

/** Everything heard from when `during` begins until `ms` later. Recordings come in whole seconds. */
async function record(w: MediaWorld, listeners: readonly Member[], ms: number, during: () => Promise<void>): Promise<Int16Array[]> {
  const begins = new Map<Member, number>()
  for (const l of listeners) {
    l.command({ op: 'phone.set', phone: 1, media: silentRobot(true) })
    l.takeHeard()
    await w.clock.until(() => l.heard.length > 0, 2000)
    l.takeHeard()
    begins.set(l, w.clock.now())
  }
  const from = w.clock.now()
  await during()
  await w.clock.advance(Math.max(0, from + ms - w.clock.now()))
  return listeners.map((l) => l.takeHeard().subarray(Math.round(from - begins.get(l)!) * 16))
}

seededTest('one after the other, all 22 are heard by all, soon, and no first syllable is clipped', async (seed, t) => {
  const { w, m } = await room(seed)
  const listeners = LISTENERS.map((i) => m[i]!)
  const random = new SeededNumbers(seed)
  const speakers = Array.from({ length: MEMBERS }, (_, n) => ({ n, at: random.float() })).filter((x) => !LISTENERS.includes(x.n)).sort((a, b) => a.at - b.at).map((x) => x.n)
  const SAYS_MS = 500
  const begins = new Map<number, number>()
  const heard = await record(w, listeners, 18_000, async () => {
    const from = w.clock.now()
    for (const n of speakers) {
      begins.set(n, w.clock.now() - from)
      say(m[n]!, n, SAYS_MS)
      // Anywhere in the 200 ms of a level.
      await w.clock.advance(20 * (27 + random.int(12)))
    }
  })
  let latest = 0
  for (const pcm of heard) {
    for (const n of speakers) {
      const { at, ms } = heardAt(pcm, hzOf(n))
      assert.ok(ms >= SAYS_MS - 40, `m${n} said ${SAYS_MS} ms, ${ms} ms of them are heard`)
      const delay = at - begins.get(n)!
      assert.ok(delay >= -20, `heard ${-delay} ms before it was said`)
      latest = Math.max(latest, delay)
    }
  }
  t.diagnostic(`a new speaker is heard within ${latest} ms`)
  assert.ok(latest <= 420, `the slowest change of speakers took ${latest} ms`)
  w.stop()
})

seededTest('of nine who speak at once the five loudest are heard, and who was let in is not cut off for the next best', async (seed) => {
  const { w, m } = await room(seed, 14)
  const listeners = LISTENERS.map((i) => m[i]!)
  const soft = [1, 2, 3, 4]
  const loud = [5, 6, 7, 8, 9]
  const heard = await record(w, listeners, 7000, async () => {
    for (const n of soft) say(m[n]!, n, 20_000, 900)
    await w.clock.advance(1500)
    for (const n of loud) say(m[n]!, n, 20_000, 9000)
  })
  for (const pcm of heard) {
    const early = pcm.subarray(700 * 16, 1500 * 16)
    const late = pcm.subarray(5000 * 16, 6500 * 16)
    for (const n of soft) assert.ok(toneIn(early, hzOf(n)) > 200, `soft m${n} alone is heard`)
    for (const n of loud) assert.ok(heardAt(late, hzOf(n)).ms > 1400, `loud m${n}`)
    for (const n of soft) assert.ok(toneIn(late, hzOf(n)) < 60, `soft m${n} is not passed on any more`)
  }
  // All equally loud: the five stay the five.
  const sent = (): number[] => m.map((x) => listeners[0]!.sender(x)?.received ?? 0)
  for (const n of soft) say(m[n]!, n, 20_000, 9000)
  await w.clock.advance(1000)
  const before = sent()
  await w.clock.advance(3000)
  const came = sent().map((n, i) => n - before[i]!)
  for (const n of loud) assert.ok(came[n]! > 90, `m${n} was heard all the time`)
  for (const n of soft) assert.equal(came[n], 0)
  w.stop()
})

seededTest('the uplink is the same in size and rate whatever is said, and five streams come down even in silence', async (seed) => {
  const { w, m } = await room(seed, 8)
  const up = new Map<number, number>()
  let packets = 0
  w.net.capture((p) => {
    if (p.from.address !== m[1]!.host.address || p.data[1] !== 96) return
    packets++
    up.set(p.data.length, (up.get(p.data.length) ?? 0) + 1)
    assert.equal(p.data[0]! & 0x10, 0x10, 'every packet has its level')
  })
  const phases: (() => void)[] = [() => {}, () => say(m[1]!, 1, 10_000), () => say(m[1]!, 1, 10_000, 500), () => m[1]!.command({ op: 'conference.mute', conference: 1, muted: true }), () => m[1]!.command({ op: 'phone.close', phone: 1 })]
  const counts: number[] = []
  for (const phase of phases) {
    phase()
    packets = 0
    await w.clock.advance(1000)
    counts.push(packets)
  }
  assert.deepEqual([...new Set(counts)], [50])
  assert.equal(up.size, 1)
  const before = w.plane.stats()[0]!.sent
  await w.clock.advance(1000)
  assert.ok(w.plane.stats()[0]!.sent - before >= 4 * 50, 'listeners can tell silence from an outage')
  w.stop()
})

seededTest('what the server learns of a level: four values, each for 200 ms', async (seed) => {
  const { w, m } = await room(seed, 3)
  const levels: number[] = []
  w.net.capture((p) => {
    if (p.from.address === m[1]!.host.address && p.data[1] === 96) levels.push(p.data[17]! & 0x7f)
  })
  const random = new SeededNumbers(seed)
  for (let i = 0; i < 20; i++) {
    say(m[1]!, 1, 60 + random.int(400), 30 * 2 ** random.int(9))
    await w.clock.advance(20 * (5 + random.int(30)))
  }
  assert.ok(new Set(levels).size > 2 && new Set(levels).size <= 4 && levels.includes(SILENCE_LEVEL))
  const changes = levels.flatMap((l, i) => (i > 0 && levels[i - 1] !== l ? [i] : []))
  assert.ok(changes.every((at) => (at - changes[0]!) % 10 === 0), 'a level changes on a grid of ten frames only')
  w.stop()
})

seededTest('losses and jitter: new speakers are still heard from the beginning', async (seed) => {
  const { w, m } = await room(seed, 14)
  for (const x of m) x.host.set({ loss: 0.02, jitterMs: 25 })
  const listeners = LISTENERS.map((i) => m[i]!)
  const SAYS_MS = 600
  const heard = await record(w, listeners, 7000, async () => {
    for (let n = 1; n <= 6; n++) {
      say(m[n]!, n, SAYS_MS)
      await w.clock.advance(800)
    }
  })
  for (const pcm of heard) {
    for (let n = 1; n <= 6; n++) {
      const { ms } = heardAt(pcm, hzOf(n))
      assert.ok(ms >= SAYS_MS * 0.85, `m${n}: ${ms} of ${SAYS_MS} ms`)
    }
  }
  w.stop()
})
