import type { FaultEntry } from './index.ts'

export const configFaults = {
  CONFIG_INTERNAL: { what: 'Internal error in the config layer', todo: 'Please report it with the log.' },
} as const satisfies Record<string, FaultEntry>
