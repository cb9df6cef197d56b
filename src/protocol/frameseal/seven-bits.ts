/**
 * The upper seven bits of each octet of a codec frame, packed: eight octets become seven. G.722 and G.711 are built so that the
 * lowest bit is worth least (ITU-T G.722 modes 2 and 3 give it away by design).
 */

/** Octets that a frame of `octets` (a multiple of 8) packs into. */
export const packedLength = (octets: number): number => (octets / 8) * 7

/** `out` takes `packedLength(frame.length)` octets, most significant bits first. */
export function packSeven(frame: Uint8Array, out: Uint8Array): void {
  for (let from = 0, to = 0; from < frame.length; from += 8, to += 7) {
    for (let i = 0; i < 7; i++) {
      const high = (frame[from + i]! >> 1) << (i + 1)
      out[to + i] = (high & 0xff) | (frame[from + i + 1]! >> (7 - i))
    }
  }
}

/** The lowest bits come out as `low` (0 or 1). */
export function unpackSeven(packed: Uint8Array, out: Uint8Array, low: 0 | 1): void {
  for (let to = 0, bit = 0; to < out.length; to++, bit += 7) {
    const at = bit >> 3
    const two = (packed[at]! << 8) | (packed[at + 1] ?? 0)
    out[to] = (((two >> (9 - (bit & 7))) & 0x7f) << 1) | low
  }
}
