/**
 * The roster of one conference of the PBX: the server says who is there, the vault says whose certificates are good
 * (docs/protocol/pbx.md). Nobody is shown by a name that a certificate does not prove here.
 */
import type { Instant } from '../../../base/brand.ts'
import { instant } from '../../../base/brand.ts'
import { type Fault, makeFault, type Result } from '../../../base/result.ts'
import { inSentence, type Identity, safeText } from '../../../model/identity.ts'
import type { Caller, CallEvent, ConferenceMember, Presence } from '../../../model/roster.ts'
import type { ServerMessage, ServerWire } from '../../../protocol/wire/messages.ts'
import type { PbxAct, PbxMember } from '../../../protocol/wire/pbx-messages.ts'
import type { CallIn, CallMachine, CallOut, RoomCommand } from '../../call.ts'

type RosterMessage = ServerWire['pbx-roster']
type Shown = { readonly chain: readonly Uint8Array[]; readonly verdict: Result<Identity> | undefined }

/** Keys whose certificates are kept; a server that sends more forgets the oldest. */
const KEYS_LIMIT = 512
/** Whoever leaves and is not let go goes all the same. */
const LEAVE_MS = 1500

export class BridgedMachine implements CallMachine {
  readonly #conference: string
  readonly #shown = new Map<string, Shown>()
  readonly #asked = new Map<number, string>()
  #nextRef = 1
  #roster: RosterMessage | undefined
  #told: { readonly members: readonly ConferenceMember[]; readonly callers: readonly Omit<Caller, 'since'>[] } | undefined
  #out: CallOut[] = []
  #now: Instant = instant(0)
  #over = false
  #leaveBy: Instant | undefined

  constructor(conference: string) {
    this.#conference = conference
  }

  step(input: CallIn, now: Instant): { readonly out: readonly CallOut[]; readonly wakeAt?: Instant } {
    this.#now = now
    if (!this.#over) this.#handle(input)
    if (!this.#over && this.#leaveBy !== undefined && now >= this.#leaveBy) this.#end('left')
    const out = this.#out
    this.#out = []
    return this.#leaveBy === undefined || this.#over ? { out } : { out, wakeAt: this.#leaveBy }
  }

  #handle(input: CallIn): void {
    switch (input.kind) {
      case 'wire': return this.#wire(input.message)
      case 'vault': return this.#verified(input.ref, input.result as Result<{ readonly identity: Identity }>)
      case 'channel': return input.up ? undefined : this.#end(input.reason ?? 'the connection to the server is gone', makeFault('CHANNEL_CLOSED'))
      case 'mute': return this.#actOnOwn(input.muted ? 'mute' : 'unmute')
      case 'remove': return this.#act('kick', input.leaf)
      case 'act': return this.#act(input.act, input.leaf)
      case 'command': return this.#command(input.command)
      case 'leave':
        if (this.#roster === undefined) return this.#end('left')
        this.#leaveBy ??= instant(this.#now + LEAVE_MS)
        return this.#actOnOwn('kick')
      default: return
    }
  }

  #wire(m: ServerMessage): void {
    if (m.k === 'revocation') for (const [key, { chain }] of this.#shown) this.#verify(key, chain)
    if ('conference' in m && m.conference !== this.#conference) return
    if (m.k === 'pbx-certificate') {
      if (this.#shown.size >= KEYS_LIMIT) this.#shown.delete(this.#shown.keys().next().value!)
      this.#verify(m.key, m.chain)
    } else if (m.k === 'pbx-roster') {
      const first = this.#roster === undefined
      this.#roster = m
      this.#tell()
      if (first) this.#out.push({ kind: 'event', event: { kind: 'phase', phase: 'member', at: this.#now } }, { kind: 'joined' })
    } else if (m.k === 'pbx-left') this.#end('left')
    else if (m.k === 'fault' && m.room === this.#conference) this.#note(m.code, m.message)
  }

  #verify(key: string, chain: readonly Uint8Array[]): void {
    this.#shown.set(key, { chain, verdict: this.#shown.get(key)?.verdict })
    const ref = this.#nextRef++
    this.#asked.set(ref, key)
    this.#out.push({ kind: 'vault', ref, request: { call: 'identity.verify', args: { chain } } })
  }
  #verified(ref: number, result: Result<{ readonly identity: Identity }>): void {
    const key = this.#asked.get(ref)
    const shown = key === undefined ? undefined : this.#shown.get(key)
    this.#asked.delete(ref)
    if (key === undefined || shown === undefined) return
    // The server's word for whose it is counts for nothing.
    const verdict: Result<Identity> = !result.ok ? result : result.value.identity.keyId === key ? { ok: true, value: result.value.identity } : { ok: false, fault: makeFault('IDENTITY_KEY_MISMATCH') }
    this.#shown.set(key, { chain: shown.chain, verdict })
    this.#tell()
  }

  /** While a certificate is being verified the roster waits: nobody shall flicker as unverified. */
  #tell(): void {
    const r = this.#roster
    if (r === undefined || r.members.some((m) => m.key !== undefined && this.#shown.has(m.key) && this.#shown.get(m.key)!.verdict === undefined)) return
    const members: ConferenceMember[] = []
    const callers: Omit<Caller, 'since'>[] = []
    for (const m of r.members) {
      const verdict = m.key === undefined ? undefined : this.#shown.get(m.key)?.verdict
      const [self, presence] = [m.call !== undefined, presenceOf(m)]
      if (verdict?.ok === true) members.push({ leaf: m.id, identity: verdict.value, self, presence })
      else callers.push({ leaf: m.id, number: safeText(m.number ?? '', 64), name: safeText(m.name ?? '', 64), self, presence, ...(verdict === undefined ? {} : { refused: verdict.fault.code }) })
    }
    const state = { current: r.current, locked: r.locked, recorded: r.recorded, weAreHost: r.host, more: r.more }
    this.#notesFor(members, callers)
    this.#told = { members, callers }
    this.#event({ kind: 'conference', at: this.#now, state, members, callers })
  }
  #notesFor(members: readonly ConferenceMember[], callers: readonly Omit<Caller, 'since'>[]): void {
    const before = this.#told
    if (before === undefined) return
    const was = new Map([...before.members, ...before.callers].map((m) => [m.leaf, m]))
    const is = new Map([...members, ...callers].map((m) => [m.leaf, m]))
    for (const [leaf, m] of is) if (!was.has(leaf)) this.#note('CLIENT_MEMBER_JOINED', `${nameOf(m)} joined`)
    for (const [leaf, m] of was) if (!is.has(leaf)) this.#note('CLIENT_MEMBER_LEFT', `${nameOf(m)} left`)
    for (const [leaf, m] of is) if (m.presence.recorded === true && was.get(leaf)?.presence.recorded !== true) this.#note('CLIENT_RECORDED', `the call of ${nameOf(m)} is being recorded`)
  }

  /** The words of a sealed room that mean something here too. */
  #command(c: RoomCommand): void {
    if (c.do === 'decide' && (c.decision.act === 'lock' || c.decision.act === 'unlock')) return this.#act(c.decision.act)
    if (c.do === 'remove' && !c.ban) {
      for (const m of this.#told?.members ?? []) if (m.identity.keyId === c.keyId) this.#act('kick', m.leaf)
      return
    }
    this.#note('PBX_ACTION', 'this is not possible in a conference of the telephone system')
  }
  #actOnOwn(act: PbxAct): void {
    for (const m of this.#roster?.members ?? []) if (m.call !== undefined) this.#act(act, m.id)
  }
  #act(act: PbxAct, member?: number): void {
    this.#out.push({ kind: 'send', message: { k: 'pbx-act', conference: this.#conference, act, ...(member === undefined ? {} : { member }) } })
  }
  #note(code: string, text: string): void {
    this.#event({ kind: 'note', at: this.#now, code, text })
  }
  #event(event: CallEvent): void {
    this.#out.push({ kind: 'event', event })
  }
  #end(reason: string, fault?: Fault): void {
    this.#over = true
    this.#event({ kind: 'phase', phase: 'left', at: this.#now, reason })
    this.#out.push({ kind: 'over', reason, ...(fault === undefined ? {} : { fault }) })
  }
}

function presenceOf(m: PbxMember): Presence {
  return { ...(m.muted ? { muted: true } : {}), ...(m.talking ? { talking: true } : {}), ...(m.recorded ? { recorded: true } : {}), ...(m.host ? { host: true } : {}) }
}

const nameOf = (m: ConferenceMember | Omit<Caller, 'since'>): string => ('identity' in m ? inSentence(m.identity) : `an unverified caller${m.number === '' ? '' : ` (${m.number})`}`)
