/** The vault's frames over a MessagePort: all batches of one tick packed into one message, because each message wakes a thread. */
import type { FrameBatch, FrameVault } from '../vault/api/frames.ts'
import { packBatches, type PackedFrames, unpackBatches } from '../vault/api/packed-frames.ts'

/** The part of Node's MessagePort that is needed here. */
export interface FramesPort {
  postMessage(m: PackedFrames, transfer: ArrayBuffer[]): void
  on(event: 'message', listener: (m: PackedFrames) => void): unknown
  on(event: 'close', listener: () => void): unknown
}

interface Asked {
  readonly batch: FrameBatch
  answer(batch: FrameBatch): void
}

/** The asking end. When the port closes, everything asked is answered with a fault per frame. */
export function portVault(port: FramesPort): FrameVault {
  const asked = new Map<number, readonly Asked[]>()
  let collected: Asked[] = []
  let next = 0
  let closed = false

  const flush = (): void => {
    if (closed || collected.length === 0) return
    const id = next++
    asked.set(id, collected)
    post(port, id, collected.map((a) => a.batch))
    collected = []
  }
  port.on('message', ({ id, packed }) => {
    const waiting = asked.get(id) ?? []
    asked.delete(id)
    const batches = unpackBatches(packed) ?? []
    for (const [i, a] of waiting.entries()) a.answer(batches[i] ?? refuse(a.batch))
  })
  port.on('close', () => {
    closed = true
    for (const waiting of [...asked.values(), collected]) for (const a of waiting) a.answer(refuse(a.batch))
    asked.clear()
  })
  return {
    frames: (batch) => closed ? Promise.resolve(refuse(batch)) : new Promise((answer) => {
      // One tick seals and opens for all its rooms: one message.
      if (collected.push({ batch, answer }) === 1) queueMicrotask(flush)
    }),
  }
}

function post(port: FramesPort, id: number, batches: readonly FrameBatch[]): void {
  const packed = packBatches(batches)
  port.postMessage({ id, packed }, [packed.buffer as ArrayBuffer])
}

const refuse = (batch: FrameBatch): FrameBatch => ({ ...batch, frames: batch.frames.map((f) => ({ ssrc: f.ssrc, timestamp: f.timestamp, data: new Uint8Array(0), fault: 'MEDIA_VAULT' })) })

/** The answering end: every batch goes to `vault`. */
export function serveFrames(port: FramesPort, vault: FrameVault): void {
  let open = true
  port.on('close', () => {
    open = false
  })
  port.on('message', ({ id, packed }) => {
    const batches = unpackBatches(packed) ?? []
    void Promise.all(batches.map((b) => vault.frames(b))).then((answers) => open && post(port, id, answers))
  })
}
