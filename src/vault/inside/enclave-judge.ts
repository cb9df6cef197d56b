/** Who of those that say so has its keys in an enclave, as far as their quotes show it to us, now. */
import type { Der, UnixTime } from '../../base/brand.ts'
import { toHex } from '../../base/bytes.ts'
import type { CryptoPort } from '../../crypto/port.ts'
import type { EnclavePolicy } from '../../model/enclaves.ts'
import type { EnclaveProof } from '../../model/identity.ts'
import { Endorsements } from '../../protocol/sgx/endorsements.ts'

export interface Quoted {
  readonly bytes: Uint8Array
  /** What it has to be made for. */
  readonly reportData: Uint8Array
}

export interface EnclaveTrust {
  /** Which enclaves are believed; none unless given. */
  readonly enclaves?: EnclavePolicy
  /** Another maker of processors than Intel: tests. */
  readonly processorRoot?: Der
}

/** Without a list of programs no enclave is believed: which program it is would be anybody's guess. */
const NOBODY: EnclavePolicy = { statuses: [] }
const KEPT_LIMIT = 1024

export class EnclaveJudge {
  readonly #crypto: CryptoPort
  readonly #policy: EnclavePolicy
  readonly #endorsements: Endorsements
  /** Verdicts on what was at hand; forgotten when something newer came. */
  readonly #verdicts = new Map<string, EnclaveProof>()

  constructor(crypto: CryptoPort, { enclaves = NOBODY, processorRoot }: EnclaveTrust) {
    this.#crypto = crypto
    this.#policy = enclaves
    this.#endorsements = new Endorsements(crypto, processorRoot)
  }

  learn(sets: readonly Uint8Array[], now: UnixTime): { readonly changed: boolean; readonly refused: readonly string[] } {
    const learnt = this.#endorsements.learn(sets, now)
    if (learnt.changed) this.#verdicts.clear()
    return learnt
  }

  judge(quoted: Quoted | undefined, now: UnixTime): EnclaveProof {
    if (quoted === undefined) return { proven: false, code: 'ATTESTATION_NO_QUOTE', reason: 'it shows no quote' }
    const name = toHex(this.#crypto.hash('sha256', quoted.reportData, quoted.bytes))
    const before = this.#verdicts.get(name)
    if (before !== undefined && (!before.proven || now <= before.until)) return before
    const verdict = this.#judge(quoted, now)
    if (this.#verdicts.size >= KEPT_LIMIT) this.#verdicts.delete(this.#verdicts.keys().next().value!)
    this.#verdicts.set(name, verdict)
    return verdict
  }

  #judge({ bytes, reportData }: Quoted, now: UnixTime): EnclaveProof {
    const shown = this.#endorsements.judge(bytes, reportData, this.#policy, now)
    if (!shown.ok) return { proven: false, code: shown.fault.code, reason: shown.fault.message }
    const { tee, measurement, status, advisories, validUntil: until } = shown.value
    return { proven: true, tee, measurement, status, advisories, until }
  }
}
