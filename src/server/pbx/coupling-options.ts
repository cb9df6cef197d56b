import type { Instant } from '../../base/brand.ts'
import type { Scheduler } from '../../base/ports.ts'
import type { Result } from '../../base/result.ts'
import type { CryptoPort } from '../../crypto/port.ts'
import type { AmiField, AmiMessage } from '../../protocol/asterisk/index.ts'
import type { LimitedLog, Log } from '../log.ts'
import type { Guest } from '../phones/port.ts'
import type { Session } from '../session.ts'
import type { PbxConfig } from './config.ts'
import type { ClientLegs } from './legs.ts'

/** What the SIP relay tells and does about a PBX that is gone. */
export interface RelayLife {
  /** Calls stand, or are being made. */
  readonly busy: boolean
  /** There is an extension in whose name the PBX can be asked. */
  readonly known: boolean
  /** When the oldest call that stands began; undefined: none does. */
  readonly since: Instant | undefined
  /** Whether the PBX answers SIP. */
  answers(withinMs: number): Promise<boolean>
  /** It knows none of the calls any more. */
  pbxGone(reason: string): void
}

export interface CouplingOptions {
  readonly config: Pick<PbxConfig, 'conferences'>
  readonly crypto: Pick<CryptoPort, 'hash' | 'bytes'>
  readonly scheduler: Scheduler
  readonly log: Log
  readonly refusals: LimitedLog
  readonly session: (id: string) => Session | undefined
  /** Whoever is behind a leg: a client, or a phone with a certificate. */
  readonly guest: (id: string) => Guest | undefined
  /** The SIP relay's, once there is one. */
  readonly legs: () => ClientLegs
  /** Undefined where this server relays no SIP. */
  readonly relay: () => RelayLife | undefined
  /** Asterisk's manager interface: the response, then what its list holds. */
  readonly action: (action: string, ...fields: readonly AmiField[]) => Promise<Result<readonly AmiMessage[]>>
}
