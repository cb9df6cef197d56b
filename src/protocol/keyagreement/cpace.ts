/**
 * CPace over ristretto255 with SHA-512 (draft-irtf-cfrg-cpace, CPACE-RISTR255-SHA512, initiator and responder): of a password that both
 * people know each side gets a secret, and whoever records it gets nothing to try passwords on; whoever takes part has one try.
 */
import { ristretto255, ristretto255_hasher } from '@noble/curves/ed25519.js'
import { bytesToNumberLE } from '@noble/curves/utils.js'
import { concat, utf8 } from '../../base/bytes.ts'
import type { CryptoPort } from '../../crypto/port.ts'

const DSI = utf8('CPaceRistretto255')
const DSI_ISK = utf8('CPaceRistretto255_ISK')
/** Input block of SHA-512. */
const BLOCK = 128
const SCALAR = 32
const NOTHING = new Uint8Array(0)
const { Point } = ristretto255

export interface CpaceInputs {
  readonly password: Uint8Array
  /** What both must agree on besides (CI). */
  readonly channel: Uint8Array
  /** Empty where nothing is known beforehand. */
  readonly session?: Uint8Array
}

export interface CpaceShare {
  /** 32 octets, for the other side. */
  readonly share: Uint8Array
  /** Little-endian scalar. */
  readonly secret: Uint8Array
}

/** `secret`: for known answers alone. */
export function cpaceShare(crypto: Pick<CryptoPort, 'hash' | 'bytes'>, inputs: CpaceInputs, secret = sampleScalar(crypto)): CpaceShare {
  return { share: generator(crypto, inputs).multiply(scalarOf(secret)).toBytes(), secret }
}

/** 64 octets (ISK); undefined for a share that is none, and for the neutral element (§7.4). */
export function cpaceSecret(crypto: Pick<CryptoPort, 'hash'>, own: CpaceShare, theirs: Uint8Array, initiator: boolean, session: Uint8Array = NOTHING, data: { readonly own: Uint8Array; readonly theirs: Uint8Array } = { own: NOTHING, theirs: NOTHING }): Uint8Array | undefined {
  const k = multiplyVerified(own.secret, theirs)
  if (k === undefined) return undefined
  const [mine, other] = [lengthValue(own.share, data.own), lengthValue(theirs, data.theirs)]
  const secret = crypto.hash('sha512', lengthValue(DSI_ISK, session, k), ...(initiator ? [mine, other] : [other, mine]))
  k.fill(0)
  return secret
}

/** G.scalar_mult_vfy (§8.3). */
export function multiplyVerified(secret: Uint8Array, point: Uint8Array): Uint8Array | undefined {
  try {
    const k = Point.fromBytes(point).multiply(scalarOf(secret))
    return k.is0() ? undefined : k.toBytes()
  } catch {
    return undefined // No encoding of an element (RFC 9496 §4.3.1).
  }
}

/** G.calculate_generator (§8.3): the password and zeros fill the first block of the hash. */
export function generator(crypto: Pick<CryptoPort, 'hash'>, { password, channel, session = NOTHING }: CpaceInputs): InstanceType<typeof Point> {
  const used = 1 + lengthValue(password, DSI).length
  const padding = new Uint8Array(Math.max(0, BLOCK - used))
  return ristretto255_hasher.deriveToCurve!(crypto.hash('sha512', lengthValue(DSI, password, padding, channel, session))) as InstanceType<typeof Point>
}

/** 252 bits: always below the order. */
function sampleScalar(crypto: Pick<CryptoPort, 'bytes'>): Uint8Array {
  const secret = crypto.bytes(SCALAR)
  secret[SCALAR - 1]! &= 0x0f
  return secret
}
const scalarOf = (secret: Uint8Array): bigint => Point.Fn.create(bytesToNumberLE(secret))

/** lv_cat (§5.1): each part behind its length in LEB128. */
export function lengthValue(...parts: readonly Uint8Array[]): Uint8Array {
  return concat(...parts.flatMap((p) => [leb128(p.length), p]))
}
function leb128(n: number): Uint8Array {
  const out: number[] = []
  for (; n >= 128; n >>>= 7) out.push((n & 0x7f) | 0x80)
  return Uint8Array.from([...out, n])
}
