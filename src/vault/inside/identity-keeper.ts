/** Our own name and key, and the verification of others' names. The key itself stays a handle inside the crypto port. */
import type { Der, UnixTime } from '../../base/brand.ts'
import { toHex } from '../../base/bytes.ts'
import { type Result, err, ok } from '../../base/result.ts'
import type { CryptoPort, Signer } from '../../crypto/port.ts'
import type { Identity, KeyProtection } from '../../model/identity.ts'
import type { MlsSuite } from '../../model/policy.ts'
import type { LeafKey } from '../../protocol/mls/key-package.ts'
import type { MemberVerifier, VerifiedMember } from '../../protocol/mls/member.ts'
import { SUITES } from '../../protocol/mls/suite.ts'
import { encodeCredential, verifyCredential } from '../../protocol/x509/credential.ts'
import { issueDelegation } from '../../protocol/x509/delegation.ts'
import { type Anchors, type RevocationProof, verifyPath } from '../../protocol/x509/path.ts'

export interface OwnIdentity {
  /** End entity first, without the root. */
  readonly chain: readonly Der[]
  readonly signer: Signer
  readonly kind: 'member' | 'gateway'
  /** How this vault keeps keys, as it tells others. */
  readonly keyProtection: KeyProtection
}

export interface Trust {
  readonly realm: string
  readonly anchors: Anchors
  readonly proofs: readonly RevocationProof[]
}

/** Verified credentials kept, so that a commit does not verify two hundred certificate chains again. */
const KEPT_CREDENTIALS = 1024

export class IdentityKeeper {
  readonly #crypto: CryptoPort
  readonly #own: OwnIdentity
  readonly #trust: Trust
  readonly #verified = new Map<string, VerifiedMember>()

  constructor(crypto: CryptoPort, own: OwnIdentity, trust: Trust) {
    this.#crypto = crypto
    this.#own = own
    this.#trust = trust
  }
  get chain(): readonly Der[] {
    return this.#own.chain
  }
  get signer(): Signer {
    return this.#own.signer
  }
  get trust(): Trust {
    return this.#trust
  }

  /** Who we are, verified as others will verify it. */
  show(now: UnixTime): Result<Identity> {
    return verifyPath(this.#crypto, this.#own.chain, this.#trust.anchors, this.#trust.proofs, now, 'member')
  }

  /** A fresh MLS signature key with our name lent to it for at most a day. Never used for two memberships. */
  leafKey(suite: MlsSuite, now: UnixTime): Result<LeafKey> {
    const endEntity = this.#own.chain[0]
    if (endEntity === undefined) return err('IDENTITY_CHAIN_EMPTY')
    const signature = this.#crypto.signatureKeyPair('ed25519', this.#crypto.bytes(32))
    const delegation = issueDelegation(this.#own.signer, endEntity, {
      purpose: 'conference', realm: this.#trust.realm, suite: SUITES[suite].id, signaturePublicKey: signature.publicKey,
      kind: this.#own.kind, keyProtection: this.#own.keyProtection, now,
    })
    if (!delegation.ok) return delegation
    const credential = encodeCredential(this.#own.chain, delegation.value)
    return credential.ok ? ok({ credential: credential.value, signature }) : credential
  }

  /** As `MemberVerifier`. What is kept is still held against the clock. */
  readonly verify: MemberVerifier = (credential, signatureKey, suite, now) => {
    const key = toHex(this.#crypto.hash('sha256', Uint8Array.of(SUITES[suite].id, signatureKey.length), signatureKey, credential))
    const known = this.#verified.get(key)
    if (known !== undefined && now <= known.notAfter) return ok(known)
    this.#verified.delete(key)
    const { realm, anchors, proofs } = this.#trust
    const verified = verifyCredential(this.#crypto, credential, { purpose: 'conference', realm, suite: SUITES[suite].id, signaturePublicKey: signatureKey, now, anchors, proofs })
    if (!verified.ok) return verified
    const { identity, delegation, notAfter } = verified.value
    const member: VerifiedMember = { identity, kind: delegation.kind, notAfter }
    this.#keep(key, member)
    return ok(member)
  }

  #keep(key: string, member: VerifiedMember): void {
    if (this.#verified.size >= KEPT_CREDENTIALS) this.#verified.delete(this.#verified.keys().next().value!)
    this.#verified.set(key, member)
  }
}
