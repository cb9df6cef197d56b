/**
 * Starts a vault on two threads: one holds the keys and does the slow work, the other seals and opens frames. When a
 * thread dies the vault is dead: every call, frame and connection says so.
 */
import { type MessagePort, MessageChannel, Worker } from 'node:worker_threads'
import { type Fault, type Result, makeFault, ok } from '../../base/result.ts'
import type { PipeId, Vault, VaultCallName, VaultCalls, VaultPipe } from '../api/calls.ts'
import type { FrameBatch } from '../api/frames.ts'
import type { VaultOptions } from '../api/options.ts'
import type { FramesMessage, FromControl, ToControl } from '../api/worker-messages.ts'
import { RemotePipe } from './pipe.ts'

/** `control` and `frames` are the entries of the two threads, `vault/inside/control-worker` and `frames-worker`. */
export interface StartOptions extends VaultOptions {
  readonly control: URL
  readonly frames: URL
}

export interface ThreadedVault extends Vault {
  /** A port for the media thread: `{id, batch}` both ways. It closes when the vault dies. */
  framesPort(): MessagePort
}

const dead = (detail: string): Fault => makeFault('VAULT_DEAD', detail)

export async function startVault(start: StartOptions): Promise<Result<ThreadedVault>> {
  const { control: controlUrl, frames: framesUrl, ...options } = start
  const keys = new MessageChannel()
  const frames = new Worker(framesUrl, { name: 'stc-frames', workerData: { commands: keys.port2 }, transferList: [keys.port2] })
  const control = new Worker(controlUrl, { name: 'stc-keys', workerData: { options, commands: keys.port1 }, transferList: [keys.port1] })
  const vault = new HostedVault(control, frames)
  const fault = await vault.ready
  if (fault === undefined) return ok(vault)
  await vault.close()
  return { ok: false, fault }
}

class HostedVault implements ThreadedVault {
  /** Undefined once the vault stands. */
  readonly ready: Promise<Fault | undefined>
  readonly #control: Worker
  readonly #frames: Worker
  readonly #calls = new Map<number, (r: Result<unknown>) => void>()
  readonly #batches = new Map<number, { readonly batch: FrameBatch; answer(b: FrameBatch): void }>()
  readonly #pipes = new Map<PipeId, RemotePipe>()
  readonly #port: MessagePort
  #isReady: (fault: Fault | undefined) => void = () => {}
  #next = 1
  #dead: Fault | undefined

  constructor(control: Worker, frames: Worker) {
    this.#control = control
    this.#frames = frames
    this.ready = new Promise((resolve) => { this.#isReady = resolve })
    control.on('message', (m: FromControl) => this.#take(m))
    for (const [what, worker] of [['its keys', control], ['its frames', frames]] as const) {
      worker.on('error', (e: unknown) => this.#die(`the thread of ${what}: ${e instanceof Error ? e.message : String(e)}`))
      worker.on('exit', (code) => this.#die(`the thread of ${what} ended with ${code}`))
    }
    this.#port = this.#openPort()
    this.#port.on('message', ({ id, batch }: FramesMessage) => {
      this.#batches.get(id)?.answer(batch)
      this.#batches.delete(id)
    })
  }

  call<K extends VaultCallName>(name: K, input: VaultCalls[K]['in']): Promise<Result<VaultCalls[K]['out']>> {
    if (this.#dead !== undefined) return Promise.resolve({ ok: false, fault: this.#dead })
    const id = this.#next++
    return new Promise((resolve) => {
      this.#calls.set(id, resolve as (r: Result<unknown>) => void)
      this.#send({ op: 'call', id, name, input })
    })
  }
  frames(batch: FrameBatch): Promise<FrameBatch> {
    if (this.#dead !== undefined) return Promise.resolve(refuseAll(batch))
    const id = this.#next++
    return new Promise((answer) => {
      this.#batches.set(id, { batch, answer })
      this.#port.postMessage({ id, batch } satisfies FramesMessage)
    })
  }
  framesPort(): MessagePort {
    return this.#openPort()
  }
  pipe(options: { readonly serverName: string; readonly protocols: readonly string[] }): VaultPipe {
    const pipe = new RemotePipe(this.#next++, (m) => this.#send(m))
    if (this.#dead !== undefined) {
      pipe.close(this.#dead.message)
      return pipe
    }
    this.#pipes.set(pipe.id, pipe)
    this.#send({ op: 'pipe.open', pipe: pipe.id, serverName: options.serverName, protocols: [...options.protocols] })
    return pipe
  }
  async close(): Promise<void> {
    const ended = new Promise<void>((resolve) => this.#control.once('exit', () => resolve()))
    if (this.#dead === undefined) {
      this.#send({ op: 'close' })
      this.#die(CLOSED)
      await ended
    }
    await this.#frames.terminate()
  }

  #openPort(): MessagePort {
    const { port1, port2 } = new MessageChannel()
    if (this.#dead === undefined) this.#frames.postMessage({ op: 'port', port: port2 }, [port2])
    else port2.close()
    return port1
  }
  #send(m: ToControl): void {
    this.#control.postMessage(m)
  }
  #take(m: FromControl): void {
    if (m.op === 'ready') return this.#isReady(m.fault)
    if (m.op === 'answer') {
      this.#calls.get(m.id)?.(m.result)
      this.#calls.delete(m.id)
      return
    }
    this.#pipes.get(m.pipe)?.take(m)
    if (m.op === 'pipe.closed') this.#pipes.delete(m.pipe)
  }
  /** Everything that waits gets its answer, and nothing new is taken. */
  #die(reason: string): void {
    if (this.#dead !== undefined) return
    const fault = dead(reason)
    this.#dead = fault
    this.#isReady(fault)
    for (const answer of this.#calls.values()) answer({ ok: false, fault })
    this.#calls.clear()
    for (const { batch, answer } of this.#batches.values()) answer(refuseAll(batch))
    this.#batches.clear()
    for (const pipe of this.#pipes.values()) pipe.close(fault.message)
    this.#pipes.clear()
    this.#port.close()
    // One half is no vault: the other goes too, which closes the ports that were given out.
    if (reason !== CLOSED) for (const worker of [this.#control, this.#frames]) void worker.terminate()
  }
}

const CLOSED = 'it was closed'
const refuseAll = (batch: FrameBatch): FrameBatch => ({ ...batch, frames: batch.frames.map((f) => ({ ssrc: f.ssrc, timestamp: f.timestamp, data: new Uint8Array(0), fault: 'VAULT_DEAD' })) })
