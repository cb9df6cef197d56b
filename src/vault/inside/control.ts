/** The control part of the vault: a typed table of calls, and the TLS connections. */
import { type Fault, type Result, err, makeFault, ok } from '../../base/result.ts'
import type { Clock } from '../../base/ports.ts'
import type { CryptoPort } from '../../crypto/port.ts'
import { parseCertificate } from '../../protocol/x509/certificate.ts'
import { delegationAlgorithm } from '../../protocol/x509/delegation.ts'
import { makeAnchors } from '../../protocol/x509/path.ts'
import type { PipeId, VaultCallName, VaultCalls } from '../api/calls.ts'
import type { VaultOptions } from '../api/options.ts'
import type { FrameCommand } from './frame-engine.ts'
import { handlers } from './handlers/index.ts'
import { IdentityKeeper } from './identity-keeper.ts'
import { type Handler, VaultState } from './state.ts'
import { type PipeOptions, type PipeWorld, TlsPipe, clientContext } from './tls-pipe.ts'

const PIPES_LIMIT = 64

export class VaultControl {
  readonly #state: VaultState
  readonly #pipeWorld: PipeWorld
  #closed = false

  private constructor(state: VaultState, pipeWorld: PipeWorld) {
    this.#state = state
    this.#pipeWorld = pipeWorld
  }

  /** Fails when the key is not the certificate's, or something is not what it should be. */
  static open(crypto: CryptoPort, clock: Clock, options: VaultOptions, frames: (c: FrameCommand) => void): Result<VaultControl> {
    const [endEntity] = options.chain
    if (endEntity === undefined) return err('IDENTITY_CHAIN_EMPTY')
    const certificate = parseCertificate(endEntity)
    if (!certificate.ok) return certificate
    const algorithm = delegationAlgorithm(certificate.value.key)
    if (algorithm === undefined) return err('IDENTITY_DELEGATION_ALGORITHM', 'our own certificate')
    const anchors = makeAnchors(options.anchors)
    if (!anchors.ok) return anchors
    try {
      const signer = crypto.signer(algorithm, options.pkcs8)
      const trust = { realm: options.realm, anchors: anchors.value, proofs: (options.revocationLists ?? []).map((der) => ({ kind: 'crl' as const, der })) }
      const keeper = new IdentityKeeper(crypto, { chain: options.chain, signer, kind: options.kind ?? 'member', keyProtection: options.keyProtection ?? 'in-process' }, trust)
      const shown = keeper.show(clock.unix())
      if (!shown.ok) return shown
      const state = new VaultState(crypto, clock, keeper, frames)
      return ok(new VaultControl(state, { crypto, clock, trust, context: clientContext(options.chain, options.pkcs8) }))
    } catch {
      return err('IDENTITY_KEY_MISMATCH', 'our own')
    }
  }

  async call<K extends VaultCallName>(name: K, input: VaultCalls[K]['in']): Promise<Result<VaultCalls[K]['out']>> {
    if (this.#closed) return err('VAULT_DEAD', 'it was closed')
    const handler = handlers[name] as Handler<K>
    try {
      return await handler(this.#state, input)
    } catch (cause) {
      return { ok: false, fault: ownBug(cause) }
    }
  }

  /** The caller chooses the number; a live one must not be chosen again. */
  pipe(id: PipeId, options: PipeOptions): Result<TlsPipe> {
    if (this.#closed) return err('VAULT_DEAD', 'it was closed')
    if (this.#state.pipes.size >= PIPES_LIMIT || this.#state.pipes.has(id)) return err('VAULT_FULL', `${PIPES_LIMIT} connections`)
    const pipe = new TlsPipe(id, this.#pipeWorld, options)
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

const ownBug = (cause: unknown): Fault => makeFault('MLS_INTERNAL', cause instanceof Error ? cause.message : undefined)
