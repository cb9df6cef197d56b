/** Which authorities are known, and what that tells about statements before anybody asks about a certificate. */
import type { Der, UnixTime } from '../../base/brand.ts'
import { toHex } from '../../base/bytes.ts'
import { type Result, err, ok } from '../../base/result.ts'
import type { CryptoPort } from '../../crypto/port.ts'
import type { RevocationProof } from '../../model/trust.ts'
import { type Certificate, certificateText } from './certificate.ts'
import { decodeCredential } from './credential.ts'
import type { RevocationList } from './crl.ts'
import { type Evidence, type EvidenceJudge, madeAt, mergeEvidence, NO_EVIDENCE } from './evidence.ts'
import { concerns, genuineList, SIGNED_BUT_NOT_TAKEN } from './list-check.ts'
import { type Anchors, verifyChain } from './path.ts'
import { checkResponse, isOf, type OcspResponse } from './ocsp.ts'

export type { Evidence }

/** Faults that another statement may take away. */
export const CHECKED_LATER: ReadonlySet<string> = new Set(['IDENTITY_REVOCATION_UNKNOWN', 'IDENTITY_REVOCATION_STALE', 'IDENTITY_REVOCATION_BAD_SIGNATURE', 'IDENTITY_OCSP_RESPONDER'])

/** Issuers between people and anchors; an organisation has a handful. */
const MET_LIMIT = 64
/** As for answers: clocks of others. */
const SKEW_S = 300

export class AuthorityBook {
  readonly #crypto: CryptoPort
  readonly #anchors: readonly Certificate[]
  readonly #met = new Map<string, Certificate>()

  constructor(crypto: CryptoPort, anchors: readonly Certificate[]) {
    this.#crypto = crypto
    this.#anchors = anchors
  }
  /** The issuers of a path that verifies, but for revocation. */
  meet(path: readonly Certificate[]): void {
    for (const issuer of path.slice(1)) {
      const key = toHex(issuer.der)
      this.#met.delete(key)
      this.#met.set(key, issuer)
      if (this.#met.size > MET_LIMIT) this.#met.delete(this.#met.keys().next().value!)
    }
  }
  /** Those of a credential whose path is good but for revocation: statements of its issuers are told from forged ones from now on. */
  meetRefused(credential: Uint8Array, code: string, anchors: Anchors, now: UnixTime): void {
    const decoded = CHECKED_LATER.has(code) ? decodeCredential(credential) : undefined
    if (decoded?.ok === true) this.meetRefusedChain(decoded.value.chain, code, anchors, now)
  }
  /** As `meetRefused`, of a certificate alone. */
  meetRefusedChain(chain: readonly Der[], code: string, anchors: Anchors, now: UnixTime): void {
    const path = CHECKED_LATER.has(code) ? verifyChain(this.#crypto, chain, anchors, [], now) : undefined
    if (path?.ok === true) this.meet(path.value.path)
  }
  /** As `mergeEvidence`. Without a time nothing is weighed: what is kept is weighed with the next. */
  merge(before: Evidence | undefined, proofs: readonly RevocationProof[], now?: UnixTime): ReturnType<typeof mergeEvidence> {
    return mergeEvidence(before ?? NO_EVIDENCE, proofs, now === undefined ? undefined : this.at(now))
  }
  /** Who signed this list, of those that are known. */
  issuerOf(list: RevocationList): Certificate | undefined {
    return this.#known.find((issuer) => this.#list(list, issuer) === 'genuine')
  }
  at(now: UnixTime): EvidenceJudge {
    return { now, weigh: (e) => this.#weigh(e, now) }
  }

  get #known(): readonly Certificate[] {
    return [...this.#anchors, ...this.#met.values()]
  }
  #weigh(e: RevocationList | OcspResponse, now: UnixTime): Result<boolean> {
    let claims: Certificate | undefined
    for (const issuer of this.#known) {
      const said = 'issuer' in e ? this.#list(e, issuer) : this.#answer(e, issuer)
      if (said === 'genuine') return ok(true)
      if (said === 'forged') claims = issuer
    }
    if (claims !== undefined) return err('IDENTITY_REVOCATION_BAD_SIGNATURE', certificateText(claims))
    return madeAt(e) > now + SKEW_S ? err('IDENTITY_REVOCATION_STALE', 'from the future') : ok(false)
  }
  #list(list: RevocationList, issuer: Certificate): 'genuine' | 'forged' | 'of somebody else' {
    if (!concerns(list, issuer)) return 'of somebody else'
    const checked = genuineList(this.#crypto, list, issuer)
    if (checked.ok) return 'genuine'
    // Two keys of one name are told apart by the identifier of the key; without it, it may be the other's.
    return SIGNED_BUT_NOT_TAKEN.has(checked.fault.code) || list.authorityKeyId?.keyId === undefined || issuer.extensions.subjectKeyId === undefined ? 'of somebody else' : 'forged'
  }
  #answer(response: OcspResponse, issuer: Certificate): 'genuine' | 'forged' | 'of somebody else' {
    if (response.answers.length === 0 || !response.answers.every((a) => isOf(this.#crypto, a, issuer))) return 'of somebody else'
    const checked = checkResponse(this.#crypto, response, issuer, () => false)
    return checked.ok ? 'genuine' : SIGNED_BUT_NOT_TAKEN.has(checked.fault.code) ? 'of somebody else' : 'forged'
  }
}
