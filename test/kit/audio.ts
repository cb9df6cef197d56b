/** Signals for audio tests: deterministic, 16 kHz unless said otherwise. */
export function tone(hz: number, samples: number, amplitude = 8000, rate = 16_000, from = 0): Int16Array {
  return Int16Array.from({ length: samples }, (_, i) => Math.round(amplitude * Math.sin((2 * Math.PI * hz * (from + i)) / rate)))
}

/** A linear congruential generator: the same noise for the same seed. Gives 0 ≤ x < 1. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 0x1_0000_0000
  }
}

export function noise(samples: number, amplitude: number, seed = 1): Int16Array {
  const next = seeded(seed)
  return Int16Array.from({ length: samples }, () => Math.round((2 * next() - 1) * amplitude))
}

/** Harmonics of a gliding pitch with syllables and pauses: near enough to speech for buffers and codecs. */
export function babble(samples: number, seed = 1, amplitude = 6000): Int16Array {
  const next = seeded(seed)
  const base = 90 + 90 * next()
  const syllable = 2600 + Math.floor(2400 * next())
  let phase = 0
  let loud = true
  let gain = 0
  return Int16Array.from({ length: samples }, (_, i) => {
    if (i % syllable === 0) loud = next() < 0.7
    gain += ((loud ? 1 : 0) - gain) / 400
    phase += (2 * Math.PI * base * (1 + 0.15 * Math.sin(i / 9000))) / 16_000
    let v = 0
    for (let h = 1; h <= 12; h++) v += Math.sin(h * phase) / h
    return Math.round(amplitude * gain * (v / 2 + 0.1 * (next() - 0.5)))
  })
}

/** Signal-to-noise ratio in dB at the best lag within `maxLag`, after fitting the gain. */
export function snr(expected: Int16Array, got: Int16Array, maxLag = 0): number {
  let best = Number.NEGATIVE_INFINITY
  for (let lag = 0; lag <= maxLag; lag++) {
    let product = 0
    let ee = 1e-9
    let gg = 1e-9
    for (let i = 0; i + lag < got.length && i < expected.length; i++) {
      product += expected[i]! * got[i + lag]!
      ee += expected[i]! ** 2
      gg += got[i + lag]! ** 2
    }
    const coherent = product ** 2 / (ee * gg)
    best = Math.max(best, 10 * Math.log10(coherent / Math.max(1e-12, 1 - coherent)))
  }
  return best
}

/** Power of a pure tone against everything else, in dB. */
export function purity(hz: number, pcm: Int16Array, rate = 16_000): number {
  let c = 0
  let s = 0
  let power = 1e-9
  for (let i = 0; i < pcm.length; i++) {
    c += pcm[i]! * Math.cos((2 * Math.PI * hz * i) / rate)
    s += pcm[i]! * Math.sin((2 * Math.PI * hz * i) / rate)
    power += pcm[i]! ** 2
  }
  const share = Math.min(1, (2 * (c * c + s * s)) / pcm.length / power)
  return 10 * Math.log10(share / Math.max(1e-12, 1 - share))
}
