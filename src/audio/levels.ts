/** Audio levels in −dBov as an octet: 0 is full scale, 127 is silence (RFC 6464 §3). */

export const SILENCE_LEVEL = 127

/** Level of a frame: root mean square against the overload point. */
export function frameLevel(pcm: Int16Array): number {
  let energy = 0
  for (let i = 0; i < pcm.length; i++) energy += pcm[i]! * pcm[i]!
  return levelOfPower(pcm.length === 0 ? 0 : energy / pcm.length)
}

/** `power`: mean square of 16-bit samples. */
export function levelOfPower(power: number): number {
  if (power <= 0) return SILENCE_LEVEL
  return Math.min(SILENCE_LEVEL, Math.max(0, Math.round(10 * Math.log10((32767 * 32767) / power))))
}

/** Amplitude (root mean square, 16-bit samples) of a level. */
export const amplitudeOfLevel = (level: number): number => 32767 * 10 ** (-level / 20)
