/** Entry of the thread that seals and opens frames. Keys come from the control thread, batches from any number of ports. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { createNodeCrypto } from '../../crypto/node/index.ts'
import type { FramesBundle } from '../api/frames.ts'
import type { FramesMessage, ToFrames } from '../api/worker-messages.ts'
import { FrameEngine, type FrameCommand } from './frame-engine.ts'
import { systemClock } from './system-clock.ts'

const { commands } = workerData as { readonly commands: MessagePort }
const engine = new FrameEngine(createNodeCrypto(), systemClock)
commands.on('message', (c: FrameCommand) => engine.command(c))
parentPort!.on('message', (m: ToFrames) => serve(m.port as MessagePort))

function serve(port: MessagePort): void {
  port.on('message', (m: FramesMessage | FramesBundle) => {
    if ('batch' in m) port.postMessage({ id: m.id, batch: engine.run(m.batch) } satisfies FramesMessage)
    else port.postMessage({ id: m.id, batches: m.batches.map((b) => engine.run(b)) } satisfies FramesBundle)
  })
}
