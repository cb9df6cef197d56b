/**
 * Intel's words that are at hand, one set for each kind of processor. They come from files and from the server, which need not be trusted:
 * only what Intel signed is kept, and nothing older puts it out of its place.
 */
import type { Der, UnixTime } from '../../base/brand.ts'
import { type Result, err } from '../../base/result.ts'
import type { CryptoPort } from '../../crypto/port.ts'
import { type EnclavePolicy, FAMILIES_LIMIT } from '../../model/enclaves.ts'
import { type Collateral, decodeCollateral } from './collateral.ts'
import { platformOfQuote } from './pck.ts'
import { INTEL_ROOT } from './root.ts'
import { type CollateralSubject, verifyCollateral } from './statements.ts'
import { type Attestation, verifyQuote } from './verify.ts'

interface Endorsement extends CollateralSubject {
  readonly collateral: Collateral
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
      else if (this.#keep({ ...about.value, collateral: decoded.value })) changed = true
    }
    return { changed, refused }
  }

  /** Whether this quote shows, now, an enclave that the policy takes and that speaks for `reportData`. */
  judge(quote: Uint8Array, reportData: Uint8Array, policy: EnclavePolicy, now: UnixTime): Result<Attestation> {
    const platform = platformOfQuote(quote)
    if (!platform.ok) return platform
    const known = this.#kept.get(nameOf(platform.value))
    if (known === undefined) return err('ATTESTATION_COLLATERAL', `none at hand for processors of family ${platform.value.family.slice(0, 12)}`)
    return verifyQuote(this.#crypto, quote, known.collateral, { ...policy, reportData, root: this.#root }, now)
  }

  #keep(e: Endorsement): boolean {
    const name = nameOf(e)
    const before = this.#kept.get(name)
    if (before === undefined ? this.#kept.size >= FAMILIES_LIMIT : before.issued >= e.issued) return false
    this.#kept.set(name, e)
    return true
  }
}

const nameOf = ({ tee, family }: Pick<CollateralSubject, 'tee' | 'family'>): string => `${tee} ${family}`
