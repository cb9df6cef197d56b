/** SRTP hop keys, bound to the TLS connection they are agreed in. They leave the vault: they protect one hop only. */
import { type Result, err, ok } from '../../../base/result.ts'
import { HOP_EXPORTER_LABEL, HOP_EXPORTER_LENGTH, HOP_SUITES, createHopOffer, finishHop } from '../../../protocol/hop/agreement.ts'
import { MAX_GENERATION } from '../../../protocol/hop/messages.ts'
import type { PipeId } from '../../api/calls.ts'
import type { HopConnection } from '../hop-connection.ts'
import type { Handlers, VaultState } from '../state.ts'

export const hopHandlers: Handlers<'hop.offer' | 'hop.finish'> = {
  async 'hop.offer'(vault, { pipe, generation, suites }) {
    const connection = secured(vault, pipe)
    if (!connection.ok) return connection
    const hop = connection.value.hop
    if (!Number.isInteger(generation) || generation <= hop.generation || generation > MAX_GENERATION) return err('HOP_GENERATION', `${generation} after ${hop.generation}`)
    const known = suites.filter((s) => HOP_SUITES.includes(s))
    if (known.length === 0) return err('HOP_SUITE', 'none is known')
    const { message, state } = createHopOffer(vault.crypto, { generation, suites: known })
    hop.offer?.[Symbol.dispose]()
    hop.offer = state
    hop.generation = generation
    return ok({ message })
  },

  async 'hop.finish'(vault, { pipe, answer }) {
    const connection = secured(vault, pipe)
    if (!connection.ok) return connection
    const { hop, exporter } = connection.value
    if (hop.offer === undefined) return err('HOP_GENERATION', 'an answer to nothing')
    const keys = finishHop(vault.crypto, hop.offer, answer, exporter)
    hop.offer = undefined
    return keys.ok ? ok({ receive: keys.value.receive, send: keys.value.send }) : keys
  },
}

function secured(vault: VaultState, pipe: PipeId): Result<{ readonly hop: HopConnection; readonly exporter: (context: Uint8Array) => Uint8Array }> {
  const hop = vault.pipes.get(pipe)
  // Asked for once now: afterwards it cannot fail for the life of this call.
  if (hop?.exporter(HOP_EXPORTER_LABEL, new Uint8Array(64), HOP_EXPORTER_LENGTH) === undefined) return err('VAULT_PIPE_UNKNOWN', `${pipe}`)
  return ok({ hop, exporter: (context) => hop.exporter(HOP_EXPORTER_LABEL, context, HOP_EXPORTER_LENGTH) ?? new Uint8Array(0) })
}
