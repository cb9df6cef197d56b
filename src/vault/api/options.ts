/** What a vault is made from: plain data, so that it can be handed to another thread or process. */
import type { Der } from '../../base/brand.ts'
import type { EnclavePolicy } from '../../model/enclaves.ts'
import type { KeyProtection } from '../../model/identity.ts'
import type { RevocationProof, RevocationRule, ShownName } from '../../model/trust.ts'

/** A verifier's own policy about enclaves (docs/protocol/attestation.md). */
export interface EnclaveOptions extends EnclavePolicy {
  /** Intel's words that are at hand at the start (`encodeCollateral`). */
  readonly collateral?: readonly Uint8Array[]
}

export interface VaultOptions {
  /** Our certificate first, then what leads to an authority; the root is better left out. */
  readonly chain: readonly Der[]
  /** Its private key, PKCS #8, DER. The caller wipes its own copy. */
  readonly pkcs8: Uint8Array
  /** Authorities trusted for members and servers. */
  readonly anchors: readonly Der[]
  /** Lists and answers at hand at the start, and what happens without; `named` unless given. */
  readonly revocation?: { readonly rule?: RevocationRule; readonly proofs?: readonly RevocationProof[] }
  /** Which fields of certificates become the shown name. */
  readonly shownName?: ShownName
  /** What is remembered of rooms (protocol/policy/room-content.ts): each part is verified again. */
  readonly memory?: Uint8Array
  /** Names the organisation or server whose rooms are meant. */
  readonly realm: string
  /** A gateway lets people in who hold no keys, and says so. */
  readonly kind?: 'member' | 'gateway'
  /** Which enclaves of others are believed, and what Intel says about their platforms; none unless given. */
  readonly enclaves?: EnclaveOptions
  /** How keys are kept here, as others are told; the weakest unless given. */
  readonly keyProtection?: KeyProtection
  /** SHA-256 of the program that holds the key, hex, where it is one of its own. */
  readonly measurement?: string
  /** For the journal of a certificate that has ended or was revoked: it is read, and nothing else can be asked. */
  readonly journalOnly?: boolean
  /** Where memberships are numbered from: what asks for one of a vault before finds none. */
  readonly firstSession?: number
}
