import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Ssrc, ssrc } from '../../../src/base/brand.ts'
import { createNodeCrypto } from '../../../src/crypto/node/index.ts'
import { FrameEngine } from '../../../src/vault/inside/frame-engine.ts'
import { VirtualClock } from '../../kit/virtual-clock.ts'

const crypto = createNodeCrypto()
const baseKey = (epoch: bigint): Uint8Array => crypto.hash('sha256', Uint8Array.of(Number(epoch))).subarray(0, 16)
const VOICE = Uint8Array.of(20, 1, 2, 3)
const ANN = { leaf: 0, ssrc: ssrc(100) }
const BEN = { leaf: 1, ssrc: ssrc(101) }

class Person {
  readonly engine: FrameEngine
  readonly who: { leaf: number; ssrc: Ssrc }
  constructor(clock: VirtualClock, who: { leaf: number; ssrc: Ssrc }) {
    this.engine = new FrameEngine(crypto, clock)
    this.who = who
    this.engine.command({ op: 'begin', session: 1, codec: 'g722' })
  }
  prepare(epoch: bigint, leaves = [0, 1], removed: number[] = []): void {
    this.engine.command({ op: 'epoch', session: 1, epoch, baseKey: baseKey(epoch), leaves, ownLeaf: this.who.leaf, removed })
  }
  move(epoch: bigint, streams: [number, Ssrc][], removed: number[] = []): void {
    this.prepare(epoch, [0, 1], removed)
    this.engine.command({ op: 'confirm', session: 1, epoch, ownLeaf: this.who.leaf, streams })
  }
  says(timestamp: number): Uint8Array {
    const [f] = this.engine.run({ op: 'seal', session: 1, frames: [{ ssrc: this.who.ssrc, timestamp, data: VOICE }] }).frames
    assert.equal(f!.fault, undefined)
    return f!.data
  }
  hears(data: Uint8Array, stream: Ssrc, timestamp: number): string {
    const [f] = this.engine.run({ op: 'open', session: 1, frames: [{ ssrc: stream, timestamp, data }] }).frames
    return f!.fault ?? `heard ${f!.leaf}`
  }
}

const BOTH: [number, Ssrc][] = [[0, ANN.ssrc], [1, BEN.ssrc]]

test('a frame of somebody unannounced is refused; of an epoch still to come it is worth another try', () => {
  const clock = new VirtualClock()
  const [ann, ben] = [new Person(clock, ANN), new Person(clock, BEN)]
  ann.move(1n, BOTH)
  ben.move(1n, [[1, BEN.ssrc]])
  assert.equal(ben.hears(ann.says(160), ANN.ssrc, 160), 'VAULT_FRAME_UNANNOUNCED')
  ann.move(2n, BOTH, [5])
  const next = ann.says(320)
  assert.equal(ben.hears(next, ANN.ssrc, 320), 'SFRAME_UNKNOWN_EPOCH')
  ben.move(2n, BOTH, [5])
  assert.equal(ben.hears(next, ANN.ssrc, 320), 'heard 0')
})

test('a step of the epochs that is refused ends sealing and opening, by its code', () => {
  const clock = new VirtualClock()
  const [ann, ben] = [new Person(clock, ANN), new Person(clock, BEN)]
  for (const p of [ann, ben]) p.move(2n, BOTH)
  const frame = ann.says(160)
  ben.engine.command({ op: 'confirm', session: 1, epoch: 3n, ownLeaf: 1, streams: BOTH })
  assert.equal(ben.hears(frame, ANN.ssrc, 160), 'SFRAME_EPOCH_ORDER')
  const [sealed] = ben.engine.run({ op: 'seal', session: 1, frames: [{ ssrc: BEN.ssrc, timestamp: 0, data: VOICE }] }).frames
  assert.equal(sealed!.fault, 'SFRAME_EPOCH_ORDER')
  // Passing over what is not pending is nothing.
  ann.engine.command({ op: 'abandon', session: 1, epoch: 3n })
  ann.says(320)
})
