/**
 * ITU-T G.711: PCMU (µ-law) and PCMA (A-law), 8 kHz, one octet per sample.
 * Encoding is by table over the sixteen-bit sample, decoding by table over the octet.
 */

/** µ-law adds this before taking the logarithm (G.711 table 2, 16-bit scale). */
const MU_BIAS = 0x84
const MU_CLIP = 32635

function muLawOctet(sample: number): number {
  const sign = sample < 0 ? 0x80 : 0
  const magnitude = Math.min(sample < 0 ? -sample : sample, MU_CLIP) + MU_BIAS
  const exponent = 31 - Math.clz32(magnitude) - 7
  const mantissa = (magnitude >> (exponent + 3)) & 0x0f
  return ~(sign | (exponent << 4) | mantissa) & 0xff
}

function muLawSample(octet: number): number {
  const code = ~octet & 0xff
  const magnitude = ((((code & 0x0f) << 3) + MU_BIAS) << ((code >> 4) & 7)) - MU_BIAS
  return (code & 0x80) !== 0 ? -magnitude : magnitude
}

/** Even bits are inverted on the line (G.711 table 1). */
const A_INVERT = 0x55

function aLawOctet(sample: number): number {
  // A-law has 13 bits; a negative value is mirrored so that -1 and 0 lie in neighbouring intervals.
  const value = sample >> 3
  const sign = value >= 0 ? 0x80 : 0
  const magnitude = value >= 0 ? value : -value - 1
  const exponent = magnitude < 32 ? 0 : 31 - Math.clz32(magnitude) - 4
  const mantissa = (exponent < 2 ? magnitude >> 1 : magnitude >> exponent) & 0x0f
  return (sign | (exponent << 4) | mantissa) ^ A_INVERT
}

function aLawSample(octet: number): number {
  const code = octet ^ A_INVERT
  const exponent = (code >> 4) & 7
  const mantissa = code & 0x0f
  const magnitude = exponent === 0 ? (mantissa << 4) + 8 : ((mantissa << 4) + 0x108) << (exponent - 1)
  return (code & 0x80) !== 0 ? magnitude : -magnitude
}

export interface Law {
  /** Indexed by the sample as unsigned 16 bits. */
  readonly encode: Uint8Array
  /** Indexed by the octet. */
  readonly decode: Int16Array
}

function law(octetOf: (sample: number) => number, sampleOf: (octet: number) => number): Law {
  return {
    encode: Uint8Array.from({ length: 0x10000 }, (_, i) => octetOf((i << 16) >> 16)),
    decode: Int16Array.from({ length: 256 }, (_, i) => sampleOf(i)),
  }
}

export const muLaw: Law = law(muLawOctet, muLawSample)
export const aLaw: Law = law(aLawOctet, aLawSample)

/** `out` needs the length of `pcm`. */
export function encodeG711(table: Law, pcm: Int16Array, out: Uint8Array): void {
  for (let i = 0; i < pcm.length; i++) out[i] = table.encode[pcm[i]! & 0xffff]!
}

/** `out` needs the length of `octets`. */
export function decodeG711(table: Law, octets: Uint8Array, out: Int16Array): void {
  for (let i = 0; i < octets.length; i++) out[i] = table.decode[octets[i]!]!
}
