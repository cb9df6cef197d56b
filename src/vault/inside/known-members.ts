/** The verification of others' names: who was verified, and who was revoked since. */
import { type Der, type UnixTime, unixTime } from '../../base/brand.ts'
import { toHex } from '../../base/bytes.ts'
import { type Result, err, ok } from '../../base/result.ts'
import type { CryptoPort } from '../../crypto/port.ts'
import { displayName, type Identity, type KeyProtection } from '../../model/identity.ts'
import type { RevocationProof, RevocationRule } from '../../model/trust.ts'
import type { MemberVerifier, VerifiedMember } from '../../protocol/mls/member.ts'
import { SUITES } from '../../protocol/mls/suite.ts'
import { verifyCredential } from '../../protocol/x509/credential.ts'
import { type Evidence, mergeEvidence, NO_EVIDENCE } from '../../protocol/x509/evidence.ts'
import { type Anchors, isPathRevoked, type VerifiedPath, verifyPath } from '../../protocol/x509/path.ts'

export interface Trust {
  readonly realm: string
  readonly anchors: Anchors
  /** When a fresh statement about revocation must be there; `named` unless given. */
  readonly rule?: RevocationRule
}

/** Verified credentials kept, so that a commit does not verify two hundred certificate chains again. */
const KEPT_CREDENTIALS = 1024

interface Known {
  readonly member: VerifiedMember
  readonly path: VerifiedPath['path']
}

export class KnownMembers {
  readonly #crypto: CryptoPort
  readonly #trust: Trust
  readonly #verified = new Map<string, Known>()
  /** Certificate (fingerprint) to the moment before its revocation was seen here. Grows only by what an authority signed. */
  readonly #revoked = new Map<string, UnixTime>()
  #evidence: Evidence

  constructor(crypto: CryptoPort, trust: Trust, proofs: readonly RevocationProof[]) {
    this.#crypto = crypto
    this.#trust = trust
    this.#evidence = mergeEvidence(NO_EVIDENCE, proofs).evidence
  }
  get evidence(): Evidence {
    return this.#evidence
  }

  /** What could not be checked about ourselves is for others to judge. */
  verifyOwn(chain: readonly Der[], now: UnixTime): Result<Identity> {
    return verifyPath(this.#crypto, chain, this.#trust.anchors, this.#evidence, now, 'member', 'given')
  }
  /** A certificate without a group: somebody in a bridged conference. */
  verifyOther(chain: readonly Der[], now: UnixTime): Result<Identity> {
    return verifyPath(this.#crypto, chain, this.#trust.anchors, this.#evidence, now, 'member', this.#trust.rule ?? 'named')
  }
  /** The server is not trusted with content, and the statements come by it: only what is at hand counts. */
  verifyServer(chain: readonly Der[], now: UnixTime): Result<Identity> {
    return verifyPath(this.#crypto, chain, this.#trust.anchors, this.#evidence, now, 'server', 'given')
  }
  /** As `MemberVerifier`. What is kept is still held against the clock and against revocation. */
  readonly verify: MemberVerifier = (credential, signatureKey, suite, now) => {
    const key = toHex(this.#crypto.hash('sha256', Uint8Array.of(SUITES[suite].id, signatureKey.length), signatureKey, credential))
    const known = this.#verified.get(key)?.member
    // What was fresh when its owner came in is not asked for again before the delegation ends, a day at most; a revocation is.
    if (known !== undefined && now <= known.notAfter) return this.wasRevoked(known) ? err('IDENTITY_REVOKED', displayName(known.identity)) : ok(known)
    this.#verified.delete(key)
    const { realm, anchors, rule = 'named' } = this.#trust
    const verified = verifyCredential(this.#crypto, credential, { purpose: 'conference', realm, suite: SUITES[suite].id, signaturePublicKey: signatureKey, now, anchors, rule, proofs: this.#evidence })
    if (!verified.ok) return verified
    const { identity, delegation, notAfter, path } = verified.value
    const issuers = path.slice(1).map((c) => toHex(this.#crypto.hash('sha256', c.spki)))
    const member: VerifiedMember = { identity, kind: delegation.kind, keyProtection: believed(delegation.keyProtection), issuers, notAfter, ...(delegation.measurement === undefined ? {} : { measurement: delegation.measurement }) }
    this.#keep(key, { member, path })
    return ok(member)
  }

  /** Takes what is newer, and looks again at everybody who was verified before. */
  learn(proofs: readonly RevocationProof[], now: UnixTime): { readonly changed: boolean; readonly refused: readonly string[] } {
    const { evidence, changed, refused } = mergeEvidence(this.#evidence, proofs)
    this.#evidence = evidence
    if (changed) for (const { member, path } of this.#verified.values()) if (isPathRevoked(this.#crypto, path, evidence, now)) this.#revoke(member.identity.fingerprint, now)
    return { changed, refused }
  }
  wasRevoked(member: VerifiedMember): boolean {
    return this.#revoked.has(member.identity.fingerprint)
  }
  /** When the member's certificate or delegation ends, or the last second before its revocation was seen. */
  holdsUntil(member: VerifiedMember): UnixTime {
    return unixTime(Math.min(member.notAfter, this.#revoked.get(member.identity.fingerprint) ?? member.notAfter))
  }

  #revoke(fingerprint: string, now: UnixTime): void {
    if (!this.#revoked.has(fingerprint)) this.#revoked.set(fingerprint, unixTime(now - 1))
  }
  #keep(key: string, known: Known): void {
    if (this.#verified.size >= KEPT_CREDENTIALS) this.#verified.delete(this.#verified.keys().next().value!)
    this.#verified.set(key, known)
  }
}

/** An enclave shows itself by a quote over the delegation (protocol/sgx). Credentials carry none yet, so what only says that it is one counts as a process. */
const believed = (claimed: KeyProtection): KeyProtection => (claimed === 'enclave' ? 'process' : claimed)
