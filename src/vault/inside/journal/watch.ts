/** What the vault writes into the journal by itself: looked at where all calls pass, with what was asked and what came out. */
import { toHex } from '../../../base/bytes.ts'
import type { Fault, Result } from '../../../base/result.ts'
import type { CryptoPort } from '../../../crypto/port.ts'
import { callIdOf } from '../../../model/call-id.ts'
import { displayName } from '../../../model/identity.ts'
import type { JournalMember, VaultFact } from '../../../model/journal.ts'
import type { GroupMember } from '../../../model/roster.ts'
import type { GroupView, RemovalRequest, SessionId, VaultCallName, VaultCalls } from '../../api/calls.ts'
import type { RoomSession } from '../room-session.ts'
import type { JournalKeeper } from './keeper.ts'

/** Larger policies are in the room file; their number and who signed is enough here. */
const SIGNED_LIMIT = 20_000
/** A flood of rubbish does not fill the disk: so many refusals a minute, the rest is counted. */
const REFUSALS_A_MINUTE = 60
const TEXT_LIMIT = 300

/** Calls whose failure means that something from outside did not verify, and where its octets are. */
const CHECKS: { readonly [K in VaultCallName]?: (input: VaultCalls[K]['in']) => Uint8Array | undefined } = {
  'room.apply': (i) => i.commit, 'room.welcome': (i) => i.welcome, 'room.message': (i) => i.message, 'room.knock': (i) => i.keyPackage,
  'identity.verify': (i) => i.chain[0], 'policy.learn': (i) => i.signed.state, 'notice.learn': (i) => i.notice,
}

type Removed = Pick<VaultCalls['room.apply']['out']['removed'][number], 'leaf' | 'reason' | 'by'>

interface Seen {
  readonly view: GroupView
  readonly call: string
}

export class JournalWatch {
  readonly #crypto: CryptoPort
  readonly #keeper: JournalKeeper
  readonly #session: (id: SessionId) => Result<RoomSession>
  readonly #seen = new Map<SessionId, Seen>()
  readonly #pending = new Map<SessionId, readonly RemovalRequest[]>()
  #minute = 0
  #refusals = 0

  constructor(crypto: CryptoPort, keeper: JournalKeeper, session: (id: SessionId) => Result<RoomSession>) {
    this.#crypto = crypto
    this.#keeper = keeper
    this.#session = session
  }

  /** After every call. */
  saw<K extends VaultCallName>(name: K, input: VaultCalls[K]['in'], result: Result<VaultCalls[K]['out']>, unix: number): void {
    if (!this.#keeper.isOpen || name.startsWith('journal.')) return
    const session = 'session' in input ? input.session : undefined
    if (!result.ok) return this.#refused(name, input, session, result.fault, unix)
    if (name === 'room.propose' && session !== undefined) this.#proposed(session, result.value as VaultCalls['room.propose']['out'], unix)
    const out = result.value as Partial<VaultCalls['room.apply']['out']>
    const removed = name === 'room.confirm' && session !== undefined ? this.#ours(session) : (out.removed ?? [])
    if (out.view !== undefined && name !== 'room.check') this.#group(out.view, removed, out.ended === true)
    if (name === 'room.end' && session !== undefined) this.#over(session)
  }

  #proposed(session: SessionId, out: VaultCalls['room.propose']['out'], unix: number): void {
    for (const r of out.refused) this.#refuse({ ...this.#place(session), what: 'refused', step: 'room.propose', code: r.code, text: cut(r.message) }, session, unix)
    this.#pending.set(session, out.removes)
  }
  /** Whom our own commit removed. */
  #ours(session: SessionId): readonly Removed[] {
    const by = this.#seen.get(session)?.view.ownLeaf ?? 0
    const ours = (this.#pending.get(session) ?? []).map(({ leaf, reason }) => ({ leaf, reason, by }))
    this.#pending.delete(session)
    return ours
  }
  #group(view: GroupView, removed: readonly Removed[], ended: boolean): void {
    const before = this.#seen.get(view.session)
    const call = callIdOf(view.groupId)
    this.#seen.set(view.session, { view, call })
    const at = { room: view.policy.room, call }
    const { epoch, securityCode: code } = view
    if (view.policy.journal) {
      if (before === undefined) this.#keeper.note({ ...at, what: 'entered', realm: view.policy.realm, generation: view.generation, epoch: Number(epoch), code, members: view.members.map(member) })
      else if (before.view.epoch !== epoch || removed.length > 0) {
        const here = new Set(view.members.map(personOf))
        const there = new Set(before.view.members.map(personOf))
        const went = before.view.members.filter((m) => !here.has(personOf(m))).map((m) => ({ ...member(m), ...why(removed, m, before.view.members) }))
        this.#keeper.note({ ...at, what: 'epoch', epoch: Number(epoch), code, came: view.members.filter((m) => !there.has(personOf(m))).map(member), went })
      }
      if (before === undefined || before.view.policy.version !== view.policy.version || before.view.state.version !== view.state.version) {
        this.#keeper.note({ ...at, what: 'policy', version: view.policy.version, stateVersion: view.state.version, by: view.policyBy, stateBy: view.stateBy, ...this.#signed(view.session) })
      }
    }
    if (ended) this.#over(view.session)
  }

  #over(session: SessionId): void {
    const last = this.#seen.get(session)
    this.#seen.delete(session)
    this.#pending.delete(session)
    if (last?.view.policy.journal === true) this.#keeper.note({ room: last.view.policy.room, call: last.call, what: 'left', epoch: Number(last.view.epoch) })
  }

  #signed(id: SessionId): Pick<Extract<VaultFact, { what: 'policy' }>, 'signed'> {
    const session = this.#session(id)
    const group = session.ok ? session.value.group() : session
    if (!group.ok) return {}
    const { base, state } = group.value.snapshot.policies
    return base.bytes.length + state.bytes.length > SIGNED_LIMIT ? {} : { signed: { base: base.bytes, state: state.bytes } }
  }

  #refused<K extends VaultCallName>(name: K, input: VaultCalls[K]['in'], session: SessionId | undefined, fault: Fault, unix: number): void {
    const octets = (CHECKS[name] as ((i: VaultCalls[K]['in']) => Uint8Array | undefined) | undefined)?.(input)
    if (octets === undefined) return
    this.#refuse({ ...this.#place(session), what: 'refused', step: name, code: fault.code, text: cut(fault.message), digest: toHex(this.#crypto.hash('sha256', octets)) }, session, unix)
  }
  #refuse(fact: Extract<VaultFact, { what: 'refused' }>, session: SessionId | undefined, unix: number): void {
    if (session !== undefined && this.#seen.get(session)?.view.policy.journal === false) return
    const minute = Math.floor(unix / 60)
    if (minute !== this.#minute) {
      this.#minute = minute
      this.#refusals = 0
    }
    if (++this.#refusals <= REFUSALS_A_MINUTE) this.#keeper.note(fact)
    else this.#keeper.leaveOut()
  }
  #place(session: SessionId | undefined): { readonly room?: string; readonly call?: string } {
    const seen = session === undefined ? undefined : this.#seen.get(session)
    return seen === undefined ? {} : { room: seen.view.policy.room, call: seen.call }
  }
}

const personOf = (m: GroupMember): string => `${m.leaf} ${m.identity.keyId}`
const member = (m: GroupMember): JournalMember => ({ leaf: m.leaf, name: cut(displayName(m.identity)), keyId: m.identity.keyId, fingerprint: m.identity.fingerprint, kind: m.kind, ...(m.self ? { self: true } : {}) })
const cut = (text: string): string => text.slice(0, TEXT_LIMIT)

function why(removed: readonly Removed[], m: GroupMember, members: readonly GroupMember[]): { readonly reason: string; readonly by?: string } {
  const r = removed.find((x) => x.leaf === m.leaf)
  // A leaf that another took in the same step.
  if (r === undefined) return { reason: 'replaced' }
  const by = members.find((x) => x.leaf === r.by)
  return { reason: r.reason, ...(by === undefined ? {} : { by: cut(displayName(by.identity)) }) }
}
