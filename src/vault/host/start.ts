/**
 * Starts a vault on two threads of this process: one holds the keys and does the slow work, the other seals and opens
 * frames. Its keys are in the client's own memory, and whoever sees the roster is told so.
 */
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import { type Result, ok } from '../../base/result.ts'
import type { VaultOptions } from '../api/options.ts'
import type { PackedFrames } from '../api/packed-frames.ts'
import type { FromControl, ToControl } from '../api/worker-messages.ts'
import { HostedVault, type LinkEvents, type VaultLink } from './hosted.ts'

/** `control` and `frames` are the entries of the two threads, `vault/inside/control-worker` and `frames-worker`. */
export interface StartOptions extends VaultOptions {
  readonly control: URL
  readonly frames: URL
}

export async function startVault(start: StartOptions): Promise<Result<HostedVault>> {
  const vault = new HostedVault((events) => new ThreadLink(start, events))
  const fault = await vault.ready
  if (fault === undefined) return ok(vault)
  await vault.close()
  return { ok: false, fault }
}

class ThreadLink implements VaultLink {
  readonly #control: Worker
  readonly #frames: Worker
  readonly #port: MessagePort
  readonly #ended: Promise<unknown>

  constructor({ control, frames, ...options }: StartOptions, events: LinkEvents) {
    const keys = new MessageChannel()
    this.#frames = new Worker(frames, { name: 'stc-frames', workerData: { commands: keys.port2 }, transferList: [keys.port2] })
    this.#control = new Worker(control, { name: 'stc-keys', workerData: { options, commands: keys.port1 }, transferList: [keys.port1] })
    this.#ended = new Promise((resolve) => this.#control.once('exit', resolve))
    this.#control.on('message', (m: FromControl) => events.control(m))
    for (const [what, worker] of [['its keys', this.#control], ['its frames', this.#frames]] as const) {
      worker.on('error', (e: unknown) => events.dead(`the thread of ${what}: ${e instanceof Error ? e.message : String(e)}`))
      worker.on('exit', (code) => events.dead(`the thread of ${what} ended with ${code}`))
    }
    this.#port = this.directPort()
    this.#port.on('message', ({ id, packed }: PackedFrames) => events.frames(id, packed))
  }

  readonly directPort = (): MessagePort => {
    const { port1, port2 } = new MessageChannel()
    this.#frames.postMessage({ op: 'port', port: port2 }, [port2])
    return port1
  }
  send(m: ToControl): void {
    this.#control.postMessage(m)
  }
  frames(id: number, packed: Uint8Array): void {
    this.#port.postMessage({ id, packed } satisfies PackedFrames)
  }
  /** The thread of the keys wipes them and ends by itself; ports to the other close with it. */
  async end(): Promise<void> {
    this.#port.close()
    this.send({ op: 'close' })
    await this.#ended
    await this.#frames.terminate()
  }
}
