/** What crosses between the host and the threads of the vault. Plain data, by structured clone. */
import type { Fault, Result } from '../../base/result.ts'
import type { Identity } from '../../model/identity.ts'
import type { PipeId, VaultCallName } from './calls.ts'

/** Host → control thread. */
export type ToControl =
  | { readonly op: 'call'; readonly id: number; readonly name: VaultCallName; readonly input: unknown }
  | { readonly op: 'pipe.open'; readonly pipe: PipeId; readonly serverName: string; readonly protocols: readonly string[] }
  | { readonly op: 'pipe.feed'; readonly pipe: PipeId; readonly bytes: Uint8Array }
  | { readonly op: 'pipe.write'; readonly pipe: PipeId; readonly bytes: Uint8Array }
  | { readonly op: 'pipe.end'; readonly pipe: PipeId }
  | { readonly op: 'close' }

/** Control thread → host. */
export type FromControl =
  /** First of all: whether there is a vault. */
  | { readonly op: 'ready'; readonly fault?: Fault }
  | { readonly op: 'answer'; readonly id: number; readonly result: Result<unknown> }
  | { readonly op: 'pipe.secured'; readonly pipe: PipeId; readonly result: Result<{ readonly server: Identity }> }
  | { readonly op: 'pipe.cipher'; readonly pipe: PipeId; readonly bytes: Uint8Array }
  | { readonly op: 'pipe.plain'; readonly pipe: PipeId; readonly bytes: Uint8Array }
  | { readonly op: 'pipe.closed'; readonly pipe: PipeId; readonly reason: string }

/** Host → frames thread: another port whose batches it answers. */
export interface ToFrames {
  readonly op: 'port'
  readonly port: unknown
}
