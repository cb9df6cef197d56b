/** Starts a client's media thread and talks to it. */
import type { MessagePort, Transferable } from 'node:worker_threads'
import { MessageChannel, Worker } from 'node:worker_threads'
import { makeFault } from '../base/result.ts'
import type { FrameVault } from '../vault/api/frames.ts'
import type { MediaCommand, MediaEvent } from './api.ts'
import { compileEarly } from './compile-early.ts'
import { serveFrames } from './frames-port.ts'
import type { PlaneChoice } from './plane-choice.ts'
import { BEAT, heartbeat, watchThread } from './thread-watch.ts'
import type { MediaWorkerData } from './worker.ts'
import { workerUrl } from './worker-url.ts'

export interface MediaHost {
  command(c: MediaCommand): void
  subscribe(listener: (e: MediaEvent) => void): Disposable
  /** Everything in the thread is closed and the thread ends by itself. */
  stop(): Promise<void>
}

/** `vaultPort`: carries `{id, batches}` to the vault and back (frames-port.ts); it is transferred to the thread. */
export async function startMediaWorker(options: { readonly vaultPort: MessagePort; readonly plane?: PlaneChoice }): Promise<MediaHost> {
  const { vaultPort, plane = 'auto' } = options
  compileEarly()
  const beats = heartbeat()
  const worker = new Worker(workerUrl('worker', import.meta.url), { name: 'stc-media', workerData: { vaultPort, plane, beats } satisfies MediaWorkerData, transferList: [vaultPort] })
  const host = new WorkerHost(worker, beats)
  await host.ready
  return host
}

/** A port to a vault that lives in this thread, for `startMediaWorker`. */
export function framesPort(vault: FrameVault): MessagePort {
  const { port1, port2 } = new MessageChannel()
  serveFrames(port1, vault)
  // The media thread's life decides, not this port.
  port1.unref()
  return port2
}

class WorkerHost implements MediaHost {
  readonly #worker: Worker
  readonly #listeners = new Set<(e: MediaEvent) => void>()
  /** What the thread found at its start, before anybody could listen; undefined: somebody did. */
  #early: MediaEvent[] | undefined = []
  readonly #ended: Promise<void>
  /** Rejects when the thread ends before it is ready. */
  readonly ready: Promise<void>
  #watch: Disposable | undefined
  /** It hung, and nobody waits for its end: it sits in a call of the system perhaps, which nothing ends. */
  readonly #given: Promise<void>
  #giveUp: () => void = () => {}
  #stopping = false

  constructor(worker: Worker, beats: Int32Array<SharedArrayBuffer>) {
    this.#worker = worker
    this.#given = new Promise((resolve) => (this.#giveUp = resolve))
    this.ready = new Promise((resolve, reject) => {
      worker.on('message', (m: MediaEvent | 'ready') => (m === 'ready' ? resolve() : this.#tell(m)))
      worker.on('error', (e: unknown) => {
        this.#fault(e instanceof Error ? (e.stack ?? e.message) : String(e))
        reject(e)
      })
      worker.once('exit', (code) => reject(new Error(`the media thread ended with code ${code}`)))
    })
    this.#ended = new Promise((resolve) => worker.once('exit', (code) => {
      this.#over(`exit code ${code}`)
      resolve()
    }))
    void this.ready.then(() => (this.#watch = watchThread(beats, () => worker.postMessage(BEAT), (why) => {
      this.#over(why)
      this.#giveUp()
      void worker.terminate()
    })), () => {})
  }
  #over(detail: string): void {
    this.#watch?.[Symbol.dispose]()
    if (!this.#stopping) this.#fault(detail)
    this.#stopping = true
  }
  #fault(detail: string): void {
    this.#tell({ op: 'fault', code: 'MEDIA_WORKER', message: makeFault('MEDIA_WORKER', detail).message, about: 'media thread' })
  }
  #tell(e: MediaEvent): void {
    this.#early?.push(e)
    for (const listener of this.#listeners) listener(e)
  }
  command(c: MediaCommand): void {
    if (this.#stopping) return
    this.#worker.postMessage(c, portsOf(c))
  }
  subscribe(listener: (e: MediaEvent) => void): Disposable {
    const early = this.#early
    this.#early = undefined
    this.#listeners.add(listener)
    for (const e of early ?? []) listener(e)
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) }
  }
  async stop(): Promise<void> {
    this.command({ op: 'stop' })
    this.#stopping = true
    await Promise.race([this.#ended, this.#given])
  }
}

/** Ports go over to the thread; they cannot be in two. */
function portsOf(c: MediaCommand): Transferable[] {
  if (c.op === 'hop.tls' && c.port !== undefined) return [c.port as Transferable]
  return c.op === 'phone.open' && c.media.kind === 'stream' ? [c.media.port as Transferable] : []
}
