/** Entry of the thread that seals and opens frames. Keys come from the control thread, batches from any number of ports. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { createNodeCrypto } from '../../crypto/node/index.ts'
import type { PackedFrames } from '../api/packed-frames.ts'
import type { ToFrames } from '../api/worker-messages.ts'
import { FrameEngine } from './frame-engine.ts'
import type { FrameCommand } from './frame-commands.ts'
import { systemClock } from './system-clock.ts'

const { commands } = workerData as { readonly commands: MessagePort }
const engine = new FrameEngine(createNodeCrypto(), systemClock)
commands.on('message', (c: FrameCommand) => engine.command(c))
parentPort!.on('message', (m: ToFrames) => serve(m.port as MessagePort))

function serve(port: MessagePort): void {
  port.on('message', ({ id, packed: asked }: PackedFrames) => {
    const packed = engine.runPacked(asked)
    port.postMessage({ id, packed } satisfies PackedFrames, [packed.buffer as ArrayBuffer])
  })
}
