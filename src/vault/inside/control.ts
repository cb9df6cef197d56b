/** The control part of the vault: a typed table of calls, and the TLS connections. */
import { type Fault, type Result, err, makeFault, ok } from '../../base/result.ts'
import type { PipeId, VaultCallName, VaultCalls } from '../api/calls.ts'
import { handlers } from './handlers/index.ts'
import { JournalWatch } from './journal/watch.ts'
import type { Handler, VaultState } from './state.ts'
import { type PipeOptions, type PipeWorld, TlsPipe } from './tls-pipe.ts'

const PIPES_LIMIT = 64

export class VaultControl {
  readonly #state: VaultState
  readonly #pipeWorld: PipeWorld
  readonly #watch: JournalWatch
  /** All that may be asked, where that is not everything. */
  readonly #only: ReadonlySet<string> | undefined
  #closed = false

  constructor(state: VaultState, pipeWorld: PipeWorld, only?: ReadonlySet<string>) {
    this.#only = only
    this.#state = state
    this.#pipeWorld = pipeWorld
    this.#watch = new JournalWatch(state.crypto, state.journal, (id) => state.session(id))
  }

  async call<K extends VaultCallName>(name: K, input: VaultCalls[K]['in']): Promise<Result<VaultCalls[K]['out']>> {
    if (this.#closed) return err('VAULT_DEAD', 'it was closed')
    if (this.#only?.has(name) === false) return err('VAULT_CALL', `${name}: this vault reads the journal alone`)
    const allowed = this.#state.rates.call(name, this.#state.clock.now())
    if (!allowed.ok) return allowed
    const handler = handlers[name] as Handler<K>
    try {
      const result = await handler(this.#state, input)
      this.#watch.saw(name, input, result, this.#state.clock.unix())
      return result
    } catch (cause) {
      return { ok: false, fault: ownBug(cause) }
    }
  }

  /** The caller chooses the number; a live one must not be chosen again. */
  pipe(id: PipeId, options: PipeOptions): Result<TlsPipe> {
    if (this.#closed) return err('VAULT_DEAD', 'it was closed')
    if (this.#only !== undefined) return err('VAULT_CALL', 'this vault reads the journal alone')
    if (this.#state.pipes.size >= PIPES_LIMIT || this.#state.pipes.has(id)) return err('VAULT_FULL', `${PIPES_LIMIT} connections`)
    const allowed = this.#state.rates.signature(this.#state.clock.now())
    if (!allowed.ok) return allowed
    const opened = open(id, this.#pipeWorld, options)
    if (!opened.ok) return opened
    const pipe = opened.value
    this.#state.pipes.set(id, pipe)
    pipe.onClose(() => this.#state.pipes.delete(id))
    return ok(pipe)
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    for (const pipe of this.#state.pipes.values()) pipe.end()
    this.#state.end()
  }
}

/** Node throws on names and protocols that it cannot send. */
function open(id: PipeId, world: PipeWorld, options: PipeOptions): Result<TlsPipe> {
  try {
    return ok(new TlsPipe(id, world, options))
  } catch (cause) {
    return err('VAULT_TLS', cause instanceof Error ? cause.message : undefined)
  }
}

const ownBug = (cause: unknown): Fault => makeFault('MLS_INTERNAL', cause instanceof Error ? cause.message : undefined)
