import type { FaultEntry } from './index.ts'

const NOT_PLAYED = 'The frame is not played; nothing needs to be done if it stops within a second.'

/** Frames of sealed calls and the agreement on their keys. */
export const sealedCallFaults = {
  FRAMESEAL_LENGTH: { what: 'A sealed frame has a length that none has', todo: NOT_PLAYED },
  FRAMESEAL_NO_KEYS: { what: 'Nothing can be sealed yet', todo: 'Wait until the other side has agreed on keys.' },
  FRAMESEAL_REPLAYED: { what: 'A sealed frame came twice', todo: NOT_PLAYED },
  FRAMESEAL_OLD: { what: 'A sealed frame came long after its turn', todo: NOT_PLAYED },
  FRAMESEAL_FORGED: { what: 'A frame is not from the other side, or was changed on the way', todo: 'It is not played. If all are, the way between converts the sound: ask the provider for a codec without conversion.' },
  FRAMESEAL_EXHAUSTED: { what: 'All numbers of frames under this key are used', todo: 'New keys are agreed on by themselves; if sound stays away, call again.' },
  FRAMESEAL_EPOCH_REUSED: { what: 'An epoch was to be used a second time before its old key was gone', todo: 'Please report it with the log.' },
} as const satisfies Record<string, FaultEntry>
