/**
 * Hybrid agreement on the SRTP keys between client and server, bound to the TLS connection it runs in:
 *
 *   prk = HKDF-Extract(salt = TLS-Exporter("EXPORTER-stc-hop-v1", SHA-512(offer ‖ answer), 64),
 *                      ikm = ML-KEM secret ‖ X25519 secret)
 *   master key ‖ master salt = HKDF-Expand(prk, "stc hop" ‖ direction (1) ‖ suite (2) ‖ generation (4))
 *
 * HKDF is with SHA-512. Whoever changes a message on the way changes every key.
 */
import { ByteWriter, concat, sameBytes, utf8 } from '../../base/bytes.ts'
import type { Result } from '../../base/result.ts'
import { err, ok } from '../../base/result.ts'
import type { CryptoPort } from '../../crypto/port.ts'
import type { SrtpKeys, SrtpSuite } from '../srtp/keys.ts'
import { SRTP_SUITES } from '../srtp/keys.ts'
import { decodeAnswer, decodeOffer, encodeAnswer, encodeOffer, MAX_GENERATION, profileOf } from './messages.ts'

export const HOP_EXPORTER_LABEL = 'EXPORTER-stc-hop-v1'
export const HOP_EXPORTER_LENGTH = 64
/** Gives TLS-Exporter(HOP_EXPORTER_LABEL, context, HOP_EXPORTER_LENGTH) of the connection (RFC 8446 §7.5). */
export type HopExporter = (contextHash: Uint8Array) => Uint8Array

/** AES-GCM first; the third for peers without it. */
export const HOP_SUITES: readonly SrtpSuite[] = ['AEAD_AES_128_GCM', 'AEAD_AES_256_GCM', 'AES_CM_128_HMAC_SHA1_80']

export interface HopKeys {
  readonly generation: number
  readonly receive: SrtpKeys
  readonly send: SrtpKeys
}

const CLIENT_TO_SERVER = 0
const SERVER_TO_CLIENT = 1

/** What the client keeps until the answer comes. Good for one answer. */
export class HopOfferState implements Disposable {
  readonly generation: number
  readonly suites: readonly SrtpSuite[]
  readonly message: Uint8Array
  readonly share: Uint8Array
  #secrets: { readonly x25519: Uint8Array; readonly kem: Uint8Array } | undefined

  constructor(generation: number, suites: readonly SrtpSuite[], message: Uint8Array, share: Uint8Array, x25519: Uint8Array, kem: Uint8Array) {
    this.generation = generation
    this.suites = suites
    this.message = message
    this.share = share
    this.#secrets = { x25519, kem }
  }
  /** The private keys, to whoever asks first: they are not for a second answer. */
  spend(): { readonly x25519: Uint8Array; readonly kem: Uint8Array } | undefined {
    const secrets = this.#secrets
    this.#secrets = undefined
    return secrets
  }
  [Symbol.dispose](): void {
    const secrets = this.spend()
    secrets?.x25519.fill(0)
    secrets?.kem.fill(0)
  }
}

/**
 * The client's message. `generation` counts up from 1 on each connection and is never used again
 * there; `suites` in order of preference. Throws on a generation or suite list that cannot be sent.
 */
export function createHopOffer(crypto: CryptoPort, offer: { readonly generation: number; readonly suites: readonly SrtpSuite[] }): { readonly message: Uint8Array; readonly state: HopOfferState } {
  const { generation, suites } = offer
  if (!Number.isInteger(generation) || generation < 1 || generation > MAX_GENERATION) throw new RangeError(`hop generation ${generation}`)
  if (suites.length === 0) throw new RangeError('a hop offer needs a suite')
  const dh = crypto.dhKeyPair('x25519')
  const kem = crypto.kemKeyPair('ml-kem-768')
  const message = encodeOffer({ generation, suites, share: dh.publicKey, kemKey: kem.publicKey })
  return { message, state: new HopOfferState(generation, suites, message, dh.publicKey, dh.privateKey, kem.privateKey) }
}

export interface HopAnswerRules {
  /** The newest generation answered on this connection, 0 for none: anything up to it is refused. */
  readonly after: number
  /** What the server allows; the client's preference decides among them. */
  readonly suites: readonly SrtpSuite[]
}

/** The server's side: message and keys. The caller remembers the generation for the next `after`. */
export function answerHopOffer(crypto: CryptoPort, message: Uint8Array, exporter: HopExporter, rules: HopAnswerRules): Result<HopKeys & { readonly message: Uint8Array }> {
  const decoded = decodeOffer(message)
  if (!decoded.ok) return decoded
  const offer = decoded.value
  if (offer.generation <= rules.after) return err('HOP_GENERATION', `${offer.generation} after ${rules.after}`)
  const suite = offer.suites.find((s) => rules.suites.includes(s))
  if (suite === undefined) return err('HOP_SUITE', `offered: ${offer.suites.join(', ')}`)
  const dh = crypto.dhKeyPair('x25519')
  const x25519 = crypto.dh('x25519', dh.privateKey, offer.share)
  if (x25519 === undefined) return err('HOP_SHARE', 'X25519')
  const kem = crypto.kemEncapsulate('ml-kem-768', offer.kemKey)
  if (kem === undefined) return err('HOP_SHARE', 'ML-KEM')
  const answer = encodeAnswer({ generation: offer.generation, suite, share: dh.publicKey, ciphertext: kem.ciphertext })
  const prk = extract(crypto, exporter, message, answer, kem.shared, x25519)
  return ok({
    message: answer,
    generation: offer.generation,
    receive: expand(crypto, prk, CLIENT_TO_SERVER, suite, offer.generation),
    send: expand(crypto, prk, SERVER_TO_CLIENT, suite, offer.generation),
  })
}

/** The client's end. The state is spent by the first answer, good or bad. */
export function finishHop(crypto: CryptoPort, state: HopOfferState, answer: Uint8Array, exporter: HopExporter): Result<HopKeys> {
  const secrets = state.spend()
  if (secrets === undefined) return err('HOP_GENERATION', 'a second answer to one offer')
  const decoded = decodeAnswer(answer)
  if (!decoded.ok) return decoded
  const { generation, suite, share, ciphertext } = decoded.value
  if (generation !== state.generation) return err('HOP_GENERATION', `${generation} answers ${state.generation}`)
  if (!state.suites.includes(suite)) return err('HOP_SUITE', `${suite} was not offered`)
  if (sameBytes(share, state.share)) return err('HOP_SHARE', 'our own came back')
  const x25519 = crypto.dh('x25519', secrets.x25519, share)
  if (x25519 === undefined) return err('HOP_SHARE', 'X25519')
  const kem = crypto.kemDecapsulate('ml-kem-768', secrets.kem, ciphertext)
  if (kem === undefined) return err('HOP_SHARE', 'ML-KEM')
  const prk = extract(crypto, exporter, state.message, answer, kem, x25519)
  secrets.x25519.fill(0)
  secrets.kem.fill(0)
  return ok({
    generation,
    receive: expand(crypto, prk, SERVER_TO_CLIENT, suite, generation),
    send: expand(crypto, prk, CLIENT_TO_SERVER, suite, generation),
  })
}

function extract(crypto: CryptoPort, exporter: HopExporter, offer: Uint8Array, answer: Uint8Array, kem: Uint8Array, x25519: Uint8Array): Uint8Array {
  const salt = exporter(crypto.hash('sha512', offer, answer))
  if (salt.length !== HOP_EXPORTER_LENGTH) throw new RangeError(`TLS exporter gave ${salt.length} octets`)
  const ikm = concat(kem, x25519)
  const prk = crypto.hkdfExtract('sha512', salt, ikm)
  ikm.fill(0)
  return prk
}

function expand(crypto: CryptoPort, prk: Uint8Array, direction: number, suite: SrtpSuite, generation: number): SrtpKeys {
  const { keyLength, saltLength } = SRTP_SUITES[suite]
  const info = new ByteWriter(16).put(utf8('stc hop')).u8(direction).u16(profileOf(suite)).u32(generation).finish()
  const okm = crypto.hkdfExpand('sha512', prk, info, keyLength + saltLength)
  return { suite, masterKey: okm.slice(0, keyLength), masterSalt: okm.slice(keyLength) }
}
