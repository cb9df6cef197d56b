/** What a client is made of, and who watches it. */
import type { Scheduler } from '../base/ports.ts'
import type { CryptoPort } from '../crypto/port.ts'
import type { MediaCommand, MediaEvent } from '../media/api.ts'
import type { RevocationProof } from '../model/trust.ts'
import type { Vault } from '../vault/api/calls.ts'
import type { CallKind } from './call.ts'
import type { ClientObserver } from './observers.ts'
import type { ConnectionOptions } from './connection.ts'
import type { UpstreamChoice } from './phone-upstream.ts'
import type { Speak } from './speech/spoken.ts'
import type { DialPlan } from './switch.ts'

export type { ClientObserver, MediaCommand, MediaEvent }

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
  /** Left out: a client of providers alone, without a server of ours. */
  readonly connection?: Pick<ConnectionOptions, 'open' | 'suites' | 'fallback' | 'udp' | 'realm' | 'openMediaPath'>
  readonly agent: string
  /** Phones reach the PBX behind the server through us, or providers. */
  readonly upstream?: UpstreamChoice
  readonly observer?: ClientObserver
  /** Keys whose calls nobody wants to hear. */
  readonly blocked?: (keyId: string) => boolean
  /** Says to phones what screens show; without it they hear tones alone. */
  readonly voice?: Speak
  /** `false`: calls of the PBX and of providers begin without words about who can hear them. */
  readonly speaksLabel?: boolean
  /** Before the vault is closed: whoever needs it once more. */
  readonly beforeEnd?: () => Promise<void>
}

/** Statements about revocation. */
export type Learnt = readonly RevocationProof[]
