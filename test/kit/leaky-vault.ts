/** A hostile member's vault: its owner sees every media key, and the group's state, from which it can make commits that no rule allows. */
import { must } from '../../src/base/result.ts'
import { parseCertificate } from '../../src/protocol/x509/certificate.ts'
import { delegationAlgorithm } from '../../src/protocol/x509/delegation.ts'
import { makeAnchors } from '../../src/protocol/x509/path.ts'
import type { Snapshot } from '../../src/protocol/mls/snapshot.ts'
import type { SessionId, Vault } from '../../src/vault/api/calls.ts'
import type { VaultOptions } from '../../src/vault/api/options.ts'
import { VaultControl } from '../../src/vault/inside/control.ts'
import type { VaultWorld } from '../../src/vault/inside/create.ts'
import { FrameEngine } from '../../src/vault/inside/frame-engine.ts'
import type { FrameCommand } from '../../src/vault/inside/frame-commands.ts'
import { IdentityKeeper } from '../../src/vault/inside/identity-keeper.ts'
import { VaultState } from '../../src/vault/inside/state.ts'
import { clientContext } from '../../src/vault/inside/tls-pipe.ts'

export interface LeakyVault {
  readonly vault: Vault
  /** The group as its vault keeps it: secrets and all. */
  readonly group: (session: SessionId) => Snapshot
}

export function leakyVault(w: VaultWorld, options: VaultOptions, leak: (c: FrameCommand) => void): LeakyVault {
  const engine = new FrameEngine(w.crypto, w.clock)
  const { chain, pkcs8, realm, kind = 'member', keyProtection = 'in-process', revocation = {} } = options
  const signer = w.crypto.signer(delegationAlgorithm(must(parseCertificate(chain[0]!)).key)!, pkcs8)
  const keeper = new IdentityKeeper(w.crypto, { chain, signer, kind, keyProtection }, { realm, anchors: must(makeAnchors(options.anchors)), rule: revocation.rule ?? 'named' }, revocation.proofs)
  keeper.keepJournal(w.clock, pkcs8)
  const state = new VaultState(w.crypto, w.clock, keeper, (c) => {
    // The vault wipes its own.
    leak(structuredClone(c))
    engine.command(c)
  }, 1)
  must(state.load(options))
  const control = new VaultControl(state, { crypto: w.crypto, clock: w.clock, keeper, context: clientContext(chain, pkcs8) })
  return {
    vault: { call: (name, input) => control.call(name, input), frames: async (batch) => engine.run(batch), pipe: (o) => must(control.pipe(1, o)), close: async () => control.close() },
    group: (session) => must(must(state.session(session)).group()).snapshot,
  }
}
