/** Suites, keys and their derivation (RFC 3711 §4.3, RFC 7714 §11–§12). */
import type { CryptoPort, PacketAlgorithm } from '../../crypto/port.ts'
import type { Result } from '../../base/result.ts'
import { err, ok } from '../../base/result.ts'
import { concat } from '../../base/bytes.ts'

export type SrtpSuite = 'AEAD_AES_128_GCM' | 'AEAD_AES_256_GCM' | 'AES_CM_128_HMAC_SHA1_80'

/** Master key and salt of one direction. For one `SrtpSender` only: a second one would repeat its IVs. */
export interface SrtpKeys {
  readonly suite: SrtpSuite
  readonly masterKey: Uint8Array
  readonly masterSalt: Uint8Array
}

export interface SuiteParameters {
  readonly algorithm: PacketAlgorithm
  readonly aead: boolean
  /** Octets. */
  readonly keyLength: number
  readonly saltLength: number
  /** Octets of session authentication key, 0 for AEAD. */
  readonly authKeyLength: number
  readonly tagLength: number
}

export const SRTP_SUITES: Readonly<Record<SrtpSuite, SuiteParameters>> = {
  AEAD_AES_128_GCM: { algorithm: 'aes-128-gcm', aead: true, keyLength: 16, saltLength: 12, authKeyLength: 0, tagLength: 16 },
  AEAD_AES_256_GCM: { algorithm: 'aes-256-gcm', aead: true, keyLength: 32, saltLength: 12, authKeyLength: 0, tagLength: 16 },
  AES_CM_128_HMAC_SHA1_80: { algorithm: 'aes-128-cm-sha1-80', aead: false, keyLength: 16, saltLength: 14, authKeyLength: 20, tagLength: 10 },
}

/** RFC 3711 §4.3.2; the RTCP labels follow three later. */
const LABEL = { encryption: 0, authentication: 1, salt: 2 } as const
const RTCP_LABELS = 3

/** The cipher key (encryption ‖ authentication key) and salt of RTP or RTCP packets. */
export interface SessionKeys {
  readonly cipherKey: Uint8Array
  readonly salt: Uint8Array
}

export function deriveSessionKeys(crypto: CryptoPort, keys: SrtpKeys, rtcp: boolean): SessionKeys {
  const { keyLength, saltLength, authKeyLength } = SRTP_SUITES[keys.suite]
  const from = rtcp ? RTCP_LABELS : 0
  const derive = (label: number, length: number): Uint8Array => deriveKey(crypto, keys, from + label, length)
  return {
    cipherKey: concat(derive(LABEL.encryption, keyLength), derive(LABEL.authentication, authKeyLength)),
    salt: derive(LABEL.salt, saltLength),
  }
}

/**
 * RFC 3711 §4.3.1 and §4.3.3 with a key derivation rate of 0: AES in counter mode over zeros, starting
 * at (master salt XOR label · 2^48) · 2^16. A salt of 12 octets is padded at its end (RFC 7714 §11).
 */
export function deriveKey(crypto: CryptoPort, keys: SrtpKeys, label: number, length: number): Uint8Array {
  const counter = new Uint8Array(16)
  counter.set(keys.masterSalt)
  counter[7]! ^= label
  return crypto.aesCtr(keys.masterKey, counter, new Uint8Array(length))
}

/** A fault where key or salt have the wrong length for their suite. */
export function checkKeys(keys: SrtpKeys): Result<SuiteParameters> {
  const suite = SRTP_SUITES[keys.suite]
  if (suite === undefined) return err('SRTP_KEYS', 'unknown suite')
  if (keys.masterKey.length !== suite.keyLength) return err('SRTP_KEYS', `master key of ${keys.masterKey.length} octets`)
  if (keys.masterSalt.length !== suite.saltLength) return err('SRTP_KEYS', `master salt of ${keys.masterSalt.length} octets`)
  return ok(suite)
}
