/** Big-endian fields of a packet whose bounds were checked before. */
export const readU16 = (b: Uint8Array, at: number): number => (b[at]! << 8) | b[at + 1]!
export const readU32 = (b: Uint8Array, at: number): number => (b[at]! * 0x1000000) + ((b[at + 1]! << 16) | (b[at + 2]! << 8) | b[at + 3]!)

export function writeU16(b: Uint8Array, at: number, v: number): void {
  b[at] = v >>> 8
  b[at + 1] = v
}

export function writeU32(b: Uint8Array, at: number, v: number): void {
  b[at] = v >>> 24
  b[at + 1] = v >>> 16
  b[at + 2] = v >>> 8
  b[at + 3] = v
}
