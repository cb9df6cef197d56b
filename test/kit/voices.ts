import { readFileSync } from 'node:fs'
import { speechOf } from '../../src/audio/wav.ts'
import { must } from '../../src/base/result.ts'

export const voiceNames = ['coast', 'meadow', 'harbour', 'orchard', 'river', 'summit'] as const
export type VoiceName = (typeof voiceNames)[number]

/** A demo voice, 16 kHz PCM. */
export function voice(name: VoiceName): Int16Array {
  return must(speechOf(readFileSync(new URL(`../../demo/voices/${name}.wav`, import.meta.url))))
}
