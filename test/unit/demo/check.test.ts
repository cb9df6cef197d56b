/** What `--check` counts and when: a machine that stalls in a moment where it may is not judged for it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type CheckOptions, eachAlone, settled } from '../../../src/demo/check.ts'
import type { MemberView } from '../../../src/demo/cast.ts'
import type { Order } from '../../../src/demo/script.ts'
import { SeededNumbers } from '../../kit/seeded-random.ts'

const NAMES = ['Robin', 'Harper', 'Meadow']
const numbers = new SeededNumbers('check')
const speech = NAMES.map(() => Int16Array.from({ length: 48_000 }, () => (numbers.u32() % 20_000) - 10_000))
const silence = new Int16Array(48_000)

/** A cast that goes on by one step of its story whenever somebody waits for it. */
class StagedCast {
  readonly members: MemberView[]
  readonly story: (() => void)[] = []
  speaker = -1
  /** How often a speaker hears itself before its piece is good. */
  echoes = [0, 0, 0]
  pieces = [0, 0, 0]
  epoch = 3n
  unopened = 0
  #cuts = 0

  constructor() {
    const order = (i: number) => (o: Order): void => {
      if (o.kind === 'mute' && !o.on) this.speaker = i
    }
    this.members = NAMES.map((name, i) => ({ name, child: { order: order(i) }, roster: undefined, wholeSince: 3n, joinMs: 1, stats: undefined }) as unknown as MemberView)
    this.report()
  }
  report(): void {
    const senders = [{ received: 100, lost: 0, unopened: this.unopened }]
    for (const m of this.members) {
      m.stats = { kind: 'stats', senders, sent: 0, lateTicks: 0, dialledAt: 0 } as unknown as NonNullable<MemberView['stats']>
      m.roster = { epoch: this.epoch, securityCode: '1', members: NAMES.map((n) => ({ state: 'member', identity: { subject: n, keyId: n } })) } as unknown as NonNullable<MemberView['roster']>
    }
  }
  agreed = (): boolean => true
  get updated(): boolean {
    return this.epoch > 3n
  }
  async until(condition: () => boolean): Promise<boolean> {
    for (let i = 0; i < 10 && !condition(); i++) {
      this.story.shift()?.()
      this.report()
    }
    return condition()
  }
  async cut(): Promise<Int16Array[]> {
    // Time passes for those who do not wait as well; statistics come later.
    this.story.shift()?.()
    // The first of each pair is thrown away.
    const alone = this.speaker >= 0 && ++this.#cuts % 2 === 0
    return this.members.map((_, i) => (alone && i === this.speaker && this.echoes[i]! >= ++this.pieces[i]! ? speech[i]! : silence))
  }
}
const of = (cast: StagedCast): CheckOptions => ({ cast: cast as unknown as CheckOptions['cast'], tap: { packets: [] }, speech, talkMs: 1, aloneMs: 1, settleMs: 1 })

test('it counts from fresh statistics, after the keys that follow on the last join: a frame refused in that change is not counted', async () => {
  const cast = new StagedCast()
  cast.story.push(() => {}, () => {
    cast.epoch = 4n
  }, () => {
    cast.unopened = 1
  })
  // Each of the three has it among its counts from before.
  assert.deepEqual(await settled(of(cast)), { received: 300, lost: 0, unopened: 3 })
  assert.equal(cast.epoch, 4n)
})

test('a speaker that heard itself in one piece gets another, and no more than three', async () => {
  const cast = new StagedCast()
  cast.echoes = [1, 0, 9]
  const heard = await eachAlone(of(cast))
  assert.deepEqual(cast.pieces, [2, 1, 3])
  assert.deepEqual(heard.map((h, i) => h[i] === speech[i]), [false, false, true])
})
