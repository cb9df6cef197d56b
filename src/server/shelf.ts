/**
 * Signed things that the server keeps for those who come later: policies of standing rooms, and block notices. It checks
 * signatures so that nobody fills it with rubbish; nobody relies on that, and it can change none of them.
 */
import type { Clock } from '../base/ports.ts'
import { type Result, err, ok } from '../base/result.ts'
import type { CryptoPort } from '../crypto/port.ts'
import type { BlockNotice } from '../model/block-notice.ts'
import type { SignedRoom } from '../model/policy.ts'
import { type RoomContent, type Policies, BlockList, PolicyMemory, type SignerRank, readNotice, readPolicies } from '../protocol/policy/index.ts'

const ROOMS_LIMIT = 1000

export interface ShelfOptions {
  readonly crypto: CryptoPort
  readonly clock: Clock
  readonly realm: string
  /** Keys of the authorities, as of `Identity.keyId`: their notices are kept. */
  readonly authorities: readonly string[]
}

export class Shelf {
  readonly #o: ShelfOptions
  readonly #policies = new PolicyMemory()
  readonly #notices = new BlockList()
  /** What was taken in is to be written down. */
  onChange: (content: RoomContent) => void = () => {}

  constructor(options: ShelfOptions, content: RoomContent = { policies: [], notices: [] }) {
    this.#o = options
    for (const signed of content.policies) {
      const read = readPolicies(options.crypto, signed)
      if (read.ok) this.#policies.admit(read.value)
    }
    for (const bytes of content.notices) {
      const read = readNotice(options.crypto, bytes, options.realm, options.clock.unix())
      if (read.ok) this.#notices.learn(read.value, this.#rank(read.value.by))
    }
  }

  #rank(by: string): SignerRank {
    return this.#o.authorities.includes(by) ? 'authority' : 'owner'
  }
  policyOf(room: string): SignedRoom | undefined {
    const p = this.#policies.standingOf(this.#o.realm, room)
    return p === undefined ? undefined : { base: p.base.bytes, state: p.state.bytes }
  }
  get notices(): readonly BlockNotice[] {
    return this.#notices.all
  }
  get content(): RoomContent {
    return { policies: this.#policies.all.map((p) => ({ base: p.base.bytes, state: p.state.bytes })), notices: this.#notices.all.map((n) => n.bytes) }
  }

  keepPolicy(room: string, signed: SignedRoom): Result<undefined> {
    const read = readPolicies(this.#o.crypto, signed)
    if (!read.ok) return read
    const { base } = read.value
    if (base.policy.room !== room || base.policy.realm !== this.#o.realm || !base.policy.standing) return err('MLS_POLICY', 'not of a standing room here')
    if (this.policyOf(room) === undefined && this.#policies.all.length >= ROOMS_LIMIT) return err('ROOM_TOO_MANY')
    const kept = this.#policies.admit(read.value)
    if (kept.ok) this.onChange(this.content)
    return kept
  }
  /** `from`: the key of the client that brought it. Undefined where it was known. */
  keepNotice(bytes: Uint8Array, from: string): Result<BlockNotice | undefined> {
    const read = readNotice(this.#o.crypto, bytes, this.#o.realm, this.#o.clock.unix())
    if (!read.ok) return read
    const { by } = read.value
    const lasting = this.#o.authorities.includes(by) || this.#policies.all.some((p) => owns(p, by))
    if (!lasting && by !== from) return err('MLS_BLOCK_NOTICE', 'signed by nobody who owns a room here')
    // A word about rooms that last for a meeting is handed on and not kept.
    if (!lasting) return ok(read.value)
    if (!this.#notices.learn(read.value, this.#rank(by))) return ok(undefined)
    this.onChange(this.content)
    return ok(read.value)
  }
}

const owns = (p: Policies, key: string): boolean => p.base.policy.owners.includes(key) || p.base.policy.recovery === key
