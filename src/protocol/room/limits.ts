/** Times and sizes of a room (docs/protocol/channel.md §3–5). Milliseconds unless named otherwise. */
import { ALL_FORWARDED_LIMIT } from '../../model/policy.ts'

export interface RoomLimits {
  /** A nominee's time to commit. */
  readonly nominationMs: number
  /** Time for the first `applied`; doubles with every void of the same epoch, up to `applyMostMs`. */
  readonly applyMs: number
  readonly applyMostMs: number
  /** A joiner's time to answer its welcome. */
  readonly welcomeMs: number
  /** How long a lost connection may come back before the member is removed. */
  readonly lostMs: number
  /** From the last join to the key update. */
  readonly freshenMs: number
  /** A member that refused a commit that stands: time to rejoin. Also how long most may be out of step before a new generation. */
  readonly healMs: number
  /** Work that nobody commits for so long ends the generation. */
  readonly stuckMs: number
  /** Pause after every member was passed over. */
  readonly roundMs: number
  /** A request's longest wait: key packages are valid for 120 s. */
  readonly queueMs: number
  /** How long the number of the generation is remembered in an empty room. */
  readonly lingerMs: number
  /** A member whose own commit nobody applied: no more commits of its own accord for so long. */
  readonly ownCommitPauseMs: number
  readonly queueLimit: number
  readonly batchAdds: number
  readonly batchOctets: number
  /** Largest room of any policy on this server. */
  readonly maximumMembers: number
  /** Members of a room that forwards everything. */
  readonly maximumAll: number
  /** Ways of forwarding that the server offers. */
  readonly forwarding: readonly string[]
}

export const ROOM_LIMITS: RoomLimits = {
  nominationMs: 1000, applyMs: 500, applyMostMs: 4000, welcomeMs: 10_000, lostMs: 2000, freshenMs: 2000, healMs: 10_000,
  stuckMs: 15_000, roundMs: 500, queueMs: 120_000, lingerMs: 60_000, ownCommitPauseMs: 60_000,
  queueLimit: 256, batchAdds: 50, batchOctets: 200_000, maximumMembers: 200, maximumAll: ALL_FORWARDED_LIMIT, forwarding: ['all', 'loudest'],
}

/** A request whose nominations failed so often is nominated alone; after more failures it is refused. */
export const SUSPECT_AFTER = 2
export const REFUSE_AFTER = 6
/** Members that must refuse a joiner before it is refused. */
export const REFUSALS = 2
/** Void sequence numbers remembered. */
export const VOIDS_KEPT = 32

/** Room traffic of one member: at once, and per second. */
export const MESSAGE_RATE = { burst: 50, perSecond: 10 } as const
export const COMMIT_RATE = { burst: 20, perSecond: 5 } as const
