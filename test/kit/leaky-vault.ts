/** A hostile member's vault: its owner sees every media key. */
import { must } from '../../src/base/result.ts'
import type { Vault } from '../../src/vault/api/calls.ts'
import type { VaultOptions } from '../../src/vault/api/options.ts'
import type { VaultWorld } from '../../src/vault/inside/create.ts'
import { FrameEngine, type FrameCommand } from '../../src/vault/inside/frame-engine.ts'
import { openControl } from '../../src/vault/inside/open-control.ts'

export function leakyVault(w: VaultWorld, options: VaultOptions, leak: (c: FrameCommand) => void): Vault {
  const engine = new FrameEngine(w.crypto, w.clock)
  const control = must(openControl(w.crypto, w.clock, options, (c) => {
    leak(c)
    engine.command(c)
  }))
  return {
    call: (name, input) => control.call(name, input), frames: async (batch) => engine.run(batch),
    pipe: (o) => must(control.pipe(1, o)), close: async () => control.close(),
  }
}
