/**
 * One membership of one group. Every step is checked by the rules first; a step that is refused leaves everything as
 * it was. Steps are taken one after the other, whatever the caller awaits.
 */
import { type Instant, type Ssrc, instant } from '../../base/brand.ts'
import { type Result, err, ok } from '../../base/result.ts'
import type { Signer } from '../../crypto/port.ts'
import { type Proposed, applyStep, proposeStep } from './advance.ts'
import { hostEvidence, leaveEvidence } from './evidence.ts'
import { OLD_EPOCH_MS } from './limits.ts'
import type { Changes, Joiner, Plan } from './plan.ts'
import { securityCode } from './security-code.ts'
import { type GroupWorld, type Snapshot, keptStreams } from './snapshot.ts'
import { type Heard, type Word, announceStep, receiveStep, sayStep } from './talk.ts'

export interface GroupCommit {
  readonly commit: Uint8Array
  /** Present where somebody is added. */
  readonly welcome?: Uint8Array
  /** The epoch that the commit is for: the present one. */
  readonly epoch: bigint
  readonly plan: Plan
  /** What the group will be if the commit stands. */
  readonly next: Snapshot
}

export interface GroupChange {
  readonly before: Snapshot
  /** The same as `before` where we were removed ourselves. */
  readonly after: Snapshot
  readonly committer: number
  readonly removals: Plan['removals']
  readonly ended: boolean
}

export class MlsGroup {
  readonly #world: GroupWorld
  #now: Snapshot
  #pending: Proposed | undefined
  #previous: { readonly snapshot: Snapshot; readonly until: Instant } | undefined
  #ended = false
  #queue: Promise<unknown> = Promise.resolve()

  constructor(world: GroupWorld, begin: Snapshot) {
    this.#world = world
    this.#now = begin
  }

  get snapshot(): Snapshot {
    return this.#now
  }
  get epoch(): bigint {
    return this.#now.state.groupContext.epoch
  }
  get groupId(): Uint8Array {
    return this.#now.state.groupContext.groupId
  }
  get ownLeaf(): number {
    return this.#now.state.privatePath.leafIndex
  }
  get ended(): boolean {
    return this.#ended
  }
  get securityCode(): string {
    return securityCode(this.#world.crypto, this.#now.state.keySchedule.epochAuthenticator)
  }

  #step<T>(step: () => Promise<Result<T>>): Promise<Result<T>> {
    const run = this.#queue.then(async (): Promise<Result<T>> => (this.#ended ? err('MLS_REMOVED') : step()))
    this.#queue = run
    return run
  }

  /** Builds a commit and keeps it pending; an earlier pending one is forgotten. */
  propose(adds: readonly Joiner[], removes: Plan['removals'], signed?: Changes['signed']): Promise<Result<GroupCommit>> {
    return this.#step(async () => {
      const proposed = await proposeStep(this.#world, this.#now, { adds, removes, ...(signed === undefined ? {} : { signed }) })
      if (!proposed.ok) return proposed
      this.#forgetPending()
      this.#pending = proposed.value
      const { commit, welcome, plan, next } = proposed.value
      return ok({ commit, plan, next, epoch: this.epoch, ...(welcome === undefined ? {} : { welcome }) })
    })
  }

  /** The pending commit stands: its epoch is ours now. */
  confirm(): Promise<Result<GroupChange>> {
    return this.#step(async () => {
      const pending = this.#pending
      if (pending === undefined) return err('MLS_NO_PENDING')
      const remembered = this.#world.policies.admit(pending.plan.policies)
      if (!remembered.ok) return remembered
      const before = this.#now
      this.#enter(pending.next, pending.plan.additions)
      return ok({ before, after: pending.next, committer: this.ownLeaf, removals: pending.plan.removals, ended: false })
    })
  }

  /** The pending commit was passed over. Harmless when there is none. */
  abandon(): Promise<Result<undefined>> {
    return this.#step(async () => {
      this.#forgetPending()
      return ok(undefined)
    })
  }

  /** Another member's commit. `agreed` has the last word on its removals. */
  apply(commit: Uint8Array, agreed: (removals: Plan['removals']) => Result<undefined> = () => ok(undefined)): Promise<Result<GroupChange>> {
    return this.#step<GroupChange>(async () => {
      const applied = await applyStep(this.#world, this.#now, commit)
      if (!applied.ok) return applied
      const { checked, next } = applied.value
      const agreement = agreed(checked.shape.removals)
      if (!agreement.ok) return agreement
      const before = this.#now
      const change = { before, committer: checked.shape.committer, removals: checked.shape.removals }
      if (next === undefined) {
        this.#end()
        return ok({ ...change, after: before, ended: true })
      }
      const remembered = this.#world.policies.admit(next.policies)
      if (!remembered.ok) return remembered
      this.#enter(next, checked.additions)
      return ok({ ...change, after: next, ended: false })
    })
  }

  /** Our word for everybody which stream is ours. */
  announce(ssrc: Ssrc): Promise<Result<Uint8Array>> {
    return this.#step(async () => {
      const announced = await announceStep(this.#world, this.#now, ssrc)
      if (!announced.ok) return announced
      this.#replace(announced.value.next)
      return ok(announced.value.message)
    })
  }

  /** Anything else that we say to everybody. */
  say(word: Word): Promise<Result<Uint8Array>> {
    return this.#step(async () => {
      const said = await sayStep(this.#now, word)
      if (!said.ok) return said
      this.#replace(said.value.next)
      return ok(said.value.message)
    })
  }

  /** Another member's word. */
  receive(message: Uint8Array): Promise<Result<Heard>> {
    return this.#step(async () => {
      this.#forgetOldEpoch()
      const received = await receiveStep(this.#world, this.#now, this.#previous?.snapshot, message)
      if (!received.ok) return received
      this.#replace(received.value.next)
      return ok(received.value.heard)
    })
  }

  /** Our signed wish to be removed. */
  leave(): Result<Uint8Array> {
    return this.#ended ? err('MLS_REMOVED') : leaveEvidence(this.#world, this.#now)
  }

  /** Our act, as a host, of removing a member, and of banning it from coming back. */
  act(leaf: number, ban: boolean, host: Signer): Result<Uint8Array> {
    return this.#ended ? err('MLS_REMOVED') : hostEvidence(this.#world, this.#now, leaf, ban, host)
  }

  /** Wipes what can be wiped. */
  [Symbol.dispose](): void {
    this.#end()
  }

  #enter(next: Snapshot, additions: Plan['additions']): void {
    const now = this.#world.clock.unix()
    for (const a of additions) this.#world.used.add(a.nonce, a.expiry, now)
    if (this.#previous !== undefined) wipe(this.#previous.snapshot, next)
    if (this.#pending !== undefined && this.#pending.next !== next) wipe(this.#pending.next, next)
    this.#previous = { snapshot: retired(this.#now, next), until: instant(this.#world.clock.now() + OLD_EPOCH_MS) }
    this.#now = next
    this.#pending = undefined
  }

  /** The same epoch with another ratchet state or stream. A pending commit is for this epoch still, and keeps the streams. */
  #replace(next: Snapshot): void {
    this.#now = next
    if (this.#pending === undefined) return
    const after = this.#pending.next
    this.#pending = { ...this.#pending, next: { ...after, streams: keptStreams(next, after.state) } }
  }

  #forgetOldEpoch(): void {
    if (this.#previous === undefined || this.#world.clock.now() < this.#previous.until) return
    wipe(this.#previous.snapshot, this.#now)
    this.#previous = undefined
    const { state } = this.#now
    this.#now = { ...this.#now, state: { ...state, historicalReceiverData: new Map() } }
  }

  #end(): void {
    this.#ended = true
    for (const s of [this.#pending?.next, this.#previous?.snapshot, this.#now]) if (s !== undefined) wipe(s)
    this.#now.state.signaturePrivateKey.fill(0)
    this.#pending = undefined
    this.#previous = undefined
  }
  #forgetPending(): void {
    if (this.#pending !== undefined) wipe(this.#pending.next, this.#now)
    this.#pending = undefined
  }
}

/** What late messages of an epoch need, and nothing that leads out of it or speaks in it. */
function retired(s: Snapshot, next: Snapshot): Snapshot {
  const { initSecret, exporterSecret, externalSecret, membershipKey, confirmationKey, resumptionPsk } = s.state.keySchedule
  for (const secret of [initSecret, exporterSecret, externalSecret, membershipKey, confirmationKey, resumptionPsk]) secret.fill(0)
  wipePath(s, next)
  return { ...s, state: { ...s.state, privatePath: { ...s.state.privatePath, privateKeys: {} } } }
}

/** All of an epoch; what `kept` goes on with stays. */
function wipe(s: Snapshot, kept?: Snapshot): void {
  for (const secret of Object.values(s.state.keySchedule) as Uint8Array[]) secret.fill(0)
  wipePath(s, kept)
}

/** The keys of nodes above the change are the same arrays in the next epoch. */
function wipePath(s: Snapshot, kept?: Snapshot): void {
  const still = new Set(Object.values(kept?.state.privatePath.privateKeys ?? {}))
  for (const key of Object.values(s.state.privatePath.privateKeys)) if (!still.has(key)) key.fill(0)
}
