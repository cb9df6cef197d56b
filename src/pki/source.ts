/** Keeps statements about revocation fresh: lists and answers that the certificates of verified paths name. */
import { instant } from '../base/brand.ts'
import type { Scheduler } from '../base/ports.ts'
import { type Fault, ok, type Result } from '../base/result.ts'
import type { CryptoPort } from '../crypto/port.ts'
import type { RevocationProof } from '../model/trust.ts'
import type { Certificate } from '../protocol/x509/certificate.ts'
import { fetchAnswer, fetchLists, isFetchable } from './fetch.ts'

/** Addresses looked after, and members whose certificates name a responder and no list: as many as answers are kept. */
const TARGETS_LIMIT = 512
const REFRESH_MS = 300_000
/** The door of a small authority of ours: nobody else asks it. */
const OWN_DOOR_MS = 15_000
const RETRY_MS = 60_000
const URGENT_MS = 5000
/** Unwanted for so long, an address is forgotten: its certificates have gone. */
const FORGET_MS = 24 * 3_600_000

interface Target {
  readonly get: () => Promise<Result<readonly RevocationProof[]>>
  readonly everyMs: number
  wantedAt: number
  lastTry: number
  running: boolean
  cancel: () => void
}

const one = <T>(r: Result<T>): Result<readonly T[]> => (r.ok ? ok([r.value]) : r)

export class RevocationFetcher {
  readonly #crypto: CryptoPort
  readonly #scheduler: Scheduler
  readonly #onFault: (fault: Fault) => void
  readonly #targets = new Map<string, Target>()
  #tell: (proofs: readonly RevocationProof[]) => void = () => {}
  #stopped = false

  constructor(crypto: CryptoPort, scheduler: Scheduler, onFault: (fault: Fault) => void = () => {}) {
    this.#crypto = crypto
    this.#scheduler = scheduler
    this.#onFault = onFault
  }
  onProofs(listener: (proofs: readonly RevocationProof[]) => void): void {
    this.#tell = listener
  }
  /** Only for paths that verify but for revocation: what a stranger names is not fetched. */
  want(path: readonly Certificate[], urgent: boolean): void {
    for (const [i, c] of path.entries()) {
      const issuer = path[i + 1]
      if (issuer === undefined) continue
      const lists = (c.extensions.crlAddresses ?? []).filter(isFetchable)
      for (const address of lists) this.#target(address, () => fetchLists(address), /^https:.*\/list\.crl$/.test(address) ? OWN_DOOR_MS : REFRESH_MS, urgent)
      // A list serves everybody of an issuer; answers are asked for where there is none.
      const responder = lists.length > 0 ? undefined : (c.extensions.ocspAddresses ?? []).find(isFetchable)
      if (responder !== undefined) this.#target(`${responder} ${c.serial}`, async () => one(await fetchAnswer(this.#crypto, responder, c, issuer)), REFRESH_MS, urgent)
    }
  }
  stop(): void {
    this.#stopped = true
    for (const t of this.#targets.values()) t.cancel()
  }

  #target(key: string, get: Target['get'], everyMs: number, urgent: boolean): void {
    const now = this.#scheduler.now()
    const known = this.#targets.get(key)
    if (known === undefined && this.#targets.size >= TARGETS_LIMIT) return
    const target = known ?? { get, everyMs, wantedAt: now, lastTry: Number.NEGATIVE_INFINITY, running: false, cancel: () => {} }
    target.wantedAt = now
    this.#targets.set(key, target)
    if (known === undefined || (urgent && now - target.lastTry > URGENT_MS)) void this.#run(key, target)
  }

  async #run(key: string, t: Target): Promise<void> {
    if (t.running || this.#stopped) return
    t.cancel()
    t.running = true
    t.lastTry = this.#scheduler.now()
    const got = await t.get()
    t.running = false
    if (this.#stopped) return
    if (got.ok) this.#tell(got.value)
    else this.#onFault(got.fault)
    const now = this.#scheduler.now()
    if (now - t.wantedAt > FORGET_MS) this.#targets.delete(key)
    else t.cancel = this.#scheduler.at(instant(now + (got.ok ? t.everyMs : RETRY_MS)), () => void this.#run(key, t))
  }
}
