/**
 * Twenty bits in the lowest bits of a codec frame of 160 octets (docs/protocol/sealed-calls.md §4): one octet in eight, so that nobody hears
 * it. Each frame stands for itself: index (5) ‖ data (9) ‖ check (6) over the upper bits of the frame.
 *
 * The check tells a transparent path from one that converts: conversion between laws leaves most low bits as they were, but not
 * the upper ones of a whole frame.
 */

export const UNIT = 160
const STEP = 8
const BITS = UNIT / STEP
export const INDEX_BITS = 5
export const DATA_BITS = 9
const CHECK_BITS = BITS - INDEX_BITS - DATA_BITS

export interface Bits {
  readonly index: number
  readonly data: number
  /** The writer has the other side's share: told by another check, so that the blocks stay the same. */
  readonly answered: boolean
}

/** Changes at most 20 of the 160 octets, each by its lowest bit. In place. */
export function writeBits(frame: Uint8Array, at: number, { index, data, answered }: Bits): void {
  const word = (((index << DATA_BITS) | data) << CHECK_BITS) | check(frame, at, index, data, answered)
  for (let i = 0; i < BITS; i++) {
    const place = at + i * STEP + STEP - 1
    frame[place] = (frame[place]! & 0xfe) | ((word >> (BITS - 1 - i)) & 1)
  }
}

/** What is there; `fits` is false when neither check does: by chance one does once in 32 times. */
export function readBits(frame: Uint8Array, at: number): Bits & { readonly fits: boolean } {
  let word = 0
  for (let i = 0; i < BITS; i++) word = (word << 1) | (frame[at + i * STEP + STEP - 1]! & 1)
  const index = word >> (DATA_BITS + CHECK_BITS)
  const data = (word >> CHECK_BITS) & (2 ** DATA_BITS - 1)
  const found = word & (2 ** CHECK_BITS - 1)
  const answered = found === check(frame, at, index, data, true)
  return { index, data, answered, fits: answered || found === check(frame, at, index, data, false) }
}

/** CRC of 6 bits (ITU-T G.704) over index, data, the flag and the upper seven bits of every octet. */
function check(frame: Uint8Array, at: number, index: number, data: number, answered: boolean): number {
  let crc = 0
  const take = (value: number, bits: number): void => {
    for (let i = bits - 1; i >= 0; i--) crc = ((crc << 1) & 0x3f) ^ ((((crc >> 5) ^ (value >> i)) & 1) === 1 ? 0x03 : 0)
  }
  take(index, INDEX_BITS)
  take(data, DATA_BITS)
  for (let i = 0; i < UNIT; i++) take(frame[at + i]! >> 1, 7)
  // Last, so that it decides over the check as a whole.
  take(answered ? 0x2a : 0, CHECK_BITS)
  return crc
}
