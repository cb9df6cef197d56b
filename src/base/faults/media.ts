import type { FaultEntry } from './index.ts'

export const mediaFaults = {
  MEDIA_INTERNAL: { what: 'Internal error in the media layer', todo: 'Please report it with the log.' },
} as const satisfies Record<string, FaultEntry>
