/** Revocation lists and OCSP responses at hand, parsed once and their signatures checked once per issuer. */
import { type UnixTime, unixTime } from '../../base/brand.ts'
import { sameBytes, toHex } from '../../base/bytes.ts'
import { type Result, err, ok } from '../../base/result.ts'
import type { CryptoPort } from '../../crypto/port.ts'
import type { RevocationProof } from '../../model/trust.ts'
import type { Certificate } from './certificate.ts'
import { type RevocationList, parseRevocationList } from './crl.ts'
import { genuineList } from './list-check.ts'
import { type OcspResponse, parseOcspResponse } from './ocsp.ts'

const PROOFS_LIMIT = 64

export class Evidence {
  readonly lists: readonly RevocationList[]
  readonly responses: readonly OcspResponse[]
  readonly #genuine = new Map<RevocationList, { readonly issuer: Uint8Array; readonly verdict: Result<void> }[]>()

  constructor(lists: readonly RevocationList[], responses: readonly OcspResponse[]) {
    this.lists = lists
    this.responses = responses
  }

  static of(proofs: readonly RevocationProof[]): Result<Evidence> {
    if (proofs.length > PROOFS_LIMIT) return err('IDENTITY_REVOCATION_UNSUPPORTED', `${proofs.length} statements, at most ${PROOFS_LIMIT}`)
    const lists: RevocationList[] = []
    const responses: OcspResponse[] = []
    for (const { kind, der } of proofs) {
      if (kind === 'crl') {
        const parsed = parseRevocationList(der)
        if (!parsed.ok) return parsed
        lists.push(parsed.value)
      } else {
        const parsed = parseOcspResponse(der)
        if (!parsed.ok) return parsed
        responses.push(parsed.value)
      }
    }
    return ok(new Evidence(lists, responses))
  }

  /** This and another one's, which are looked at first. */
  with(response: OcspResponse): Evidence {
    return new Evidence(this.lists, [response, ...this.responses])
  }
  get proofs(): RevocationProof[] {
    return [...this.lists.map(({ der }) => ({ kind: 'crl' as const, der })), ...this.responses.map(({ der }) => ({ kind: 'ocsp' as const, der }))]
  }
  /** Whether the issuer signed this list. The answer is kept: a list of ten thousand is hashed once. */
  genuine(crypto: CryptoPort, list: RevocationList, issuer: Certificate): Result<void> {
    const known = this.#genuine.get(list) ?? []
    const before = known.find((k) => sameBytes(k.issuer, issuer.der))
    if (before !== undefined) return before.verdict
    const verdict = genuineList(crypto, list, issuer)
    this.#genuine.set(list, [...known.slice(-3), { issuer: issuer.der, verdict }])
    return verdict
  }
}

export const NO_EVIDENCE = new Evidence([], [])

/** What keeps statements apart: the newest of each subject is kept. */
const subjectOf = (e: RevocationList | OcspResponse): string =>
  'issuer' in e
    ? `crl ${toHex(e.issuer.der)} ${e.authorityKeyId?.keyId ?? ''} ${e.scope.only} ${e.scope.addresses.join(' ')}`
    : `ocsp ${e.answers.map((a) => `${toHex(a.issuerKeyHash)} ${a.serial}`).join(' ')}`

export const madeAt = (e: RevocationList | OcspResponse): UnixTime => unixTime('issuer' in e ? e.thisUpdate : Math.max(0, ...e.answers.map((a) => a.thisUpdate)))
/** After this second it says nothing any more. */
export const holdsUntil = (e: RevocationList | OcspResponse): UnixTime =>
  'issuer' in e ? e.nextUpdate : unixTime(Math.min(...e.answers.map((a) => a.nextUpdate ?? a.thisUpdate + 3600)))

/** Statements of one subject kept side by side: a forged one must not push the true one out. */
const RIVALS_LIMIT = 4

/**
 * Adds statements to those at hand. Older ones about the same do not replace newer ones, so that nobody can roll a list back;
 * malformed ones are left out and named. `fits` has the last word on who may speak at all.
 */
export function mergeEvidence(before: Evidence, proofs: readonly RevocationProof[]): { readonly evidence: Evidence; readonly changed: boolean; readonly refused: readonly string[] } {
  const groups = new Map<string, (RevocationList | OcspResponse)[]>()
  const refused: string[] = []
  let changed = false
  const add = (e: RevocationList | OcspResponse, isNew: boolean): void => {
    const subject = subjectOf(e)
    const rivals = groups.get(subject) ?? []
    if (rivals.some((r) => sameBytes(r.der, e.der))) return
    const kept = [...rivals, e].sort((a, b) => madeAt(b) - madeAt(a)).slice(0, RIVALS_LIMIT)
    groups.set(subject, kept)
    if (isNew && kept.includes(e)) changed = true
  }
  for (const e of [...before.lists, ...before.responses]) add(e, false)
  const known = before.proofs
  for (const { kind, der } of proofs) {
    // Fetched again, it is mostly the same: reading ten thousand entries takes a tenth of a second.
    if (known.some((k) => sameBytes(k.der, der))) continue
    const parsed = kind === 'crl' ? parseRevocationList(der) : parseOcspResponse(der)
    if (!parsed.ok) refused.push(parsed.fault.code)
    else if (groups.size < PROOFS_LIMIT || groups.has(subjectOf(parsed.value))) add(parsed.value, true)
    else refused.push('IDENTITY_REVOCATION_UNSUPPORTED')
  }
  if (!changed) return { evidence: before, changed, refused }
  const all = [...groups.values()].flat()
  return {
    evidence: new Evidence(all.filter((e): e is RevocationList => 'issuer' in e), all.filter((e): e is OcspResponse => !('issuer' in e))), changed, refused,
  }
}
