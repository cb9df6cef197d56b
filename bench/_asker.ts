/** The media thread of the bench `enclave`: asks a vault for a tick's frames, 50 times a second, and notes how long it waits. */
import type { MessagePort } from 'node:worker_threads'
import { parentPort } from 'node:worker_threads'
import { ssrc } from '../src/base/brand.ts'
import { type FramesPort, portVault } from '../src/media/frames-port.ts'
import type { Frame } from '../src/vault/api/frames.ts'
import { pause } from './_args.ts'

export interface AskerOrder {
  readonly port: MessagePort
  readonly session: number
  readonly timestamp: number
  /** Per tick, what the others said. */
  readonly heard: readonly (readonly Frame[])[]
  readonly own: Uint8Array
}
export interface AskerReport {
  readonly delays: readonly number[]
  readonly refused: number
}

const TICK_MS = 20

parentPort!.on('message', (o: AskerOrder) => void ask(o).then((r) => parentPort!.postMessage(r)))

async function ask({ port, session, timestamp, heard, own }: AskerOrder): Promise<AskerReport> {
  const vault = portVault(port as unknown as FramesPort)
  const delays: number[] = []
  let refused = 0
  const start = performance.now()
  for (const [i, frames] of heard.entries()) {
    await pause(Math.max(0, start + i * TICK_MS - performance.now()))
    const asked = performance.now()
    const [sealed, opened] = await Promise.all([
      vault.frames({ op: 'seal', session, frames: [{ ssrc: ssrc(100), timestamp: timestamp + 160 * i, data: own }] }),
      vault.frames({ op: 'open', session, frames }),
    ])
    delays.push(performance.now() - asked)
    refused += [...sealed.frames, ...opened.frames].filter((f) => f.fault !== undefined).length
  }
  port.close()
  return { delays, refused }
}
