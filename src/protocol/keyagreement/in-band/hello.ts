/**
 * What the low bits carry: version (1) ‖ X25519 share (32) ‖ CRC (3), 36 octets in 32 blocks of 9 bits, over and over. Repetition is the code
 * against loss.
 */
import { concat } from '../../../base/bytes.ts'
import { DATA_BITS, readBits, UNIT, writeBits } from './low-bits.ts'

const VERSION = 1
const OCTETS = 36
export const BLOCKS = (OCTETS * 8) / DATA_BITS
/** Newest frames that are looked at, and how many of them must fit: by chance one in 32 does. */
const WINDOW = 16
const FITTING = 10
/** Share of frames whose index follows the one before, of those that were counted: by chance 0.03. */
const COUNTED = 8 * BLOCKS
const FOLLOWING = 0.1

export function encodeHello(share: Uint8Array): Uint8Array {
  const body = concat(Uint8Array.of(VERSION), share)
  return concat(body, crc24(body))
}

function decodeHello(bytes: Uint8Array): Uint8Array | undefined {
  const body = bytes.subarray(0, OCTETS - 3)
  return body[0] === VERSION && crc24(body).every((o, i) => o === bytes[OCTETS - 3 + i]) ? body.slice(1) : undefined
}

const bitsOf = (values: readonly number[], bits: number): string => values.map((v) => v.toString(2).padStart(bits, '0')).join('')
const valuesOf = (text: string, bits: number): number[] => Array.from({ length: Math.floor(text.length / bits) }, (_, i) => Number.parseInt(text.slice(i * bits, (i + 1) * bits), 2))

/** Writes a hello into the frames that go out, block after block. */
export class HelloWriter {
  readonly #blocks: readonly number[]
  #next = 0

  constructor(share: Uint8Array) {
    this.#blocks = valuesOf(bitsOf([...encodeHello(share)], 8), DATA_BITS)
  }
  /** In place, in every whole unit of 160 octets. `answered`: we have the other side's share. */
  write(payload: Uint8Array, answered: boolean): void {
    for (let at = 0; at + UNIT <= payload.length; at += UNIT) {
      writeBits(payload, at, { index: this.#next, data: this.#blocks[this.#next]!, answered })
      this.#next = (this.#next + 1) % BLOCKS
    }
  }
}

export type PathVerdict =
  /** Too little was seen, or the other side has no stc. */
  | 'unknown'
  /** What the other side wrote arrives octet for octet. */
  | 'transparent'
  /** The other side writes, and somebody in between converts its sound. */
  | 'converts'

/** Reads the low bits of what comes in. Of an ordinary phone nothing is ever found. */
export class HelloReader {
  /** Blocks of frames whose check fitted. */
  readonly #blocks: (number | undefined)[] = Array<number | undefined>(BLOCKS).fill(undefined)
  #recent: { readonly fits: boolean; readonly answered: boolean }[] = []
  #order: number[] = []
  #share: Uint8Array | undefined
  #answered = false

  /** The other side's share, once a whole hello came. */
  get share(): Uint8Array | undefined {
    return this.#share
  }
  /** The other side has ours. */
  get answered(): boolean {
    return this.#answered
  }
  get verdict(): PathVerdict {
    if (this.#recent.filter((r) => r.fits).length >= FITTING) return 'transparent'
    return this.#counts() || this.#share !== undefined ? 'converts' : 'unknown'
  }

  read(payload: Uint8Array): void {
    for (let at = 0; at + UNIT <= payload.length; at += UNIT) this.#unit(payload, at)
  }

  #unit(payload: Uint8Array, at: number): void {
    const { index, data, fits, answered } = readBits(payload, at)
    this.#recent = [...this.#recent, { fits, answered }].slice(-WINDOW)
    this.#order = [...this.#order, index].slice(-COUNTED)
    if (this.#recent.filter((r) => r.answered).length >= FITTING) this.#answered = true
    if (!fits || this.#share !== undefined) return
    this.#blocks[index] = data
    if (!this.#blocks.includes(undefined)) this.#share = decodeHello(Uint8Array.from(valuesOf(bitsOf(this.#blocks as number[], DATA_BITS), 8)))
  }

  /** In order, but not fitting: somebody counts to 32 in the low bits, and the rest of the frames was made anew. */
  #counts(): boolean {
    const following = this.#order.filter((n, i) => i > 0 && n === (this.#order[i - 1]! + 1) % BLOCKS).length
    return this.#order.length === COUNTED && following > FOLLOWING * COUNTED
  }
}

/** CRC-24 of RFC 9580 §6.1. */
function crc24(bytes: Uint8Array): Uint8Array {
  let crc = 0xb704ce
  for (const octet of bytes) {
    crc ^= octet << 16
    for (let i = 0; i < 8; i++) crc = (crc << 1) ^ ((crc & 0x800000) !== 0 ? 0x1864cfb : 0)
  }
  return Uint8Array.of((crc >> 16) & 0xff, (crc >> 8) & 0xff, crc & 0xff)
}
