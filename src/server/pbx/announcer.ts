/** Tells clients who is in their conferences: at once after a quiet moment, gathered while much happens. */
import type { Instant } from '../../base/brand.ts'
import { instant } from '../../base/brand.ts'
import type { Scheduler, Stop } from '../../base/ports.ts'
import { CONFERENCE_MEMBERS_LIMIT } from '../../protocol/wire/limits.ts'
import { PBX_CAPABILITY, type PbxMember } from '../../protocol/wire/pbx-messages.ts'
import type { Guest } from '../phones/port.ts'
import type { Session } from '../session.ts'
import type { Conference, Present } from './presence.ts'

export interface AnnouncerOptions {
  readonly scheduler: Scheduler
  readonly session: (id: string) => Session | undefined
  readonly guest: (id: string) => Guest | undefined
  readonly conference: (name: string) => Conference | undefined
  readonly isRecorded: (m: Present) => boolean
  readonly isHost: (conference: string, guest: Guest) => boolean
  /** Asterisk tells us what happens. */
  readonly current: () => boolean
}

/** Of the 300 ms within which everybody knows (docs/protocol/pbx.md). */
const GATHER_MS = 80

export class Announcer {
  readonly #o: AnnouncerOptions
  readonly #last = new Map<string, Instant>()
  readonly #waiting = new Map<string, Stop>()
  /** Conference → sessions that were told of it. */
  readonly #told = new Map<string, Set<string>>()
  /** Session → `conference key` whose certificates it has. */
  readonly #shown = new WeakMap<Session, Set<string>>()

  constructor(options: AnnouncerOptions) {
    this.#o = options
  }

  changed(conference: string): void {
    if (this.#waiting.has(conference)) return
    const { scheduler } = this.#o
    const due = Math.max(scheduler.now(), (this.#last.get(conference) ?? -GATHER_MS) + GATHER_MS)
    if (due <= scheduler.now()) return this.#tell(conference)
    this.#waiting.set(conference, scheduler.at(instant(due), () => this.#tell(conference)))
  }
  stop(): void {
    for (const cancel of this.#waiting.values()) cancel()
    this.#waiting.clear()
  }

  #tell(name: string): void {
    this.#waiting.get(name)?.()
    this.#waiting.delete(name)
    const c = this.#o.conference(name)
    const members = c === undefined ? [] : [...c.members.values()]
    const inside = new Set(members.map((m) => m.leg?.session).filter((s) => s !== undefined && this.#o.session(s)?.capabilities.has(PBX_CAPABILITY) === true) as string[])
    for (const id of this.#told.get(name) ?? []) if (!inside.has(id)) this.#left(name, this.#o.session(id))
    if (inside.size === 0 || c === undefined) {
      this.#told.delete(name)
      this.#last.delete(name)
      return
    }
    this.#last.set(name, this.#o.scheduler.now())
    this.#told.set(name, inside)
    for (const id of inside) {
      const session = this.#o.session(id)
      if (session !== undefined) this.#tellOne(c, members, session)
    }
  }

  #tellOne(c: Conference, members: readonly Present[], session: Session): void {
    for (const m of members) this.#showCertificate(c.name, session, m)
    const listed = ownFirst(members, session).slice(0, CONFERENCE_MEMBERS_LIMIT)
    session.send({
      k: 'pbx-roster', conference: c.name, current: this.#o.current(), locked: c.locked, recorded: c.recorded, host: this.#o.isHost(c.name, session),
      members: listed.map((m) => this.#wire(c.name, m, session)), more: members.length - listed.length,
    })
  }
  #showCertificate(conference: string, to: Session, m: Present): void {
    const from = m.leg === undefined ? undefined : this.#o.guest(m.leg.session)
    if (from === undefined || from.peer.chain.length === 0) return
    const shown = this.#shown.get(to) ?? new Set()
    this.#shown.set(to, shown)
    const name = `${conference} ${from.keyId}`
    if (shown.has(name)) return
    shown.add(name)
    to.send({ k: 'pbx-certificate', conference, key: from.keyId, chain: [...from.peer.chain] })
  }
  /** A call that begins anew starts with nothing. */
  #left(conference: string, session: Session | undefined): void {
    if (session === undefined) return
    session.send({ k: 'pbx-left', conference })
    const shown = this.#shown.get(session)
    for (const name of shown ?? []) if (name.startsWith(`${conference} `)) shown?.delete(name)
  }
  #wire(conference: string, m: Present, to: Session): PbxMember {
    const from = m.leg === undefined ? undefined : this.#o.guest(m.leg.session)
    return {
      id: m.id,
      ...(from === undefined ? {} : { key: from.keyId }),
      ...(m.number === '' ? {} : { number: m.number }),
      ...(m.name === '' ? {} : { name: m.name }),
      ...(m.leg?.session === to.id ? { call: m.leg.call } : {}),
      ...(m.muted ? { muted: true } : {}), ...(m.talking ? { talking: true } : {}), ...(this.#o.isRecorded(m) ? { recorded: true } : {}),
      ...(from !== undefined && this.#o.isHost(conference, from) ? { host: true } : {}),
    }
  }
}

/** Whoever reads a list that was cut finds itself on it. */
const ownFirst = (members: readonly Present[], session: Session): Present[] => [...members].sort((a, b) => Number(b.leg?.session === session.id) - Number(a.leg?.session === session.id))
