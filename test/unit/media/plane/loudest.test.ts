import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Loudest, newStanding, type Standing } from '../../../../src/media/plane/loudest.ts'
import type { LevelStep } from '../../../../src/protocol/rtp/level-steps.ts'

/** Streams that send a packet every 20 ms with the step that they have just now. */
class Room {
  readonly among: Loudest
  readonly streams: { standing: Standing; step: LevelStep | undefined }[]
  now = 0
  constructor(count: number, streams: number) {
    this.among = new Loudest(count)
    this.streams = Array.from({ length: streams }, () => ({ standing: newStanding(), step: 0 as LevelStep }))
  }
  /** What became of each stream's last packet. */
  pass(ms: number): string[] {
    let verdicts: string[] = []
    for (const end = this.now + ms; this.now < end; this.now += 20) verdicts = this.streams.map((s) => (s.step === undefined ? '-' : this.among.heard(s.standing, s.step, this.now)))
    return verdicts
  }
  get forwarded(): number[] {
    return this.streams.flatMap((s, i) => (s.standing.forwarded ? [i] : []))
  }
  say(...steps: (LevelStep | undefined)[]): void {
    for (const [i, step] of steps.entries()) this.streams[i]!.step = step
  }
}

test('who speaks takes the place of who has been silent longest, at once', () => {
  const room = new Room(2, 3)
  room.say(1, 1, 0)
  room.pass(3000)
  room.say(0, 1, 0)
  room.pass(600)
  room.say(0, 0, 0)
  room.pass(600)
  room.say(0, 0, 1)
  assert.deepEqual(room.pass(20), ['forwarded', 'forwarded', 'begins'])
  assert.deepEqual(room.forwarded, [1, 2])
})

test('a pause within a sentence gives no place away', () => {
  const room = new Room(1, 2)
  room.say(1, 0)
  room.pass(3000)
  room.say(0, 1)
  room.pass(380)
  assert.deepEqual(room.forwarded, [0])
  room.pass(60)
  assert.deepEqual(room.forwarded, [1])
})

test('who is louder than somebody who speaks takes over only when that lasts', () => {
  const room = new Room(1, 2)
  room.say(1, 0)
  room.pass(5000)
  room.say(1, 3)
  room.pass(580)
  assert.deepEqual(room.forwarded, [0])
  // A moment of silence begins anew.
  room.say(1, 0)
  room.pass(20)
  room.say(1, 3)
  room.pass(580)
  room.say(1, 1)
  room.pass(20)
  assert.deepEqual(room.forwarded, [0])
  room.say(1, 3)
  room.pass(640)
  assert.deepEqual(room.forwarded, [1])
})

test('nobody who speaks is cut off within two seconds after having been let in, however loud others are', () => {
  const room = new Room(1, 3)
  room.say(1, undefined, undefined)
  room.pass(5000)
  room.say(1, 2, undefined)
  room.pass(640)
  assert.deepEqual(room.forwarded, [1])
  room.say(1, 2, 3)
  room.pass(1900)
  assert.deepEqual(room.forwarded, [1])
  room.pass(1000)
  assert.deepEqual(room.forwarded, [2])
})

test('a stream of which nothing comes gives way to a silent one, and comes back after a quarter of an hour', () => {
  const room = new Room(1, 2)
  room.say(1, 0)
  room.pass(1000)
  room.say(undefined, 0)
  room.pass(15 * 60_000)
  assert.deepEqual(room.forwarded, [1])
  room.say(2, 0)
  assert.deepEqual(room.pass(20), ['begins', 'dropped'])
})
