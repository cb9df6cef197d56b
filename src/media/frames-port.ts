/** The vault's frames over a MessagePort: `{id, batch}` both ways, one message per batch. */
import type { FrameBatch, FrameVault } from '../vault/api/frames.ts'

export interface FramesMessage {
  readonly id: number
  readonly batch: FrameBatch
}

/** The part of Node's MessagePort that is needed here. */
export interface FramesPort {
  postMessage(m: FramesMessage): void
  on(event: 'message', listener: (m: FramesMessage) => void): unknown
  on(event: 'close', listener: () => void): unknown
}

/** The asking end. When the port closes, everything asked is answered with a fault per frame. */
export function portVault(port: FramesPort): FrameVault {
  const asked = new Map<number, { readonly batch: FrameBatch; answer(batch: FrameBatch): void }>()
  let next = 0
  let closed = false
  port.on('message', ({ id, batch }) => {
    asked.get(id)?.answer(batch)
    asked.delete(id)
  })
  port.on('close', () => {
    closed = true
    for (const { batch, answer } of asked.values()) answer(refuse(batch))
    asked.clear()
  })
  return {
    frames: (batch) => closed ? Promise.resolve(refuse(batch)) : new Promise((answer) => {
      const id = next++
      asked.set(id, { batch, answer })
      port.postMessage({ id, batch })
    }),
  }
}

const refuse = (batch: FrameBatch): FrameBatch => ({ ...batch, frames: batch.frames.map((f) => ({ ssrc: f.ssrc, timestamp: f.timestamp, data: new Uint8Array(0), fault: 'MEDIA_VAULT' })) })

/** The answering end: every batch goes to `vault`. */
export function serveFrames(port: FramesPort, vault: FrameVault): void {
  let open = true
  port.on('close', () => {
    open = false
  })
  port.on('message', ({ id, batch }) => {
    void vault.frames(batch).then((answer) => open && port.postMessage({ id, batch: answer }))
  })
}
