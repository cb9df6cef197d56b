import type { FaultEntry } from './index.ts'

export const mlsFaults = {
  MLS_INTERNAL: { what: 'Internal error in the mls layer', todo: 'Please report it with the log.' },
} as const satisfies Record<string, FaultEntry>
