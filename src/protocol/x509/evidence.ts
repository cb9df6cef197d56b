/** Revocation lists and OCSP responses at hand, parsed once. */
import { type UnixTime, unixTime } from '../../base/brand.ts'
import { sameBytes, toHex } from '../../base/bytes.ts'
import { type Result, err, ok } from '../../base/result.ts'
import type { RevocationProof } from '../../model/trust.ts'
import { type RevocationList, parseRevocationList } from './crl.ts'
import { type OcspResponse, parseOcspResponse } from './ocsp.ts'

/** What is given at once: configured, or kept over a restart. */
const PROOFS_LIMIT = 64
/** Subjects at hand. Authorities of a realm are a handful, with lists of megabytes; answers are small, and one for each member where certificates name no list. */
const LISTS_LIMIT = 64
const ANSWERS_LIMIT = 512
/** Subjects of either kind that nobody vouches for. */
const STRANGERS_LIMIT = 64

export class Evidence {
  readonly lists: readonly RevocationList[]
  readonly responses: readonly OcspResponse[]
  readonly #outdone: ReadonlySet<RevocationList | OcspResponse>

  /** `outdone`: what a newer genuine one about the same has replaced. */
  constructor(lists: readonly RevocationList[], responses: readonly OcspResponse[], outdone: ReadonlySet<RevocationList | OcspResponse> = new Set()) {
    this.lists = lists
    this.responses = responses
    this.#outdone = outdone
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
    return new Evidence(this.lists, [response, ...this.responses], this.#outdone)
  }
  get proofs(): RevocationProof[] {
    return proofsOf(this.lists, this.responses)
  }
  /** Those that say something which no newer one of the same authority does: enough for whoever has none. */
  get current(): RevocationProof[] {
    const stands = (e: RevocationList | OcspResponse) => !this.#outdone.has(e)
    return proofsOf(this.lists.filter(stands), this.responses.filter(stands))
  }
  /** One list of each issuer, key and scope: the newest. */
  get newestLists(): RevocationList[] {
    const seen = new Set<string>()
    // As merged: what is vouched for first, then by age.
    return this.lists.filter((l) => !seen.has(subjectOf(l)) && seen.add(subjectOf(l)))
  }
}

const proofsOf = (lists: readonly RevocationList[], responses: readonly OcspResponse[]): RevocationProof[] =>
  [...lists.map(({ der }) => ({ kind: 'crl' as const, der })), ...responses.map(({ der }) => ({ kind: 'ocsp' as const, der }))]

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

/** What is known about who signed. */
export interface EvidenceJudge {
  readonly now: UnixTime
  /** True: by an authority that we know. False: nobody can tell yet. A fault: not by whom it names, or not yet made. */
  weigh(e: RevocationList | OcspResponse): Result<boolean>
}
/** For whoever knows no authorities: nothing is vouched for, nothing refused. */
export const NOBODY_KNOWN: EvidenceJudge = { now: unixTime(0), weigh: () => ok(false) }

/** Statements of one subject kept side by side: a forged one must not push the true one out. */
const RIVALS_LIMIT = 4

interface Kept {
  readonly e: RevocationList | OcspResponse
  readonly genuine: boolean
}

/**
 * Adds statements to those at hand. Older ones about the same do not replace newer ones, so that nobody can roll a list back, and none
 * outranks a genuine one; malformed and forged ones are left out and named. Where there is no room, what says nothing any
 * more goes, then what nobody vouches for.
 */
export function mergeEvidence(before: Evidence, proofs: readonly RevocationProof[], judge: EvidenceJudge = NOBODY_KNOWN): { readonly evidence: Evidence; readonly changed: boolean; readonly refused: readonly string[] } {
  const groups = new Map<string, Kept[]>()
  const refused: string[] = []
  let changed = false
  const add = (e: RevocationList | OcspResponse, isNew: boolean): void => {
    const weight = judge.weigh(e)
    if (!weight.ok) return void (isNew && refused.push(weight.fault.code))
    const subject = subjectOf(e)
    if (!groups.has(subject) && !hasRoom(groups, e, weight.value, judge.now)) return void refused.push('IDENTITY_REVOCATION_UNSUPPORTED')
    const rivals = groups.get(subject) ?? []
    if (rivals.some((r) => sameBytes(r.e.der, e.der))) return
    const all = [...rivals, { e, genuine: weight.value }].sort((a, b) => madeAt(b.e) - madeAt(a.e))
    const kept = [...all.filter((k) => k.genuine).slice(0, RIVALS_LIMIT - 1), ...all.filter((k) => !k.genuine)].slice(0, RIVALS_LIMIT)
    groups.set(subject, kept)
    if (isNew && kept.some((k) => k.e === e)) changed = true
  }
  for (const e of [...before.lists, ...before.responses]) add(e, false)
  const known = before.proofs
  for (const { kind, der } of proofs) {
    // Fetched again, it is mostly the same: reading ten thousand entries takes a tenth of a second.
    if (known.some((k) => sameBytes(k.der, der))) continue
    const parsed = kind === 'crl' ? parseRevocationList(der) : parseOcspResponse(der)
    if (!parsed.ok) refused.push(parsed.fault.code)
    else add(parsed.value, true)
  }
  if (!changed) return { evidence: before, changed, refused }
  // Those that are vouched for first: who has room for a few takes these.
  const all = [...groups.values()].flat().sort((a, b) => Number(b.genuine) - Number(a.genuine)).map((k) => k.e)
  const outdone = new Set([...groups.values()].flatMap((kept) => outdoneOf(kept, judge.now)))
  return {
    evidence: new Evidence(all.filter((e): e is RevocationList => 'issuer' in e), all.filter((e): e is OcspResponse => !('issuer' in e)), outdone), changed, refused,
  }
}

/** Somebody's clock may be a day behind: to whom a list is from the future, the one before it is needed. */
const SLOW_CLOCK_S = 86_400

/** Older than the newest genuine one that has begun, for everybody. An answer that revokes stands: a responder whose time is over could outdo it with a date of its choice. */
function outdoneOf(kept: readonly Kept[], now: UnixTime): (RevocationList | OcspResponse)[] {
  const newest = kept.find((k) => k.genuine && madeAt(k.e) <= now - ('issuer' in k.e ? SLOW_CLOCK_S : 0) && ('issuer' in k.e || k.e.answers.every((a) => a.status !== 'unknown' && a.unknownCritical.length === 0)))
  if (newest === undefined) return []
  return kept.filter((k) => k.genuine && madeAt(k.e) < madeAt(newest.e) && ('issuer' in k.e || k.e.answers.every((a) => a.status !== 'revoked'))).map((k) => k.e)
}

const saysNothing = ({ e }: Kept, now: UnixTime): boolean => !('issuer' in e) && holdsUntil(e) < now && e.answers.every((a) => a.status !== 'revoked')

/** Whether one more subject may be kept, after forgetting another where there are too many of its kind. */
function hasRoom(groups: Map<string, Kept[]>, e: RevocationList | OcspResponse, genuine: boolean, now: UnixTime): boolean {
  const isList = 'issuer' in e
  const kind = [...groups].filter(([, [first]]) => 'issuer' in first!.e === isList)
  const strangers = kind.filter(([, kept]) => !kept.some((k) => k.genuine))
  const full = kind.length >= (isList ? LISTS_LIMIT : ANSWERS_LIMIT)
  if (!full && (genuine || strangers.length < STRANGERS_LIMIT)) return true
  // Answers that nobody takes any more, or what nobody vouches for, the oldest. Never a genuine list.
  const gone = kind.find(([, kept]) => kept.every((k) => saysNothing(k, now)) && (full || strangers.some(([, s]) => s === kept))) ?? strangers[0]
  return gone !== undefined && groups.delete(gone[0])
}
