import type { FaultEntry } from './index.ts'

export const cryptoFaults = {
  CRYPTO_INTERNAL: { what: 'Internal error in the crypto layer', todo: 'Please report it with the log.' },
} as const satisfies Record<string, FaultEntry>
