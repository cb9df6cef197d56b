/** What the control part of a vault holds. */
import type { Clock } from '../../base/ports.ts'
import { type Result, err, ok } from '../../base/result.ts'
import type { CryptoPort } from '../../crypto/port.ts'
import type { NoticeHit, PipeId, SessionId, VaultCallName, VaultCalls } from '../api/calls.ts'
import type { FrameCommand } from './frame-commands.ts'
import { type BlockList, type GroupWorld, groupWorld, mayBlock } from './group-world.ts'
import type { HopConnection } from './hop-connection.ts'
import type { IdentityKeeper } from './identity-keeper.ts'
import { CallSession, type CallSessionOptions } from './call-session.ts'
import { loadMemory } from './memory.ts'
import { CallRates } from './rates.ts'
import { type WaitingRequest, RoomSession } from './room-session.ts'

const SESSIONS_LIMIT = 64
const CALLS_LIMIT = 64

export class VaultState {
  readonly crypto: CryptoPort
  readonly clock: Clock
  readonly identity: IdentityKeeper
  readonly world: GroupWorld
  readonly pipes = new Map<PipeId, HopConnection>()
  readonly #frames: (c: FrameCommand) => void
  readonly #sessions = new Map<SessionId, RoomSession>()
  readonly calls = new Map<SessionId, CallSession>()
  readonly rates: CallRates
  /** Rings that were read: each is shown once. */
  readonly rings = new Set<string>()
  #nextSession: number

  constructor(crypto: CryptoPort, clock: Clock, identity: IdentityKeeper, frames: (c: FrameCommand) => void, firstSession: number) {
    this.#nextSession = firstSession
    this.crypto = crypto
    this.clock = clock
    this.rates = new CallRates(clock.now())
    this.identity = identity
    this.#frames = frames
    this.world = groupWorld(crypto, clock, identity.verify)
  }

  get journal(): IdentityKeeper['journal'] {
    return this.identity.journal
  }
  /** What was known before this start. */
  load(options: Parameters<typeof loadMemory>[1]): Result<undefined> {
    return loadMemory(this, options)
  }

  newSession(waiting?: WaitingRequest): Result<RoomSession> {
    if (this.#sessions.size >= SESSIONS_LIMIT) return err('VAULT_FULL', `${SESSIONS_LIMIT} memberships`)
    const session = new RoomSession(this.#nextSession++, this.#frames, () => this.clock.unix(), waiting)
    this.#sessions.set(session.id, session)
    return ok(session)
  }
  newCall(options: Omit<CallSessionOptions, 'frames'>): Result<CallSession> {
    if (this.calls.size >= CALLS_LIMIT) return err('VAULT_FULL', `${CALLS_LIMIT} calls`)
    const call = new CallSession(this.#nextSession++, { ...options, frames: this.#frames })
    this.calls.set(call.id, call)
    return ok(call)
  }
  endCall(id: SessionId): void {
    this.calls.get(id)?.end()
    this.calls.delete(id)
  }
  session(id: SessionId): Result<RoomSession> {
    const session = this.#sessions.get(id)
    return session === undefined ? err('VAULT_SESSION_UNKNOWN', `${id}`) : ok(session)
  }
  /** A notice with a good signature. `heeded`: the rooms that we are in where its signer may block. */
  learnNotice(notice: Parameters<BlockList['learn']>[0]): { readonly news: boolean; readonly heeded: readonly SessionId[] } {
    const authority = this.identity.known.isAuthority(notice.by)
    const heeded = [...this.#sessions.values()].filter((s) => authority || s.heeds(notice.by)).map((s) => s.id)
    const owner = heeded.length > 0 || this.world.policies.all.some((p) => mayBlock(notice.by, p.base.policy, []))
    return { news: this.world.blocks.learn(notice, authority ? 'authority' : owner ? 'owner' : 'nobody'), heeded }
  }
  /** Where somebody sits whom a notice blocks: each such room seals nothing any more unless they are gone soon. */
  blockedPlaces(keyId: string): NoticeHit[] {
    const hits: NoticeHit[] = []
    for (const session of this.#sessions.values()) {
      session.guard(this.world.blocks, this.clock.now())
      const found = session.blockedMember(this.world.blocks, keyId)
      if (found !== undefined) hits.push({ session: session.id, leaf: found.leaf, identity: found.identity })
    }
    return hits
  }
  endSession(id: SessionId): void {
    this.#sessions.get(id)?.end()
    this.#sessions.delete(id)
  }
  /** After certificates were looked at again. */
  checkSessions(): void {
    for (const session of this.#sessions.values()) session.check()
    for (const pipe of this.pipes.values()) pipe.recheck()
  }
  end(): void {
    for (const id of [...this.#sessions.keys()]) this.endSession(id)
    for (const id of [...this.calls.keys()]) this.endCall(id)
    this.identity.end()
  }
}

export type Handler<K extends VaultCallName> = (vault: VaultState, input: VaultCalls[K]['in']) => Promise<Result<VaultCalls[K]['out']>>
export type Handlers<K extends VaultCallName> = { readonly [N in K]: Handler<N> }
