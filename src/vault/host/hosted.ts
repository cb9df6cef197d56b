/**
 * A vault that is somewhere else, in other threads or another process, as its host sees it: numbers for what was asked, answers
 * by number. When it dies every call, frame and connection says so.
 */
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { type Fault, type Result, makeFault } from '../../base/result.ts'
import type { PipeId, Vault, VaultCallName, VaultCalls, VaultPipe } from '../api/calls.ts'
import type { FrameBatch } from '../api/frames.ts'
import { packBatches, type PackedFrames, unpackBatches } from '../api/packed-frames.ts'
import type { FromControl, ToControl } from '../api/worker-messages.ts'
import { RemotePipe } from './pipe.ts'

/** The way to it and back. */
export interface VaultLink {
  send(m: ToControl): void
  frames(id: number, packed: Uint8Array): void
  /** A port straight to whoever does the frames, where there is one. */
  readonly directPort?: () => MessagePort
  /** Ends it; resolves when it is gone. */
  end(): Promise<void>
}

export interface LinkEvents {
  control(m: FromControl): void
  frames(id: number, packed: Uint8Array): void
  /** It is gone, or no more to be trusted to work. */
  dead(reason: string): void
}

export interface HostVault extends Vault {
  /** A port for the media thread: `{id, packed}` both ways. */
  framesPort(): MessagePort
}

const CLOSED = 'it was closed'
let nextPipe = 1

export class HostedVault implements HostVault {
  /** Undefined once the vault stands. */
  readonly ready: Promise<Fault | undefined>
  /** Resolves with the reason when it has died; never for one that was closed. */
  readonly died: Promise<string>
  readonly #link: VaultLink
  readonly #calls = new Map<number, (r: Result<unknown>) => void>()
  readonly #batches = new Map<number, (packed: Uint8Array | undefined) => void>()
  readonly #pipes = new Map<PipeId, RemotePipe>()
  readonly #ports = new Set<MessagePort>()
  readonly #code: 'VAULT_DEAD' | 'VAULT_STOPPED'
  #isReady: (fault: Fault | undefined) => void = () => {}
  #isDead: (reason: string) => void = () => {}
  #next = 1
  #dead: Fault | undefined

  /** `code`: what its death is called, when nobody asked for it. */
  constructor(open: (events: LinkEvents) => VaultLink, code: 'VAULT_DEAD' | 'VAULT_STOPPED' = 'VAULT_DEAD') {
    this.#code = code
    this.ready = new Promise((resolve) => { this.#isReady = resolve })
    this.died = new Promise((resolve) => { this.#isDead = resolve })
    this.#link = open({
      control: (m) => this.#take(m),
      frames: (id, packed) => {
        this.#batches.get(id)?.(packed)
        this.#batches.delete(id)
      },
      dead: (reason) => this.#die(reason),
    })
  }

  get dead(): boolean {
    return this.#dead !== undefined
  }
  call<K extends VaultCallName>(name: K, input: VaultCalls[K]['in']): Promise<Result<VaultCalls[K]['out']>> {
    if (this.#dead !== undefined) return Promise.resolve({ ok: false, fault: this.#dead })
    const id = this.#number()
    return new Promise((resolve) => {
      this.#calls.set(id, resolve as (r: Result<unknown>) => void)
      this.#link.send({ op: 'call', id, name, input })
    })
  }
  async frames(batch: FrameBatch): Promise<FrameBatch> {
    const answer = await this.packed(packBatches([batch]))
    return (answer === undefined ? undefined : unpackBatches(answer)?.[0]) ?? refuseAll(batch)
  }
  /** Batches as `packBatches` makes them; undefined from a dead vault. */
  packed(packed: Uint8Array): Promise<Uint8Array | undefined> {
    if (this.#dead !== undefined) return Promise.resolve(undefined)
    const id = this.#number()
    return new Promise((answer) => {
      this.#batches.set(id, answer)
      this.#link.frames(id, packed)
    })
  }
  framesPort(): MessagePort {
    const direct = this.#link.directPort
    if (direct !== undefined && this.#dead === undefined) return direct()
    const { port1, port2 } = new MessageChannel()
    if (this.#dead !== undefined) {
      port1.close()
      return port2
    }
    this.#ports.add(port1)
    port1.on('close', () => this.#ports.delete(port1))
    servePort(port1, (packed) => this.packed(packed))
    return port2
  }
  pipe(options: { readonly serverName: string; readonly protocols: readonly string[] }): VaultPipe {
    // Numbered across vaults: what is left of a dead one's connections means nothing to the next.
    const pipe = new RemotePipe(nextPipe++, (m) => this.#link.send(m))
    if (this.#dead !== undefined) {
      pipe.close(this.#dead.message)
      return pipe
    }
    this.#pipes.set(pipe.id, pipe)
    this.#link.send({ op: 'pipe.open', pipe: pipe.id, serverName: options.serverName, protocols: [...options.protocols] })
    return pipe
  }
  async close(): Promise<void> {
    this.#die(CLOSED)
    await this.#link.end()
  }

  #number(): number {
    this.#next = (this.#next + 1) >>> 0
    return this.#next
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
    const fault = makeFault(reason === CLOSED ? 'VAULT_DEAD' : this.#code, reason)
    this.#dead = fault
    this.#isReady(fault)
    for (const answer of this.#calls.values()) answer({ ok: false, fault })
    this.#calls.clear()
    for (const answer of this.#batches.values()) answer(undefined)
    this.#batches.clear()
    for (const pipe of this.#pipes.values()) pipe.close(fault.message)
    this.#pipes.clear()
    for (const port of this.#ports) port.close()
    if (reason === CLOSED) return
    this.#isDead(reason)
    // One half is no vault.
    void this.#link.end()
  }
}

/** Batches from a port, answered one by one; undefined: a fault for each frame. */
export function servePort(port: MessagePort, run: (packed: Uint8Array) => Promise<Uint8Array | undefined>): void {
  let open = true
  port.on('close', () => {
    open = false
  })
  port.on('message', ({ id, packed }: PackedFrames) => {
    void run(packed).then((answer) => {
      if (!open) return
      const all = answer ?? packBatches((unpackBatches(packed) ?? []).map(refuseAll))
      port.postMessage({ id, packed: all } satisfies PackedFrames, all.byteLength === all.buffer.byteLength ? [all.buffer as ArrayBuffer] : [])
    })
  })
}

const refuseAll = (batch: FrameBatch): FrameBatch => ({ ...batch, frames: batch.frames.map((f) => ({ ssrc: f.ssrc, timestamp: f.timestamp, data: new Uint8Array(0), fault: 'VAULT_DEAD' })) })
