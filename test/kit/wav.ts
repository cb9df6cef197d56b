/** WAV files of tests: 16-bit PCM, read from phones that may still be writing them or died while doing so. */
import { readFileSync, writeFileSync } from 'node:fs'

/** Mono, 16 bits. */
export interface Pcm {
  /** Samples per second. */
  readonly rate: number
  readonly samples: Int16Array
}

export function writeWav(file: string, pcm: Pcm): void {
  const data = Buffer.alloc(44 + 2 * pcm.samples.length)
  data.write('RIFF', 0, 'latin1')
  data.writeUInt32LE(data.length - 8, 4)
  data.write('WAVEfmt ', 8, 'latin1')
  data.writeUInt32LE(16, 16)
  data.writeUInt16LE(1, 20)
  data.writeUInt16LE(1, 22)
  data.writeUInt32LE(pcm.rate, 24)
  data.writeUInt32LE(2 * pcm.rate, 28)
  data.writeUInt16LE(2, 32)
  data.writeUInt16LE(16, 34)
  data.write('data', 36, 'latin1')
  data.writeUInt32LE(2 * pcm.samples.length, 40)
  // As every processor here has them: microphones of minutes are written while others talk.
  Buffer.from(pcm.samples.buffer, pcm.samples.byteOffset, pcm.samples.byteLength).copy(data, 44)
  writeFileSync(file, data)
}

/**
 * Channels are averaged. A data chunk whose length is 0 or too long (a recorder that has not closed
 * its file) reaches to the end of the file. Throws on anything but 16-bit PCM.
 *
 * `open` is for linphonec, which leaves 44 zero octets where the header will be, fills them in at
 * every end of its audio (hold), and goes on writing behind: the rate to assume meanwhile.
 */
export function readWav(file: string, open?: { readonly rate: number }): Pcm {
  const b = readFileSync(file)
  if (open !== undefined) {
    const headed = b.length >= 44 && b.toString('latin1', 0, 4) === 'RIFF'
    return { rate: headed ? b.readUInt32LE(24) : open.rate, samples: mono(b.subarray(Math.min(44, b.length)), headed ? b.readUInt16LE(22) : 1) }
  }
  if (b.length < 12 || b.toString('latin1', 0, 4) !== 'RIFF' || b.toString('latin1', 8, 12) !== 'WAVE') throw new Error(`${file} is no WAV file`)
  let format: { channels: number; rate: number } | undefined
  for (let at = 12; at + 8 <= b.length; ) {
    const id = b.toString('latin1', at, at + 4)
    const stated = b.readUInt32LE(at + 4)
    const body = at + 8
    if (id === 'fmt ') {
      if (b.readUInt16LE(body + 14) !== 16) throw new Error(`${file} is not 16-bit PCM`)
      format = { channels: b.readUInt16LE(body + 2), rate: b.readUInt32LE(body + 4) }
    }
    if (id === 'data' && format !== undefined) {
      const length = stated === 0 || body + stated > b.length ? b.length - body : stated
      return { rate: format.rate, samples: mono(b.subarray(body, body + length), format.channels) }
    }
    at = body + stated + (stated % 2)
  }
  return { rate: format?.rate ?? 8000, samples: new Int16Array(0) }
}

function mono(data: Buffer, channels: number): Int16Array {
  const length = Math.floor(data.length / (2 * channels))
  // Copied: the octets may stand at an odd place in their file.
  const all = new Int16Array(new Uint8Array(data.subarray(0, 2 * channels * length)).buffer)
  if (channels === 1) return all
  const samples = new Int16Array(length)
  for (let i = 0; i < length; i++) {
    let sum = 0
    for (let c = 0; c < channels; c++) sum += all[i * channels + c]!
    samples[i] = Math.round(sum / channels)
  }
  return samples
}

/** Part of a recording, in seconds from its start; negative `from`: from its end. */
export function part(pcm: Pcm, from: number, to = Number.POSITIVE_INFINITY): Pcm {
  const length = pcm.samples.length
  const at = (s: number): number => Math.max(0, Math.min(length, Math.round(s * pcm.rate)))
  const start = from < 0 ? Math.max(0, length + Math.round(from * pcm.rate)) : at(from)
  return { rate: pcm.rate, samples: pcm.samples.subarray(start, Number.isFinite(to) ? at(to) : length) }
}

export const seconds = (pcm: Pcm): number => pcm.samples.length / pcm.rate

/** One recording after the other; all of one rate. */
export function join(parts: readonly Pcm[]): Pcm {
  const rate = parts[0]?.rate ?? 8000
  if (parts.some((p) => p.rate !== rate)) throw new Error(`recordings of different rates: ${parts.map((p) => p.rate).join(', ')}`)
  const samples = new Int16Array(parts.reduce((n, p) => n + p.samples.length, 0))
  let at = 0
  for (const p of parts) {
    samples.set(p.samples, at)
    at += p.samples.length
  }
  return { rate, samples }
}
