/** What a client is made of, and who watches it. */
import type { Scheduler } from '../base/ports.ts'
import type { Fault } from '../base/result.ts'
import type { CryptoPort } from '../crypto/port.ts'
import type { MediaCommand, MediaEvent } from '../media/api.ts'
import type { RevocationProof } from '../model/trust.ts'
import type { ServerWire } from '../protocol/wire/messages.ts'
import type { Vault } from '../vault/api/calls.ts'
import type { CallKind } from './call.ts'
import type { CallObserver } from './calls.ts'
import type { ConnectionOptions } from './connection.ts'
import type { HandsetEvent } from './handset/port.ts'
import type { DialPlan } from './switch.ts'

export type { MediaEvent }

export interface MediaThread {
  command(c: MediaCommand): void
  subscribe(listener: (e: MediaEvent) => void): Disposable
}

export interface ClientOptions {
  readonly vault: Vault
  readonly media: MediaThread
  readonly crypto: CryptoPort
  readonly scheduler: Scheduler
  readonly dialPlan: DialPlan
  readonly kinds: readonly CallKind[]
  readonly connection: Pick<ConnectionOptions, 'open' | 'suites' | 'fallback' | 'udp' | 'realm' | 'openMediaPath'>
  readonly agent: string
  /** Phones reach the PBX behind the server through us. */
  readonly upstream?: { readonly report: (fault: Fault, about: string) => void }
  readonly observer?: ClientObserver
}

/** Statements about revocation. */
export type Learnt = readonly RevocationProof[]

export interface ClientObserver extends CallObserver {
  onServer?(up: boolean, detail: { readonly welcome?: ServerWire['welcome']; readonly fault?: Fault }): void
  /** The vault has died; `final`: there will be no other. Otherwise rooms are joined again with a new one. */
  onVault?(fault: Fault, final: boolean): void
  onPhone?(e: HandsetEvent): void
  /** The server handed out a block notice that was not known. */
  onNotice?(): void
  onMedia?(e: MediaEvent): void
}
