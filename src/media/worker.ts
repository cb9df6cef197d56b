/** Entry of a client's media thread: commands in and events out by the parent's port, frames by the vault's. */
import type { MessagePort, Transferable } from 'node:worker_threads'
import { parentPort, workerData } from 'node:worker_threads'
import { codecFactory } from '../audio/codecs.ts'
import { loadOpus } from '../audio/opus.ts'
import { createNodeCrypto } from '../crypto/node/index.ts'
import { nodeUdp } from '../net/node-udp.ts'
import { realScheduler } from '../net/scheduler.ts'
import type { MediaCommand, MediaEvent } from './api.ts'
import { portVault } from './frames-port.ts'
import { createMediaSession } from './session/session.ts'

export interface MediaWorkerData {
  readonly vaultPort: MessagePort
}

/** The first message of the thread, before any event. */
export const READY = 'ready'

async function main(port: MessagePort, { vaultPort }: MediaWorkerData): Promise<void> {
  const emit = (e: MediaEvent): void => {
    const transfer: Transferable[] = e.op === 'phone.heard' ? [e.pcm.buffer as ArrayBuffer] : []
    port.postMessage(e, transfer)
  }
  const opus = await loadOpus()
  if (!opus.ok) emit({ op: 'fault', code: opus.fault.code, message: opus.fault.message, about: 'codecs' })
  const session = createMediaSession({
    udp: nodeUdp(), scheduler: realScheduler(), crypto: createNodeCrypto(),
    codecs: codecFactory(opus.ok ? opus.value : undefined), vault: portVault(vaultPort), emit,
  })
  port.on('message', (c: MediaCommand) => {
    session.command(c)
    // Sockets, timers and ports were all that kept the thread alive.
    if (c.op !== 'stop') return
    vaultPort.close()
    port.close()
  })
  port.postMessage(READY)
}

if (parentPort !== null) void main(parentPort, workerData as MediaWorkerData)
