/** The vault in the caller's own thread: for tests in virtual time, and where nothing better is to be had. */
import type { Clock } from '../../base/ports.ts'
import { type Fault, type Result, ok } from '../../base/result.ts'
import type { CryptoPort } from '../../crypto/port.ts'
import type { PipeId, Vault, VaultCallName, VaultCalls, VaultPipe } from '../api/calls.ts'
import type { FrameBatch } from '../api/frames.ts'
import type { VaultOptions } from '../api/options.ts'
import type { VaultControl } from './control.ts'
import { FrameEngine, refuseAll } from './frame-engine.ts'
import type { EnclaveWorld } from './identity-keeper.ts'
import { openControl } from './open-control.ts'
import type { PipeOptions } from './tls-pipe.ts'

export interface VaultWorld extends EnclaveWorld {
  readonly crypto: CryptoPort
  readonly clock: Clock
}

export function createVault(world: VaultWorld, options: VaultOptions): Result<Vault> {
  const engine = new FrameEngine(world.crypto, world.clock)
  const control = openControl(world.crypto, world.clock, options, (c) => engine.command(c), world)
  return control.ok ? ok(new InProcessVault(control.value, engine)) : control
}

class InProcessVault implements Vault {
  readonly #control: VaultControl
  readonly #engine: FrameEngine
  #nextPipe = 1
  #closed = false

  constructor(control: VaultControl, engine: FrameEngine) {
    this.#control = control
    this.#engine = engine
  }
  call<K extends VaultCallName>(name: K, input: VaultCalls[K]['in']): Promise<Result<VaultCalls[K]['out']>> {
    return this.#control.call(name, input)
  }
  async frames(batch: FrameBatch): Promise<FrameBatch> {
    return this.#closed ? refuseAll(batch, 'VAULT_DEAD') : this.#engine.run(batch)
  }
  pipe(options: PipeOptions): VaultPipe {
    const id = this.#nextPipe++
    const pipe = this.#control.pipe(id, options)
    return pipe.ok ? pipe.value : new DeadPipe(id, pipe.fault)
  }
  async close(): Promise<void> {
    this.#closed = true
    this.#control.close()
  }
}

/** A connection that never came about. */
class DeadPipe implements VaultPipe {
  readonly id: PipeId
  readonly secured: VaultPipe['secured']
  readonly #reason: string

  constructor(id: PipeId, fault: Fault) {
    this.id = id
    this.#reason = fault.message
    this.secured = Promise.resolve({ ok: false, fault })
  }
  feed(): void {}
  onCipher(): void {}
  onPlain(): void {}
  write(): void {}
  onClose(listener: (reason: string) => void): void {
    listener(this.#reason)
  }
  end(): void {}
}
