/**
 * Keeps a vault process running: when it dies another one is started, and what hung on the first says so. Memberships and
 * connections are gone with it, keys too: rooms are joined again as after a lost connection.
 */
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { type Fault, type Result, makeFault, ok } from '../../base/result.ts'
import type { VaultCallName, VaultCalls, VaultPipe } from '../api/calls.ts'
import type { FrameBatch } from '../api/frames.ts'
import { type HostedVault, type HostVault, servePort } from './hosted.ts'
import type { ProcessVault } from './process.ts'

export interface KeepOptions {
  /** Starts one; its memberships are numbered from `firstSession`. */
  readonly start: (firstSession: number) => Promise<Result<ProcessVault>>
  /** It has died. `final`: too often, or no other could be started. */
  readonly onDeath: (fault: Fault, final: boolean) => void
}

/** A vault that dies more often than this has something that a new one has too. */
const DEATHS_LIMIT = 5
const DEATHS_MS = 60_000
/** More memberships than one vault ever numbers. */
const SESSIONS_EACH = 1 << 20

export async function keepVault(options: KeepOptions): Promise<Result<{ readonly vault: KeptVault; readonly first: ProcessVault }>> {
  const first = await options.start(1)
  return first.ok ? ok({ vault: new KeptVault(options, first.value), first: first.value }) : first
}

export class KeptVault implements HostVault {
  readonly #o: KeepOptions
  readonly #ports = new Set<MessagePort>()
  readonly #deaths: number[] = []
  #current: HostedVault
  #pid: number
  #up: Promise<void> = Promise.resolve()
  #started = 1
  #closed = false

  constructor(options: KeepOptions, first: ProcessVault) {
    this.#o = options
    this.#current = first.vault
    this.#pid = first.pid
    this.#watch(first.vault)
  }

  /** Of the process that runs now. */
  get pid(): number {
    return this.#pid
  }
  /** Resolves when there is a vault, or never will be one again. */
  up(): Promise<void> {
    return this.#up
  }
  call<K extends VaultCallName>(name: K, input: VaultCalls[K]['in']): Promise<Result<VaultCalls[K]['out']>> {
    return this.#current.call(name, input)
  }
  frames(batch: FrameBatch): Promise<FrameBatch> {
    return this.#current.frames(batch)
  }
  pipe(options: { readonly serverName: string; readonly protocols: readonly string[] }): VaultPipe {
    return this.#current.pipe(options)
  }
  /** It stays open while vaults come and go: the media thread has one for its life. */
  framesPort(): MessagePort {
    const { port1, port2 } = new MessageChannel()
    this.#ports.add(port1)
    port1.on('close', () => this.#ports.delete(port1))
    servePort(port1, (packed) => this.#current.packed(packed))
    // The media thread's life decides, not this port.
    port1.unref()
    return port2
  }
  async close(): Promise<void> {
    this.#closed = true
    await this.#current.close()
    this.#end()
  }

  #watch(vault: HostedVault): void {
    void vault.died.then((reason) => {
      if (!this.#closed) this.#up = this.#again(makeFault('VAULT_STOPPED', reason))
    })
  }
  async #again(fault: Fault): Promise<void> {
    const now = performance.now()
    this.#deaths.push(now)
    while (this.#deaths[0]! < now - DEATHS_MS) this.#deaths.shift()
    if (this.#deaths.length > DEATHS_LIMIT) return this.#giveUp(makeFault('VAULT_DEAD', `${this.#deaths.length} times in a minute`, fault))
    this.#o.onDeath(fault, false)
    const next = await this.#o.start(1 + this.#started++ * SESSIONS_EACH)
    if (!next.ok) return this.#giveUp(makeFault('VAULT_DEAD', next.fault.message, next.fault))
    if (this.#closed) return next.value.vault.close()
    this.#current = next.value.vault
    this.#pid = next.value.pid
    this.#watch(next.value.vault)
  }
  #giveUp(fault: Fault): void {
    this.#end()
    this.#o.onDeath(fault, true)
  }
  #end(): void {
    for (const port of this.#ports) port.close()
  }
}
