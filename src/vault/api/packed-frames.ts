/**
 * Batches of frames in one buffer, for the hot path between the media thread and the vault's: cloning twenty small
 * objects costs several times as much as one array, on both threads and both ways.
 *
 *   batch   op (1) ‖ session (4) ‖ count (2) ‖ frames
 *   frame   ssrc (4) ‖ timestamp (4) ‖ leaf + 1, 0 for none (4) ‖ fault: length (1), ASCII ‖ length (2) ‖ data [‖ length (2) ‖ news]
 *   The highest bit of the fault's length says that news follow.
 */
import { ssrc } from '../../base/brand.ts'
import { ByteReader } from '../../base/bytes.ts'
import type { Frame, FrameBatch } from './frames.ts'

/** A message of a frames port, both ways; the answer has the same id, and as many batches in the same order. */
export interface PackedFrames {
  readonly id: number
  readonly packed: Uint8Array
}

const BATCH_HEAD = 7
const FRAME_HEAD = 15
const HAS_NEWS = 0x80
/** What one message may hold; the vault bounds the frames of a batch by itself. */
const MAX_BATCHES = 512

export function packBatches(batches: readonly FrameBatch[]): Uint8Array {
  let length = 0
  for (const b of batches) {
    length += BATCH_HEAD
    for (const f of b.frames) length += FRAME_HEAD + (f.fault?.length ?? 0) + f.data.length + (f.news === undefined ? 0 : 2 + f.news.length)
  }
  const out = new Uint8Array(length)
  const view = new DataView(out.buffer)
  let at = 0
  for (const b of batches) {
    out[at] = b.op === 'seal' ? 0 : 1
    view.setUint32(at + 1, b.session)
    view.setUint16(at + 5, b.frames.length)
    at += BATCH_HEAD
    for (const f of b.frames) at = packFrame(out, view, at, f)
  }
  return out
}

function packFrame(out: Uint8Array, view: DataView, start: number, f: Frame): number {
  const fault = f.fault ?? ''
  let at = start
  view.setUint32(at, f.ssrc)
  view.setUint32(at + 4, f.timestamp)
  view.setUint32(at + 8, f.leaf === undefined ? 0 : f.leaf + 1)
  out[at + 12] = fault.length | (f.news === undefined ? 0 : HAS_NEWS)
  at += 13
  for (let i = 0; i < fault.length; i++) out[at++] = fault.charCodeAt(i)
  view.setUint16(at, f.data.length)
  out.set(f.data, at + 2)
  at += 2 + f.data.length
  if (f.news === undefined) return at
  view.setUint16(at, f.news.length)
  out.set(f.news, at + 2)
  return at + 2 + f.news.length
}

/** `data` of the frames are views. Undefined for anything that is not exactly what `packBatches` makes. */
export function unpackBatches(packed: Uint8Array): FrameBatch[] | undefined {
  const r = new ByteReader(packed)
  const batches: FrameBatch[] = []
  while (r.left > 0 && !r.failed) {
    if (batches.length === MAX_BATCHES) return undefined
    const op = r.u8()
    const session = r.u32()
    const count = r.u16()
    if (op > 1 || count * FRAME_HEAD > r.left) return undefined
    const frames: Frame[] = []
    for (let i = 0; i < count; i++) frames.push(unpackFrame(r))
    batches.push({ op: op === 0 ? 'seal' : 'open', session, frames })
  }
  return r.done ? batches : undefined
}

function unpackFrame(r: ByteReader): Frame {
  const from = ssrc(r.u32())
  const timestamp = r.u32()
  const leaf = r.u32()
  const marks = r.u8()
  const fault = r.take(marks & ~HAS_NEWS)
  const data = r.vec16()
  if (leaf === 0 && marks === 0) return { ssrc: from, timestamp, data }
  return {
    ssrc: from, timestamp, data,
    ...((marks & HAS_NEWS) === 0 ? {} : { news: r.vec16() }),
    ...(fault.length === 0 ? {} : { fault: String.fromCharCode(...fault) }),
    ...(leaf === 0 ? {} : { leaf: leaf - 1 }),
  }
}
