/** Unique tones, and whether they are heard. */

/** A sine of 16 kHz PCM, a whole number of periods long so that it loops without a seam. */
export function tone(hz: number, seconds = 1, amplitude = 8000): Int16Array {
  const out = new Int16Array(16_000 * seconds)
  for (let i = 0; i < out.length; i++) out[i] = Math.round(amplitude * Math.sin((2 * Math.PI * hz * i) / 16_000))
  return out
}

/** Amplitude of one frequency in a stretch of PCM (Goertzel). */
export function toneIn(pcm: Int16Array, hz: number): number {
  const w = (2 * Math.PI * hz) / 16_000
  let re = 0
  let im = 0
  for (let i = 0; i < pcm.length; i++) {
    re += pcm[i]! * Math.cos(w * i)
    im += pcm[i]! * Math.sin(w * i)
  }
  return pcm.length === 0 ? 0 : (2 * Math.hypot(re, im)) / pcm.length
}

/** The share of windows of 200 ms in which the tone is heard clearly: levelling may take 9 dB from it. */
export function heardShare(pcm: Int16Array, hz: number, amplitude = 8000): number {
  const size = 3200
  let heard = 0
  let windows = 0
  for (let at = 0; at + size <= pcm.length; at += size, windows++) {
    // In pieces of 40 ms: a player that corrects its delay shifts the pitch by up to one per cent.
    let sum = 0
    for (let i = 0; i < size; i += 640) sum += toneIn(pcm.subarray(at + i, at + i + 640), hz)
    if (sum / 5 >= amplitude / 5) heard++
  }
  return windows === 0 ? 0 : heard / windows
}
