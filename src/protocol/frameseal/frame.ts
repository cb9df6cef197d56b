/**
 * One sealed codec frame (docs/protocol/sealed-calls.md §3), as long as the plain one:
 *
 *   0        4                                n − 16        n
 *   ┌────────┬─────────────────────────────────┬────────────┐
 *   │ header │ ciphertext (packed, zero-padded) │ tag (16)   │    header: kind (1) ‖ epoch (3) ‖ counter (28)
 *   └────────┴─────────────────────────────────┴────────────┘
 *
 * The header is masked with AES under a key of its own over the tag (as RFC 9001 §5.4.3 does), so that the whole looks random.
 */
import { concat, utf8 } from '../../base/bytes.ts'
import type { CryptoPort } from '../../crypto/port.ts'

export const HEADER = 4
export const TAG = 16
export const SHORTEST_FRAME = 160
/** 60 ms of G.722 or G.711 at 64 kbit/s. */
export const LONGEST_FRAME = 480
export const COUNTER_BITS = 28
export const EPOCHS = 8

export type SealedCodec = 'g722' | 'pcmu' | 'pcma'
const CODEC_NUMBER: Readonly<Record<SealedCodec, number>> = { g722: 1, pcmu: 2, pcma: 3 }
const LABEL = utf8('stc-sealed-1')

export const fits = (octets: number): boolean => octets >= SHORTEST_FRAME && octets <= LONGEST_FRAME && octets % 8 === 0
/** Octets of payload in a frame of n. */
export const capacity = (octets: number): number => octets - HEADER - TAG

/** Keys of one direction and epoch. */
export interface DirectionKeys {
  /** AES-256. */
  readonly key: Uint8Array
  /** 12 octets. */
  readonly salt: Uint8Array
  /** AES-256, for the header. */
  readonly mask: Uint8Array
}

export interface Header {
  readonly control: boolean
  readonly epoch: number
  readonly counter: number
}

export const encodeHeader = ({ control, epoch, counter }: Header): number => (((control ? 8 : 0) | epoch) * 2 ** COUNTER_BITS + counter) >>> 0
export const decodeHeader = (header: number): Header => ({ control: header >>> 31 === 1, epoch: (header >>> COUNTER_BITS) & 7, counter: header & (2 ** COUNTER_BITS - 1) })

/** `nonce = salt XOR (0^8 ‖ header)`, AAD = label ‖ codec ‖ n ‖ header. */
function parameters(codec: SealedCodec, octets: number, salt: Uint8Array, header: number): { nonce: Uint8Array; aad: Uint8Array } {
  const h = u32(header)
  const nonce = salt.slice()
  for (let i = 0; i < HEADER; i++) nonce[8 + i]! ^= h[i]!
  return { nonce, aad: concat(LABEL, Uint8Array.of(CODEC_NUMBER[codec], octets >> 8, octets & 0xff), h) }
}

/** `payload` of at most `capacity(octets)`; the caller proves that (key, header) is fresh. */
export function sealFrame(crypto: CryptoPort, codec: SealedCodec, keys: DirectionKeys, header: number, payload: Uint8Array, octets: number): Uint8Array {
  const { nonce, aad } = parameters(codec, octets, keys.salt, header)
  const padded = new Uint8Array(capacity(octets))
  padded.set(payload)
  const frame = concat(u32(header), crypto.aeadSeal('aes-256-gcm', keys.key, nonce, aad, padded))
  return maskHeader(crypto, keys.mask, frame)
}

/** Undefined when the tag does not fit. `unmasked` is the header as `unmask` gave it for these keys. */
export function openFrame(crypto: CryptoPort, codec: SealedCodec, keys: DirectionKeys, unmasked: number, frame: Uint8Array): Uint8Array | undefined {
  const { nonce, aad } = parameters(codec, frame.length, keys.salt, unmasked)
  return crypto.aeadOpen('aes-256-gcm', keys.key, nonce, aad, frame.subarray(HEADER))
}

export function unmask(crypto: CryptoPort, mask: Uint8Array, frame: Uint8Array): number {
  const pad = crypto.aesCtr(mask, frame.subarray(frame.length - TAG), new Uint8Array(HEADER))
  return ((((frame[0]! ^ pad[0]!) << 24) | ((frame[1]! ^ pad[1]!) << 16) | ((frame[2]! ^ pad[2]!) << 8) | (frame[3]! ^ pad[3]!)) >>> 0)
}

function maskHeader(crypto: CryptoPort, mask: Uint8Array, frame: Uint8Array): Uint8Array {
  frame.set(u32(unmask(crypto, mask, frame)))
  return frame
}

const u32 = (n: number): Uint8Array => Uint8Array.of(n >>> 24, (n >>> 16) & 0xff, (n >>> 8) & 0xff, n & 0xff)
