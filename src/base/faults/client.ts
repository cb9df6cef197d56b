import type { FaultEntry } from './index.ts'

export const clientFaults = {
  CLIENT_INTERNAL: { what: 'Internal error in the client layer', todo: 'Please report it with the log.' },
} as const satisfies Record<string, FaultEntry>
