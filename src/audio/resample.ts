/** Whole recordings from one rate to another; for files and measurements. */
import { clip16 } from './clip.ts'

/** Zero crossings of the windowed sinc on each side. */
const CROSSINGS = 24

export function resample(pcm: Int16Array, fromRate: number, toRate: number): Int16Array {
  if (fromRate === toRate) return pcm.slice()
  const ratio = fromRate / toRate
  // Downwards the filter is as much wider as the band is narrower.
  const scale = Math.min(1, 0.95 / ratio)
  const reach = CROSSINGS / scale
  const out = new Int16Array(Math.floor(pcm.length / ratio))
  for (let i = 0; i < out.length; i++) {
    const centre = i * ratio
    const first = Math.max(0, Math.ceil(centre - reach))
    const last = Math.min(pcm.length - 1, Math.floor(centre + reach))
    let sum = 0
    for (let k = first; k <= last; k++) {
      const x = (k - centre) * scale
      const sinc = x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x)
      sum += pcm[k]! * sinc * (0.5 + 0.5 * Math.cos((Math.PI * x) / CROSSINGS))
    }
    out[i] = clip16(Math.round(sum * scale))
  }
  return out
}
