import type { FaultEntry } from './index.ts'

export const cryptoFaults = {
  CRYPTO_INTERNAL: { what: 'Internal error in the crypto layer', todo: 'Please report it with the log.' },
  CRYPTO_SELF_TEST: { what: 'The cryptographic library gives wrong answers', todo: 'Do not use this installation: install Node 26 from nodejs.org anew, and report it if that does not help.' },
} as const satisfies Record<string, FaultEntry>
