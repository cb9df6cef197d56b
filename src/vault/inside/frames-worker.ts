/** Entry of the thread that seals and opens frames. Keys come from the control thread, batches from any number of ports. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { createNodeCrypto } from '../../crypto/node/index.ts'
import { packBatches, type PackedFrames, unpackBatches } from '../api/packed-frames.ts'
import type { FramesMessage, ToFrames } from '../api/worker-messages.ts'
import { FrameEngine, type FrameCommand } from './frame-engine.ts'
import { systemClock } from './system-clock.ts'

const { commands } = workerData as { readonly commands: MessagePort }
const engine = new FrameEngine(createNodeCrypto(), systemClock)
commands.on('message', (c: FrameCommand) => engine.command(c))
parentPort!.on('message', (m: ToFrames) => serve(m.port as MessagePort))

function serve(port: MessagePort): void {
  port.on('message', (m: FramesMessage | PackedFrames) => {
    if ('batch' in m) return port.postMessage({ id: m.id, batch: engine.run(m.batch) } satisfies FramesMessage)
    const packed = packBatches((unpackBatches(m.packed) ?? []).map((b) => engine.run(b)))
    port.postMessage({ id: m.id, packed } satisfies PackedFrames, [packed.buffer as ArrayBuffer])
  })
}
