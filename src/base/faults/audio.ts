import type { FaultEntry } from './index.ts'

export const audioFaults = {
  AUDIO_INTERNAL: { what: 'Internal error in the audio layer', todo: 'Please report it with the log.' },
  AUDIO_OPUS_UNAVAILABLE: { what: 'The Opus codec could not be started', todo: 'Run "npm install" again, or use the codec G.722.' },
  AUDIO_WAV_INVALID: { what: 'This is not a usable WAV file', todo: 'Convert it to PCM, 16 bit, mono, 8 to 48 kHz.' },
  AUDIO_TOO_SHORT: { what: 'Too little audio for a measurement', todo: 'Record for longer.' },
} as const satisfies Record<string, FaultEntry>
