/** A vault that answers what a test tells it to: for machines whose question is what they ask, not what the keys do. */
import type { Result } from '../../src/base/result.ts'
import { err } from '../../src/base/result.ts'
import type { FrameBatch } from '../../src/vault/api/frames.ts'
import type { Vault, VaultCallName, VaultCalls, VaultPipe } from '../../src/vault/api/calls.ts'

export type VaultScript = { [K in VaultCallName]?: (a: VaultCalls[K]['in']) => Result<VaultCalls[K]['out']> | Promise<Result<VaultCalls[K]['out']>> }

export class FakeVault implements Vault {
  readonly asked: { call: VaultCallName; args: unknown }[] = []
  readonly script: VaultScript
  constructor(script: VaultScript) {
    this.script = script
  }
  call<K extends VaultCallName>(k: K, a: VaultCalls[K]['in']): Promise<Result<VaultCalls[K]['out']>> {
    this.asked.push({ call: k, args: a })
    return Promise.resolve(this.script[k]?.(a) ?? err('CLIENT_INTERNAL', `the test has no answer to ${k}`))
  }
  frames(batch: FrameBatch): Promise<FrameBatch> {
    return Promise.resolve(batch)
  }
  pipe(): VaultPipe {
    throw new Error('no pipes here')
  }
  close(): Promise<void> {
    return Promise.resolve()
  }
}
