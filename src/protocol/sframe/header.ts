/**
 * The SFrame header (RFC 9605 §4.3): key id and counter in as few octets as they need.
 *
 *  0 1 2 3 4 5 6 7
 * |X|  K  |Y|  C  |   KID... │ CTR...
 *
 * X = 0: K is the KID (0–7); X = 1: the KID follows in K + 1 octets. Y, C and CTR alike.
 */
import type { Result } from '../../base/result.ts'
import { err, ok } from '../../base/result.ts'

export const SFRAME_MAX_HEADER = 17
const INLINE = 8n
/** By number of octets: the first value that needs more. */
const FIRST_OF_MORE = Array.from({ length: 8 }, (_, octets) => 1n << BigInt(8 * octets))

export interface SFrameHeader {
  /** Both are 64 bits unsigned. */
  readonly kid: bigint
  readonly ctr: bigint
  /** Octets. */
  readonly length: number
}

export function encodeHeader(kid: bigint, ctr: bigint): Uint8Array {
  const kidOctets = octetsOf(kid)
  const ctrOctets = octetsOf(ctr)
  const out = new Uint8Array(1 + kidOctets + ctrOctets)
  out[0] = (field(kid, kidOctets) << 4) | field(ctr, ctrOctets)
  writeInteger(out, 1, kidOctets, kid)
  writeInteger(out, 1 + kidOctets, ctrOctets, ctr)
  return out
}

/** Refuses values that are not in their shortest form: one header per (KID, CTR). */
export function decodeHeader(frame: Uint8Array): Result<SFrameHeader> {
  const config = frame[0]
  if (config === undefined) return err('SFRAME_MALFORMED', 'empty')
  const kidOctets = followingOctets(config >> 4)
  const ctrOctets = followingOctets(config & 0x0f)
  const length = 1 + kidOctets + ctrOctets
  if (frame.length < length) return err('SFRAME_MALFORMED', 'header cut off')
  const kid = kidOctets === 0 ? BigInt((config >> 4) & 7) : readInteger(frame, 1, kidOctets)
  const ctr = ctrOctets === 0 ? BigInt(config & 7) : readInteger(frame, 1 + kidOctets, ctrOctets)
  if (octetsOf(kid) !== kidOctets || octetsOf(ctr) !== ctrOctets) return err('SFRAME_MALFORMED', 'header is not in its shortest form')
  return ok({ kid, ctr, length })
}

/** Four bits: flag and length, or the value itself. */
const field = (value: bigint, octets: number): number => (octets === 0 ? Number(value) : 8 | (octets - 1))
const followingOctets = (bits: number): number => (bits < 8 ? 0 : (bits & 7) + 1)

function octetsOf(value: bigint): number {
  if (value < INLINE) return 0
  let octets = 1
  while (octets < 8 && value >= FIRST_OF_MORE[octets]!) octets++
  return octets
}

function writeInteger(out: Uint8Array, at: number, octets: number, value: bigint): void {
  for (let i = octets - 1, rest = value; i >= 0; i--, rest >>= 8n) out[at + i] = Number(rest & 0xffn)
}

function readInteger(bytes: Uint8Array, at: number, octets: number): bigint {
  // Up to 48 bits as a number: one large integer is made instead of two per octet.
  if (octets <= 6) return BigInt(readNumber(bytes, at, octets))
  return (BigInt(readNumber(bytes, at, octets - 4)) << 32n) | BigInt(readNumber(bytes, at + octets - 4, 4))
}

function readNumber(bytes: Uint8Array, at: number, octets: number): number {
  let value = 0
  for (let i = 0; i < octets; i++) value = value * 0x100 + bytes[at + i]!
  return value
}
