/** Which enclaves a verifier takes for some: plain data of its own configuration. */

/** States of a platform, in Intel's words (PCS API v4), as far as a quote can have them. */
export const TCB_STATUSES = [
  'UpToDate', 'SWHardeningNeeded', 'ConfigurationNeeded', 'ConfigurationAndSWHardeningNeeded', 'OutOfDate', 'OutOfDateConfigurationNeeded', 'Revoked',
] as const
export type TcbStatus = (typeof TCB_STATUSES)[number]

export interface EnclavePolicy {
  /** Programs: MRENCLAVE (or MRTD) in hex. */
  readonly measurements?: readonly string[]
  /** Or all of one signer from a version on. */
  readonly signers?: readonly { readonly mrSigner: string; readonly productId: number; readonly minimumSvn: number }[]
  /** `Revoked` is never taken. */
  readonly statuses: readonly TcbStatus[]
}

/** Kinds of processors about which Intel's words are kept. */
export const FAMILIES_LIMIT = 32
