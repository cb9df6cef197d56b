/** What the server has of revocation lists and OCSP answers: for its own door, and to hand on to its clients. */
import { type UnixTime, unixTime } from '../base/brand.ts'
import { err, ok, type Result } from '../base/result.ts'
import type { CryptoPort } from '../crypto/port.ts'
import type { RevocationProof, RevocationRule } from '../model/trust.ts'
import { BATCH_LIMIT, PROOF_LIMIT, PROOFS_OCTETS } from '../protocol/wire/limits.ts'
import type { ServerWire } from '../protocol/wire/messages.ts'
import { AuthorityBook } from '../protocol/x509/authority-book.ts'
import type { RevocationList } from '../protocol/x509/crl.ts'
import { type Evidence, type EvidenceJudge, mergeEvidence, NOBODY_KNOWN, NO_EVIDENCE } from '../protocol/x509/evidence.ts'
import { type Anchors, isPathRevoked, type VerifiedPath } from '../protocol/x509/path.ts'

/** Gets statements from where certificates name them; whoever composes the server gives one. */
export interface RevocationSource {
  /** The issuers of this path publish where its certificates say; `urgent`: nothing of theirs is at hand. */
  want(path: VerifiedPath['path'], urgent: boolean): void
  onProofs(listener: (proofs: readonly RevocationProof[]) => void): void
  stop(): void
}

type Update = { k: 'revocation' } & ServerWire['revocation']

const GONE_S = 30 * 86_400

export class Revocation {
  readonly rule: RevocationRule
  readonly source: RevocationSource | undefined
  #evidence: Evidence = NO_EVIDENCE
  #book: AuthorityBook | undefined
  #now: () => UnixTime = () => unixTime(0)
  #changed: (news: readonly Update[]) => void = () => {}

  constructor(rule: RevocationRule = 'named', source?: RevocationSource) {
    this.rule = rule
    this.source = source
    source?.onProofs((proofs) => this.learn(proofs))
  }
  get evidence(): Evidence {
    return this.#evidence
  }
  /** Keeps what is at hand over restarts; told after every change. */
  keep: (proofs: readonly RevocationProof[]) => void = () => {}
  /** `news`: what clients were not told before. */
  onChange(listener: (news: readonly Update[]) => void): void {
    this.#changed = listener
  }
  /** Tells statements of these authorities, and of issuers below them whose people were here, from forged ones. */
  trust(crypto: CryptoPort, anchors: Anchors, now: () => UnixTime): void {
    this.#book = new AuthorityBook(crypto, anchors.certificates)
    this.#now = now
  }
  get judge(): EvidenceJudge {
    return this.#book?.at(this.#now()) ?? NOBODY_KNOWN
  }
  /** The issuers of a guest whose path is good, but for revocation. */
  meet(path: VerifiedPath['path']): void {
    this.#book?.meet(path)
  }
  /** Codes of those that were not taken. */
  learn(proofs: readonly RevocationProof[]): readonly string[] {
    const { evidence, changed, refused } = mergeEvidence(this.#evidence, proofs, this.judge)
    const told = new Set(this.#evidence.current.map((p) => p.der))
    this.#evidence = evidence
    if (changed) {
      this.keep(evidence.proofs)
      this.#changed(messagesOf(evidence.current.filter((p) => !told.has(p.der))))
    }
    return refused
  }

  /** Everything that holds, for whoever comes. */
  updates(): readonly Update[] {
    return messagesOf(this.#evidence.current)
  }
  /**
   * When each of the lists at hand has to be replaced: the newest of each issuer, key and scope. Nobody replaces those of an authority that has
   * ended, or that is gone for other reasons: its list ended long ago.
   */
  get listEnds(): UnixTime[] {
    const now = this.#now()
    const awaited = (l: RevocationList): boolean => l.nextUpdate > now - GONE_S && (this.#book?.issuerOf(l)?.notAfter ?? now) >= now
    return this.#evidence.newestLists.filter(awaited).map((l) => l.nextUpdate)
  }

  /** Whether who came in by this path would still be let in. */
  stillGood(crypto: CryptoPort, path: VerifiedPath['path'], subject: string, now: UnixTime): Result<void> {
    return isPathRevoked(crypto, path, this.#evidence, now) ? err('IDENTITY_REVOKED', subject) : ok(undefined)
  }
}

/** In messages that are not too large. A list of more than a message is fetched by clients themselves. */
function messagesOf(all: readonly RevocationProof[]): Update[] {
  const messages: Update[] = []
  let proofs: Update['proofs'] = []
  let octets = 0
  for (const { kind, der } of all) {
    if (der.length > PROOF_LIMIT) continue
    if (proofs.length > 0 && (octets + der.length > PROOFS_OCTETS || proofs.length >= BATCH_LIMIT)) {
      messages.push({ k: 'revocation', proofs })
      proofs = []
      octets = 0
    }
    proofs.push({ kind, der })
    octets += der.length
  }
  if (proofs.length > 0) messages.push({ k: 'revocation', proofs })
  return messages
}
