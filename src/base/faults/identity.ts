import type { FaultEntry } from './index.ts'

export const identityFaults = {
  IDENTITY_INTERNAL: { what: 'Internal error in the identity layer', todo: 'Please report it with the log.' },
} as const satisfies Record<string, FaultEntry>
