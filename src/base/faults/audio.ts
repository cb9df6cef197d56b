import type { FaultEntry } from './index.ts'

export const audioFaults = {
  AUDIO_INTERNAL: { what: 'Internal error in the audio layer', todo: 'Please report it with the log.' },
} as const satisfies Record<string, FaultEntry>
