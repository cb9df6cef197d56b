import type { FaultEntry } from './index.ts'

export const channelFaults = {
  CHANNEL_INTERNAL: { what: 'Internal error in the channel layer', todo: 'Please report it with the log.' },
} as const satisfies Record<string, FaultEntry>
