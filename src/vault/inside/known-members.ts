/** The verification of others' names: who was verified, and who was revoked since. */
import { type Der, type UnixTime, unixTime } from '../../base/brand.ts'
import { toHex } from '../../base/bytes.ts'
import { type Result, err, ok } from '../../base/result.ts'
import type { CryptoPort } from '../../crypto/port.ts'
import { displayName, type Identity, type KeyProtection } from '../../model/identity.ts'
import type { RevocationProof, RevocationRule } from '../../model/trust.ts'
import type { MemberVerifier, VerifiedMember } from '../../protocol/mls/member.ts'
import { SUITES } from '../../protocol/mls/suite.ts'
import { AuthorityBook, type Evidence } from '../../protocol/x509/authority-book.ts'
import { verifyCredential } from '../../protocol/x509/credential.ts'
import { type Anchors, isPathRevoked, type VerifiedPath, verifyChain } from '../../protocol/x509/path.ts'
import { EnclaveJudge, type EnclaveTrust, type Quoted } from './enclave-judge.ts'

export interface Trust extends EnclaveTrust {
  readonly realm: string
  readonly anchors: Anchors
  /** When a fresh statement about revocation must be there; `named` unless given. */
  readonly rule?: RevocationRule
}

/** Verified credentials kept, so that a commit does not verify two hundred certificate chains again. */
const KEPT_CREDENTIALS = 1024

interface Known {
  readonly member: VerifiedMember
  /** What it brought along as a proof of its enclave. */
  readonly quote: Quoted | undefined
  readonly path: VerifiedPath['path']
}

export class KnownMembers {
  readonly #crypto: CryptoPort
  readonly #trust: Trust
  readonly #verified = new Map<string, Known>()
  /** Certificate (fingerprint) to the moment before its revocation was seen here. Grows only by what an authority signed. */
  readonly #revoked = new Map<string, UnixTime>()
  readonly #enclaves: EnclaveJudge
  /** What members in groups brought along. */
  readonly #quotes = new WeakMap<VerifiedMember, Pick<Known, 'member' | 'quote'>>()
  readonly #book: AuthorityBook
  #evidence: Evidence

  constructor(crypto: CryptoPort, trust: Trust, proofs: readonly RevocationProof[]) {
    this.#crypto = crypto
    this.#trust = trust
    this.#enclaves = new EnclaveJudge(crypto, trust)
    this.#book = new AuthorityBook(crypto, trust.anchors.certificates)
    this.#evidence = this.#book.merge(undefined, proofs).evidence
  }
  get evidence(): Evidence {
    return this.#evidence
  }

  /** What could not be checked about ourselves is for others to judge, and what is outdated is fetched once we run. */
  verifyOwn(chain: readonly Der[], now: UnixTime): Result<Identity> {
    const verified = verifyChain(this.#crypto, chain, this.#trust.anchors, this.#evidence, now, 'member', 'revoked')
    if (verified.ok) this.#book.meet(verified.value.path)
    return verified.ok ? ok(verified.value.identity) : verified
  }
  /** A certificate without a group: somebody in a bridged conference. */
  verifyOther(chain: readonly Der[], now: UnixTime): Result<Identity> {
    const { anchors, rule = 'named' } = this.#trust
    const verified = verifyChain(this.#crypto, chain, anchors, this.#evidence, now, 'member', rule)
    if (verified.ok) this.#book.meet(verified.value.path)
    else this.#book.meetRefusedChain(chain, verified.fault.code, anchors, now)
    return verified.ok ? ok(verified.value.identity) : verified
  }
  /** The server is not trusted with content, and fresh statements come by it: only a revocation counts, then and whenever one is learnt. */
  verifyServer(chain: readonly Der[], now: UnixTime): Result<VerifiedPath> {
    const verified = verifyChain(this.#crypto, chain, this.#trust.anchors, this.#evidence, now, 'server', 'revoked')
    if (verified.ok) this.#book.meet(verified.value.path)
    return verified
  }
  isRevoked(path: VerifiedPath['path'], now: UnixTime): boolean {
    return isPathRevoked(this.#crypto, path, this.#evidence, now)
  }
  /** As `MemberVerifier`. What is kept is still held against the clock and against revocation. */
  readonly verify: MemberVerifier = (credential, signatureKey, suite, now) => {
    const key = toHex(this.#crypto.hash('sha256', Uint8Array.of(SUITES[suite].id, signatureKey.length), signatureKey, credential))
    const kept = this.#verified.get(key)
    const known = kept?.member
    // What was fresh when its owner came in is not asked for again before the delegation ends, a day at most; a revocation is.
    if (known !== undefined && now <= known.notAfter) return this.wasRevoked(known) ? err('IDENTITY_REVOKED', displayName(known.identity)) : ok(this.#asOf(kept!, now))
    this.#verified.delete(key)
    const { realm, anchors, rule = 'named' } = this.#trust
    const verified = verifyCredential(this.#crypto, credential, { purpose: 'conference', realm, suite: SUITES[suite].id, signaturePublicKey: signatureKey, now, anchors, rule, proofs: this.#evidence })
    if (!verified.ok) {
      this.#book.meetRefused(credential, verified.fault.code, anchors, now)
      return verified
    }
    this.#book.meet(verified.value.path)
    const { identity, delegation, notAfter, path, quote } = verified.value
    const issuers = path.slice(1).map((c) => toHex(this.#crypto.hash('sha256', c.spki)))
    const member: VerifiedMember = { identity, kind: delegation.kind, keyProtection: delegation.keyProtection, issuers, notAfter, ...(delegation.measurement === undefined ? {} : { measurement: delegation.measurement }) }
    const entry: Known = { member, path, quote }
    this.#keep(key, entry)
    return ok(this.#asOf(entry, now))
  }
  /** An enclave shows itself by a quote over the delegation: what only says that it is one counts as a process. */
  #asOf({ member, quote }: Known, now: UnixTime): VerifiedMember {
    if (member.keyProtection !== 'enclave') return member
    const enclave = this.#enclaves.judge(quote, now)
    const seen: VerifiedMember = { ...member, keyProtection: enclave.proven ? 'enclave' : 'process', enclave }
    this.#quotes.set(seen, { member, quote })
    return seen
  }
  /** How its keys are kept as it shows now: Intel's word ends, and a newer one may say otherwise. */
  protectionOf(member: VerifiedMember, now: UnixTime): Pick<VerifiedMember, 'keyProtection' | 'enclave'> {
    const claim = this.#quotes.get(member)
    if (claim === undefined) return { keyProtection: member.keyProtection }
    const { keyProtection, enclave } = this.#asOf({ ...claim, path: [] }, now)
    return { keyProtection, ...(enclave === undefined ? {} : { enclave }) }
  }
  /** What Intel says about platforms. `changed`: look at the rooms again. */
  endorse(sets: readonly Uint8Array[], now: UnixTime): { readonly changed: boolean; readonly refused: readonly string[] } {
    return this.#enclaves.learn(sets, now)
  }

  /** Takes what is newer, and looks again at everybody who was verified before. */
  learn(proofs: readonly RevocationProof[], now: UnixTime): { readonly changed: boolean; readonly refused: readonly string[] } {
    const { evidence, changed, refused } = this.#book.merge(this.#evidence, proofs, now)
    this.#evidence = evidence
    if (changed) for (const { member, path } of this.#verified.values()) if (isPathRevoked(this.#crypto, path, evidence, now)) this.#revoke(member.identity.fingerprint, now)
    return { changed, refused }
  }
  wasRevoked(member: VerifiedMember): boolean {
    return this.#revoked.has(member.identity.fingerprint)
  }
  /** One of the authorities that we trust, by its key. */
  isAuthority(keyId: string): boolean {
    this.#anchorKeys ??= new Set(this.#trust.anchors.certificates.map((c) => toHex(this.#crypto.hash('sha256', c.spki))))
    return this.#anchorKeys.has(keyId)
  }
  #anchorKeys: ReadonlySet<string> | undefined
  /** When the member's certificate or delegation ends, or the last second before its revocation was seen; or what the room asks for is no longer shown. */
  holdsUntil(member: VerifiedMember, asked: KeyProtection, now: UnixTime): UnixTime {
    const shown = asked === 'enclave' ? this.#shownUntil(member, now) : member.notAfter
    return unixTime(Math.min(member.notAfter, shown, this.#revoked.get(member.identity.fingerprint) ?? member.notAfter))
  }
  #shownUntil(member: VerifiedMember, now: UnixTime): UnixTime {
    const { enclave } = this.protectionOf(member, now)
    return enclave?.proven === true ? enclave.until : unixTime(now - 1)
  }

  #revoke(fingerprint: string, now: UnixTime): void {
    if (!this.#revoked.has(fingerprint)) this.#revoked.set(fingerprint, unixTime(now - 1))
  }
  #keep(key: string, known: Known): void {
    if (this.#verified.size >= KEPT_CREDENTIALS) this.#verified.delete(this.#verified.keys().next().value!)
    this.#verified.set(key, known)
  }
}
