import type { FaultEntry } from './index.ts'

export const sipFaults = {
  SIP_INTERNAL: { what: 'Internal error in the sip layer', todo: 'Please report it with the log.' },
} as const satisfies Record<string, FaultEntry>
