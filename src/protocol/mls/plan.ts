/** What a commit of our own will contain: what was asked for, less what a rule forbids. The others check all of it again. */
import type { KeyPackage, Proposal } from 'ts-mls'
import { sameBytes } from '../../base/bytes.ts'
import { type Fault, type Result, err, ok } from '../../base/result.ts'
import type { SignedRoom } from '../../model/policy.ts'
import type { Policies } from '../policy/index.ts'
import { decodeKeyPackageMessage } from './codec.ts'
import { type Removal, encodeRemovals } from './removal.ts'
import { type Addition, checkAddition, notSentAway, SECOND_GATEWAY } from './rules/additions.ts'
import { type CommitFacts, blockedAuthor } from './rules/commit.ts'
import { contextExtensions, nextContext, nextPolicies } from './rules/context.ts'
import { checkRemoval } from './rules/removals.ts'
import { leafAt } from './tree-check.ts'

export interface Joiner {
  readonly id: number
  readonly keyPackage: Uint8Array
}

/** What a commit of ours should do. `signed`: policies that it puts in place. */
export interface Changes {
  readonly adds: readonly Joiner[]
  readonly removes: readonly Removal[]
  readonly signed?: SignedRoom
}

export interface Plan {
  readonly proposals: readonly Proposal[]
  /** The commit's authenticated data. */
  readonly reasons: Uint8Array
  readonly removals: readonly Removal[]
  readonly additions: readonly Addition[]
  readonly policies: Policies
  readonly refused: readonly { readonly id: number; readonly fault: Fault }[]
  readonly refusedRemovals: readonly { readonly leaf: number; readonly fault: Fault }[]
}

class Planner {
  readonly #facts: CommitFacts
  readonly #own: number
  readonly removals: Removal[] = []
  readonly additions: Addition[] = []
  readonly keyPackages: KeyPackage[] = []
  readonly refused: { id: number; fault: Fault }[] = []
  readonly refusedRemovals: { leaf: number; fault: Fault }[] = []
  policies: Policies

  constructor(facts: CommitFacts) {
    this.#facts = facts
    this.#own = facts.state.privatePath.leafIndex
    this.policies = facts.policies
  }

  /** The policies that a host or owner signed to follow the present ones. */
  decide(signed: SignedRoom): Result<undefined> {
    const { crypto, policies } = this.#facts
    const next = nextPolicies(crypto, policies, signed)
    if (!next.ok) return next
    const banished = blockedAuthor(this.#facts, undefined, next.value)
    if (banished !== undefined) return err('MLS_BLOCKED', banished)
    this.policies = next.value
    return ok(undefined)
  }

  remove(removal: Removal): void {
    const accepted = this.#checkRemoval(removal)
    if (accepted.ok && !this.removals.some((r) => r.leaf === removal.leaf)) this.removals.push(removal)
    if (!accepted.ok) this.refusedRemovals.push({ leaf: removal.leaf, fault: accepted.fault })
  }

  #checkRemoval(removal: Removal): Result<undefined> {
    if (removal.leaf === this.#own) return err('MLS_REMOVAL', 'nobody removes itself: somebody else commits it')
    const { crypto, state, members, now } = this.#facts
    if (removal.reason === 'rejoin') return leafAt(state.ratchetTree, removal.leaf) === undefined ? err('MLS_REMOVAL', `nobody is at leaf ${removal.leaf}`) : ok(undefined)
    const checked = checkRemoval({ crypto, state, now, base: this.policies.base.policy, addedKeyIds: [], memberAt: (leaf) => members.get(leaf) }, removal)
    if (!checked.ok) return checked
    return checked.value.ban === undefined ? ok(undefined) : this.#ban(checked.value.ban)
  }

  /** One new state a commit: a second ban waits for the next. */
  #ban(state: Uint8Array): Result<undefined> {
    const { crypto, policies } = this.#facts
    if (this.policies !== policies) return sameBytes(this.policies.state.bytes, state) ? ok(undefined) : err('MLS_REMOVAL', 'another ban comes first')
    const [base] = contextExtensions(policies)
    const next = nextContext(crypto, policies, [base!, { ...contextExtensions(policies)[1]!, extensionData: state }])
    if (!next.ok) return next
    this.policies = next.value
    return ok(undefined)
  }

  async add(joiner: Joiner): Promise<void> {
    const accepted = await this.#checkAddition(joiner)
    if (!accepted.ok) this.refused.push({ id: joiner.id, fault: accepted.fault })
  }

  async #checkAddition(joiner: Joiner): Promise<Result<undefined>> {
    const decoded = decodeKeyPackageMessage(joiner.keyPackage)
    if (!decoded.ok) return decoded
    const { base, state } = this.policies
    const checked = await checkAddition({ ...this.#facts, members: notSentAway(this.#facts.members, this.removals), base: base.policy, policy: state.policy }, decoded.value)
    if (!checked.ok) return checked
    const { keyId } = checked.value.member.identity
    if (this.additions.some((a) => a.member.identity.keyId === keyId || sameBytes(a.nonce, checked.value.nonce))) return err('MLS_KEY_PACKAGE_REUSED', 'a second request at the same time')
    if (checked.value.member.kind === 'gateway' && this.additions.some((a) => a.member.kind === 'gateway')) return err('MLS_NOT_ADMITTED', SECOND_GATEWAY)
    const old = [...this.#facts.members].find(([, m]) => m.identity.keyId === keyId)?.[0]
    if (old === this.#own) return err('MLS_ALREADY_MEMBER', 'it is ourselves')
    const replaces = old !== undefined && !this.removals.some((r) => r.leaf === old)
    const after = this.#facts.members.size - this.removals.length + this.additions.length + (replaces ? 0 : 1)
    if (after > base.policy.maximumMembers) return err('MLS_ROOM_FULL', `${base.policy.maximumMembers} members at most`)
    if (replaces) this.removals.push({ leaf: old, reason: 'rejoin' })
    this.additions.push(checked.value)
    this.keyPackages.push(decoded.value)
    return ok(undefined)
  }

  /** Who asked to rejoin has no use for its old leaf even where its new key package cannot be taken. */
  settleRejoins(): void {
    const keyIdAt = (leaf: number): string | undefined => this.#facts.members.get(leaf)?.identity.keyId
    for (const [i, r] of this.removals.entries()) {
      if (r.reason === 'rejoin' && !this.additions.some((a) => a.member.identity.keyId === keyIdAt(r.leaf))) this.removals[i] = { leaf: r.leaf, reason: 'unreachable' }
    }
  }

  proposals(): Proposal[] {
    const all: Proposal[] = this.removals.map((r) => ({ proposalType: 'remove', remove: { removed: r.leaf } }))
    all.push(...this.keyPackages.map((keyPackage): Proposal => ({ proposalType: 'add', add: { keyPackage } })))
    if (this.policies !== this.#facts.policies) all.push({ proposalType: 'group_context_extensions', groupContextExtensions: { extensions: contextExtensions(this.policies) } })
    return all
  }
}

export async function planCommit(facts: CommitFacts, { adds, removes, signed }: Changes): Promise<Result<Plan>> {
  const planner = new Planner(facts)
  if (signed !== undefined) {
    const may = planner.decide(signed)
    if (!may.ok) return may
  }
  // Removals first: they make room, and a ban decides who may come in.
  for (const removal of removes) planner.remove(removal)
  for (const joiner of adds) await planner.add(joiner)
  planner.settleRejoins()
  return ok({
    proposals: planner.proposals(),
    reasons: encodeRemovals(planner.removals),
    removals: planner.removals,
    additions: planner.additions,
    policies: planner.policies,
    refused: planner.refused,
    refusedRemovals: planner.refusedRemovals,
  })
}
