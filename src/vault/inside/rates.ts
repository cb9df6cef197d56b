/** How often a host may ask: a client that is in wrong hands makes few signatures before somebody notices. */
import type { Instant } from '../../base/brand.ts'
import { type Result, err, ok } from '../../base/result.ts'
import { type Bucket, fullBucket, type Rate, take } from '../../protocol/room/bucket.ts'
import type { VaultCallName } from '../api/calls.ts'

/** Signatures with the certificate's own key: delegations, policies, a host's acts, TLS handshakes. */
export const SIGNATURES: Rate = { burst: 120, perSecond: 4 }
/** Those of sealed calls, apart: others can make us sign by calling, and that must not use up what the connection and rooms need. */
export const CALL_SIGNATURES: Rate = { burst: 120, perSecond: 2 }
/** A room of two hundred says much at once to whoever comes back. */
export const CALLS: Rate = { burst: 5000, perSecond: 1000 }

const SIGNING: ReadonlySet<VaultCallName> = new Set([
  'room.create', 'room.request', 'room.act', 'room.decide', 'room.amend', 'policy.draft', 'policy.amend', 'policy.decide', 'notice.sign', 'journal.open', 'journal.checkpoint', 'ring.sign',
])

export class CallRates {
  readonly #signatures: Bucket
  readonly #agreements: Bucket
  readonly #calls: Bucket

  constructor(now: Instant) {
    this.#signatures = fullBucket(SIGNATURES, now)
    this.#agreements = fullBucket(CALL_SIGNATURES, now)
    this.#calls = fullBucket(CALLS, now)
  }
  call(name: VaultCallName, now: Instant): Result<undefined> {
    if (!take(this.#calls, CALLS, now)) return err('VAULT_BUSY', `more than ${CALLS.perSecond} calls a second`)
    return SIGNING.has(name) ? this.signature(now) : ok(undefined)
  }
  signature(now: Instant): Result<undefined> {
    return take(this.#signatures, SIGNATURES, now) ? ok(undefined) : err('VAULT_BUSY', `more than ${SIGNATURES.perSecond} signatures a second`)
  }
  agreement(now: Instant): Result<undefined> {
    return take(this.#agreements, CALL_SIGNATURES, now) ? ok(undefined) : err('VAULT_BUSY', `more than ${CALL_SIGNATURES.perSecond} sealed calls a second`)
  }
}
