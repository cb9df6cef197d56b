/**
 * The two messages of the hop key agreement (docs/protocol). They travel inside the channel's TLS.
 *
 * offer   version (1) │ 1 (1) │ generation (4) │ number of suites (1) │ suite (2) … │ X25519 (32) │ ML-KEM-768 key (1184)
 * answer  version (1) │ 2 (1) │ generation (4) │ suite (2)                        │ X25519 (32) │ ML-KEM-768 ciphertext (1088)
 *
 * Suites are the SRTP protection profiles of RFC 5764 §4.1.2 and RFC 7714 §14.2, the preferred one first.
 */
import { ByteReader, ByteWriter } from '../../base/bytes.ts'
import type { Result } from '../../base/result.ts'
import { err, ok } from '../../base/result.ts'
import type { SrtpSuite } from '../srtp/keys.ts'

const VERSION = 1
const OFFER = 1
const ANSWER = 2
const X25519_SHARE = 32
const KEM_KEY = 1184
const KEM_CIPHERTEXT = 1088
const MAX_SUITES = 16
/** Generations count from 1. */
export const MAX_GENERATION = 0xffffffff

const PROFILE: Readonly<Record<SrtpSuite, number>> = { AES_CM_128_HMAC_SHA1_80: 1, AEAD_AES_128_GCM: 7, AEAD_AES_256_GCM: 8 }
export const profileOf = (suite: SrtpSuite): number => PROFILE[suite]
const suiteOf = (profile: number): SrtpSuite | undefined => (Object.keys(PROFILE) as SrtpSuite[]).find((s) => PROFILE[s] === profile)

export interface HopOffer {
  readonly generation: number
  /** Profiles that we do not know are left out. */
  readonly suites: readonly SrtpSuite[]
  readonly share: Uint8Array
  readonly kemKey: Uint8Array
}

export interface HopAnswer {
  readonly generation: number
  readonly suite: SrtpSuite
  readonly share: Uint8Array
  readonly ciphertext: Uint8Array
}

export function encodeOffer(o: HopOffer): Uint8Array {
  const w = new ByteWriter(1300).u8(VERSION).u8(OFFER).u32(o.generation).u8(o.suites.length)
  for (const s of o.suites) w.u16(PROFILE[s])
  return w.put(o.share).put(o.kemKey).finish()
}

export function decodeOffer(message: Uint8Array): Result<HopOffer> {
  const r = new ByteReader(message)
  const refused = decodeStart(r, OFFER)
  if (refused !== undefined) return refused
  const generation = r.u32()
  const count = r.u8()
  if (count === 0 || count > MAX_SUITES) return malformed(`${count} suites`)
  const profiles = Array.from({ length: count }, () => r.u16())
  const share = r.take(X25519_SHARE)
  const kemKey = r.take(KEM_KEY)
  if (!r.done || generation === 0) return malformed('offer')
  return ok({ generation, suites: profiles.map(suiteOf).filter((s) => s !== undefined), share, kemKey })
}

export const encodeAnswer = (a: HopAnswer): Uint8Array =>
  new ByteWriter(1200).u8(VERSION).u8(ANSWER).u32(a.generation).u16(PROFILE[a.suite]).put(a.share).put(a.ciphertext).finish()

export function decodeAnswer(message: Uint8Array): Result<HopAnswer> {
  const r = new ByteReader(message)
  const refused = decodeStart(r, ANSWER)
  if (refused !== undefined) return refused
  const generation = r.u32()
  const suite = suiteOf(r.u16())
  const share = r.take(X25519_SHARE)
  const ciphertext = r.take(KEM_CIPHERTEXT)
  if (!r.done || generation === 0) return malformed('answer')
  if (suite === undefined) return err('HOP_SUITE', 'the answer names an unknown one')
  return ok({ generation, suite, share, ciphertext })
}

function decodeStart(r: ByteReader, kind: number): ReturnType<typeof err> | undefined {
  const version = r.u8()
  if (r.failed) return malformed('empty')
  if (version !== VERSION) return err('HOP_VERSION', `version ${version}`)
  return r.u8() === kind ? undefined : malformed('another kind of message')
}

const malformed = (detail: string) => err('HOP_MALFORMED', detail)
