/**
 * Intel's words that are at hand, one set for each kind of processor. They come from files and from the server, which need not be trusted:
 * only what Intel signed is kept, and nothing older puts it out of its place. Who signed the list of revoked processors shows only beside a
 * quote: lists stand side by side, with the newest words, until one of them was shown to be genuine, and no older one counts from then on.
 */
import type { Der, UnixTime } from '../../base/brand.ts'
import { sameBytes } from '../../base/bytes.ts'
import { type Result, err } from '../../base/result.ts'
import type { CryptoPort } from '../../crypto/port.ts'
import { type EnclavePolicy, FAMILIES_LIMIT } from '../../model/enclaves.ts'
import { type Collateral, decodeCollateral } from './collateral.ts'
import { parseRevocationList } from '../x509/crl.ts'
import { platformOfQuote } from './pck.ts'
import { INTEL_ROOT } from './root.ts'
import { type CollateralSubject, verifyCollateral } from './statements.ts'
import { type Attestation, verifyQuote } from './verify.ts'

/** Forged lists beside the true one, at most; the latest come in. */
const RIVALS_LIMIT = 4

interface Endorsement extends CollateralSubject {
  /** The same statements with other lists, the newest list first. */
  readonly rivals: readonly Collateral[]
  /** That of them whose list was genuine beside a quote, whether the quote was taken or not. */
  readonly proven?: Collateral
}

export class Endorsements {
  readonly #crypto: CryptoPort
  readonly #root: Der
  readonly #kept = new Map<string, Endorsement>()

  /** `root`: another than Intel's, for tests. */
  constructor(crypto: CryptoPort, root: Der = INTEL_ROOT) {
    this.#crypto = crypto
    this.#root = root
  }

  /** `changed`: judge again. */
  learn(sets: readonly Uint8Array[], now: UnixTime): { readonly changed: boolean; readonly refused: readonly string[] } {
    const refused: string[] = []
    let changed = false
    for (const octets of sets) {
      const decoded = decodeCollateral(octets)
      const about = decoded.ok ? verifyCollateral(this.#crypto, decoded.value, now, this.#root) : decoded
      if (!decoded.ok || !about.ok) refused.push(about.ok ? '' : about.fault.code)
      else if (this.#keep(about.value, decoded.value)) changed = true
    }
    return { changed, refused }
  }

  /** Whether this quote shows, now, an enclave that the policy takes and that speaks for `reportData`. */
  judge(quote: Uint8Array, reportData: Uint8Array, policy: EnclavePolicy, now: UnixTime): Result<Attestation> {
    const platform = platformOfQuote(quote)
    if (!platform.ok) return platform
    const known = this.#kept.get(nameOf(platform.value))
    if (known === undefined) return err('ATTESTATION_COLLATERAL', `none at hand for processors of family ${platform.value.family.slice(0, 12)}`)
    let first: Result<Attestation> | undefined
    for (const collateral of known.rivals) {
      const verified = verifyQuote(this.#crypto, quote, collateral, { ...policy, reportData, root: this.#root }, now)
      if (verified.ok || verified.fault.cause?.code === 'IDENTITY_REVOKED' || UNDER_GENUINE_LISTS.has(verified.fault.code)) this.#prove(known, collateral)
      // Only that the list is not the issuer's is no answer; that it revokes the processor is.
      if (verified.ok || !NOT_GENUINE.has(verified.fault.cause?.code ?? '')) return verified
      first ??= verified
    }
    return first!
  }

  #prove(known: Endorsement, collateral: Collateral): void {
    if (known.proven === collateral) return
    if (known.proven === undefined || listDate(known.proven) <= listDate(collateral)) this.#kept.set(nameOf(known), { ...known, proven: collateral })
  }

  #keep(about: CollateralSubject, fresh: Collateral): boolean {
    const name = nameOf(about)
    const before = this.#kept.get(name)
    if (before === undefined ? this.#kept.size >= FAMILIES_LIMIT : before.issued > about.issued) return false
    const newer = before === undefined || before.issued < about.issued
    if (!newer && before.rivals.some((r) => sameLists(r, fresh))) return false
    // Newer words: with their own lists, and with those that held so far.
    const worded = (c: Collateral): Collateral => (newer ? { ...fresh, rootCrl: c.rootCrl, pckCrl: c.pckCrl } : c)
    const held = before?.proven
    const proven = held === undefined ? undefined : sameLists(held, fresh) ? fresh : worded(held)
    const past = held === undefined ? 0 : listDate(held)
    const others = (before?.rivals ?? []).filter((r) => r !== held && !sameLists(r, fresh) && listDate(r) > past).slice(0, RIVALS_LIMIT - 2).map(worded)
    const rivals = [fresh, ...others, ...(proven === undefined || proven === fresh ? [] : [proven])].sort((a, b) => listDate(b) - listDate(a))
    this.#kept.set(name, { ...about, rivals, ...(proven === undefined ? {} : { proven }) })
    return true
  }
}

/** Faults that only come up once the processor's chain has held under the lists. */
const UNDER_GENUINE_LISTS: ReadonlySet<string> = new Set(['ATTESTATION_SIGNATURE', 'ATTESTATION_TCB', 'ATTESTATION_DEBUG', 'ATTESTATION_MEASUREMENT', 'ATTESTATION_REPORT_DATA'])
const NOT_GENUINE: ReadonlySet<string> = new Set(['IDENTITY_REVOCATION_BAD_SIGNATURE', 'IDENTITY_REVOCATION_UNKNOWN'])

const listDate = ({ pckCrl }: Collateral): number => {
  const parsed = parseRevocationList(pckCrl)
  return parsed.ok ? parsed.value.thisUpdate : 0
}
const sameLists = (a: Collateral, b: Collateral): boolean => sameBytes(a.pckCrl, b.pckCrl) && sameBytes(a.rootCrl, b.rootCrl)
const nameOf = ({ tee, family }: Pick<CollateralSubject, 'tee' | 'family'>): string => `${tee} ${family}`
