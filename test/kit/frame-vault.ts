/** A `FrameVault` without a group: everybody who shares the key word understands everybody. No secrecy, real checks. */
import type { Frame, FrameBatch, FrameVault } from '../../src/vault/api/frames.ts'

const TAG = 8

export class KitVault implements FrameVault {
  readonly #key: number
  readonly #seen = new Map<number, Set<number>>()
  sealed = 0
  opened = 0
  refused = 0
  /** While set, batches wait; `release` lets them go. */
  held: (() => void)[] | undefined

  constructor(key = 0x5eed) {
    this.#key = key
  }
  async frames(batch: FrameBatch): Promise<FrameBatch> {
    if (this.held !== undefined) await new Promise<void>((resolve) => this.held!.push(resolve))
    return { ...batch, frames: batch.frames.map((f) => (batch.op === 'seal' ? this.#seal(f) : this.#open(f))) }
  }
  release(): void {
    const held = this.held ?? []
    this.held = undefined
    for (const go of held) go()
  }
  #seal(f: Frame): Frame {
    this.sealed++
    const data = new Uint8Array(f.data.length + TAG)
    for (let i = 0; i < f.data.length; i++) data[i] = f.data[i]! ^ this.#stream(f, i)
    new DataView(data.buffer).setUint32(f.data.length, this.#tag(f, data.subarray(0, f.data.length)))
    return { ...f, data }
  }
  #open(f: Frame): Frame {
    const body = f.data.subarray(0, f.data.length - TAG)
    const seen = this.#seen.get(f.ssrc) ?? new Set()
    this.#seen.set(f.ssrc, seen)
    const good = f.data.length > TAG && new DataView(f.data.buffer, f.data.byteOffset + body.length, 4).getUint32(0) === this.#tag(f, body)
    if (!good || seen.has(f.timestamp)) {
      this.refused++
      return { ssrc: f.ssrc, timestamp: f.timestamp, data: new Uint8Array(0), fault: good ? 'SFRAME_REPLAYED' : 'SFRAME_FORGED' }
    }
    seen.add(f.timestamp)
    if (seen.size > 4096) for (const t of seen) if (seen.delete(t) && seen.size <= 2048) break
    this.opened++
    return { ...f, data: body.map((v, i) => v ^ this.#stream(f, i)) }
  }
  #stream(f: Frame, i: number): number {
    return (Math.imul(f.timestamp ^ this.#key ^ f.ssrc, 0x9e3779b1) >>> (i % 4 * 8)) & 0xff ^ (i * 37 & 0xff)
  }
  #tag(f: Frame, body: Uint8Array): number {
    let h = (0x811c9dc5 ^ this.#key ^ f.ssrc ^ Math.imul(f.timestamp, 31)) >>> 0
    for (const b of body) h = Math.imul(h ^ b, 0x01000193) >>> 0
    return h
  }
}
