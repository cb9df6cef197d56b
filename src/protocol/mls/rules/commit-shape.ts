/**
 * The form of a commit: a public message by a member of this group for this epoch, with proposals by value of three
 * kinds, each leaf at most once, and a path. What ts-mls would take beyond that (external commits, standalone and
 * referenced proposals, ReInit, PSK, Update, custom) never reaches it.
 */
import type { ClientState, Extension, KeyPackage, UpdatePath } from 'ts-mls'
import type { ProposalOrRef } from 'ts-mls/proposalOrRefType.js'
import type { PublicMessage } from 'ts-mls/publicMessage.js'
import { sameBytes } from '../../../base/bytes.ts'
import { type Result, err, ok } from '../../../base/result.ts'
import { PROPOSALS_LIMIT } from '../limits.ts'
import { type Removal, decodeRemovals } from '../removal.ts'
import { leafAt } from '../tree-check.ts'

export interface ShapedCommit {
  readonly committer: number
  readonly adds: readonly KeyPackage[]
  /** In the order of the Remove proposals, with the reasons that the committer signed. */
  readonly removals: readonly Removal[]
  /** The new extensions of the group context, when the commit changes them. */
  readonly context?: readonly Extension[]
  readonly path: UpdatePath
}

export function shapeOf(message: PublicMessage, state: ClientState): Result<ShapedCommit> {
  const { content } = message
  if (!sameBytes(content.groupId, state.groupContext.groupId)) return err('MLS_WRONG_GROUP')
  if (content.epoch !== state.groupContext.epoch) return err('MLS_WRONG_EPOCH', `${content.epoch} instead of ${state.groupContext.epoch}`)
  if (content.sender.senderType !== 'member') return err('MLS_EXTERNAL_SENDER', content.sender.senderType)
  if (content.contentType !== 'commit') return err('MLS_NOT_PUBLIC_COMMIT', `a standalone ${content.contentType}`)
  const committer = content.sender.leafIndex
  if (leafAt(state.ratchetTree, committer) === undefined) return err('MLS_EXTERNAL_SENDER', `nobody is at leaf ${committer}`)
  if (committer === state.privatePath.leafIndex) return err('MLS_PENDING', 'a commit of our own comes back to us')
  const proposals = sortProposals(content.commit.proposals)
  if (!proposals.ok) return proposals
  const { adds, removed, context } = proposals.value
  if (removed.includes(committer)) return err('MLS_REMOVAL', 'the committer removes itself')
  const { path } = content.commit
  if (path === undefined) return err('MLS_PATH_MISSING')
  const removals = decodeRemovals(content.authenticatedData)
  if (!removals.ok) return removals
  const stated = removals.value
  if (stated.length !== removed.length || stated.some((r, i) => r.leaf !== removed[i])) return err('MLS_REMOVAL', 'the reasons do not fit the removals')
  return ok({ committer, adds, removals: stated, path, ...(context === undefined ? {} : { context }) })
}

interface Sorted {
  adds: KeyPackage[]
  removed: number[]
  context?: readonly Extension[]
}

function sortProposals(proposals: readonly ProposalOrRef[]): Result<Sorted> {
  if (proposals.length > PROPOSALS_LIMIT) return err('MLS_TOO_LARGE', `commit with ${proposals.length} proposals`)
  const sorted: Sorted = { adds: [], removed: [] }
  for (const p of proposals) {
    if (p.proposalOrRefType !== 'proposal') return err('MLS_PROPOSAL_BY_REFERENCE')
    const { proposal } = p
    if (proposal.proposalType === 'add' && 'add' in proposal) sorted.adds.push(proposal.add.keyPackage)
    else if (proposal.proposalType === 'remove' && 'remove' in proposal) sorted.removed.push(proposal.remove.removed)
    else if (proposal.proposalType === 'group_context_extensions' && 'groupContextExtensions' in proposal && sorted.context === undefined) sorted.context = proposal.groupContextExtensions.extensions
    else return err('MLS_PROPOSAL_FORBIDDEN', String(proposal.proposalType))
  }
  if (new Set(sorted.removed).size !== sorted.removed.length) return err('MLS_REMOVAL', 'a leaf is removed twice')
  return ok(sorted)
}
