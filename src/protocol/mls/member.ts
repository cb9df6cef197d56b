/** What the group needs to know of whoever stands behind a leaf. */
import type { LeafNode } from 'ts-mls'
import type { UnixTime } from '../../base/brand.ts'
import { type Result, err, ok } from '../../base/result.ts'
import type { EnclaveProof, Identity, KeyProtection } from '../../model/identity.ts'
import type { MlsSuite } from '../../model/policy.ts'
import { EXTENSION } from './extension-types.ts'
import { CREDENTIAL_LIMIT } from './limits.ts'
import { SUITES } from './suite.ts'

export interface VerifiedMember {
  readonly identity: Identity
  readonly kind: 'member' | 'gateway'
  readonly keyProtection: KeyProtection
  /** Of the program that keeps them, SHA-256, hex: the member's word. */
  readonly measurement?: string
  /** What its quote shows, where it says that they are in an enclave. */
  readonly enclave?: EnclaveProof
  /** Keys of the authorities above the certificate, as `keyId`s. */
  readonly issuers: readonly string[]
  /** The end of certificate, chain or delegation, whichever comes first. */
  readonly notAfter: UnixTime
}

/** Verifies a credential's certificate chain and delegation for this MLS signature key, at this time. */
export type MemberVerifier = (credential: Uint8Array, signatureKey: Uint8Array, suite: MlsSuite, now: UnixTime) => Result<VerifiedMember>

/**
 * The member behind a leaf. Structure first: a `basic` credential, no extensions, the capabilities that the group
 * needs, then the credential itself.
 */
export function memberOfLeaf(leaf: LeafNode, suite: MlsSuite, verify: MemberVerifier, now: UnixTime): Result<VerifiedMember> {
  if (leaf.extensions.length > 0) return err('MLS_EXTENSIONS', 'a leaf with extensions')
  const { versions, ciphersuites, extensions, credentials } = leaf.capabilities
  const capable =
    versions.includes('mls10') && ciphersuites.includes(SUITES[suite].name) && credentials.includes('basic') &&
    extensions.includes(EXTENSION.basePolicy) && extensions.includes(EXTENSION.statePolicy)
  if (!capable) return err('MLS_KEY_PACKAGE', 'a leaf without the capabilities that the room needs')
  const c = leaf.credential
  if (c.credentialType !== 'basic' || !('identity' in c)) return err('MLS_CREDENTIAL', 'not of the basic type')
  if (c.identity.length > CREDENTIAL_LIMIT) return err('MLS_TOO_LARGE', `credential of ${c.identity.length} octets`)
  const verified = verify(c.identity, leaf.signaturePublicKey, suite, now)
  return verified.ok ? ok(verified.value) : err('MLS_CREDENTIAL', verified.fault.code, verified.fault)
}
