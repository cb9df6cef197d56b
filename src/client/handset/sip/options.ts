/** How a SIP handset is set up. */
import type { Scheduler } from '../../../base/ports.ts'
import type { Fault } from '../../../base/result.ts'
import type { Secret } from '../../../base/secret.ts'
import type { CryptoPort } from '../../../crypto/port.ts'
import type { PhoneCodec } from '../../../media/api.ts'
import type { AddressPort } from '../../../net/address.ts'
import type { SipFlow } from '../../../telephony/index.ts'
import { isLoopback } from '../../../telephony/local-address.ts'
import type { PhoneRelay } from './phone-relay.ts'

export type SrtpPolicy = 'off' | 'offered' | 'required'
export type SipCrypto = Pick<CryptoPort, 'hash' | 'hmac' | 'bytes'>

export interface SipHandsetSettings {
  /** Name of the line, also the user part of our Contact. */
  readonly line: string
  readonly scheduler: Scheduler
  readonly crypto: SipCrypto
  /** Passwords (UTF-8) by user name. Asked for from everybody who is not on loopback: with none, only loopback gets in. */
  readonly users: ReadonlyMap<string, Secret>
  /** Digest realm; a phone shows it to its user. Default `stc`. */
  readonly realm?: string
  /** Most wanted first; the phone's offer limits the choice. Default g722, opus, pcmu, pcma. */
  readonly codecs?: readonly PhoneCodec[]
  /** SDES. Keys are taken only over TLS or loopback. Default off. */
  readonly srtp?: SrtpPolicy
  /** Calls at once; more are answered 503. Default 16. */
  readonly maxCalls?: number
  /** Calls at once of one phone; more are answered 486. Default 4. */
  readonly maxCallsPerContact?: number
  /** Time between in-dialog OPTIONS that show whether the phone still lives, ms. Default 15 000. */
  readonly livenessMs?: number
  /** Numbers that are answered 503 before password, offer and limits are looked at: a phone then tries its second server. */
  readonly isEmergency?: (number: string) => boolean
  /** Where requests go on to that are not for us; without it they are refused. */
  readonly upstream?: PhoneRelay
  /** Refused messages, for the log. */
  readonly report?: (fault: Fault, from: AddressPort) => void
}

export const LIVENESS_MS = 15_000

export type ResolvedSettings = Required<Omit<SipHandsetSettings, 'upstream'>> & Pick<SipHandsetSettings, 'upstream'>

export const resolveSettings = (s: SipHandsetSettings): ResolvedSettings => ({
  realm: 'stc',
  codecs: ['g722', 'opus', 'pcmu', 'pcma'],
  srtp: 'off',
  maxCalls: 16,
  maxCallsPerContact: 4,
  livenessMs: LIVENESS_MS,
  isEmergency: () => false,
  report: () => undefined,
  ...s,
})

/** SDES keys are worth something only where the signalling is encrypted or stays on this machine (RFC 4568 §7). */
export const keysAreSafe = (flow: SipFlow): boolean => flow.transport === 'TLS' || isLoopback(flow.remote.address)

export { isLoopback }
