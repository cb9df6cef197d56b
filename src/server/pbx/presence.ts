/** Who is in the conferences of Asterisk: plain data, changed by its events and lists alone. */
import { safeText } from '../../model/identity.ts'
import type { AmiMessage } from '../../protocol/asterisk/index.ts'
import type { ClientLeg } from './legs.ts'

export interface Present {
  /** Our number for this presence; never used again. */
  readonly id: number
  readonly channel: string
  readonly uniqueId: string
  readonly number: string
  readonly name: string
  muted: boolean
  talking: boolean
  /** The client at the other end; undefined: a stranger. */
  leg: ClientLeg | undefined
  /** Whether Asterisk was asked for it. */
  asked: boolean
}

export interface Conference {
  readonly name: string
  /** By uniqueid. */
  readonly members: Map<string, Present>
  locked: boolean
  recorded: boolean
  /** A look has seen the recorder's channel. */
  recorder: boolean
}

const CONFERENCES_LIMIT = 1000
const MEMBERS_LIMIT = 1000
const RECORDED_LIMIT = 10_000
const TEXT = 64

/** Names that fit on our channel; others are of conferences that nobody of ours can be told of. */
export const CONFERENCE_NAME = /^[!-~]{1,64}$/

/** What an event changed. */
export type Change =
  | { readonly kind: 'none' }
  | { readonly kind: 'changed'; readonly conference: string; readonly joined?: Present; readonly left?: Present }
  /** A channel took another's place: who it is has to be asked anew. */
  | { readonly kind: 'unknown'; readonly conference: string; readonly member: Present }
  | { readonly kind: 'ended'; readonly conference: string; readonly left: readonly Present[] }
  /** An event of somebody we do not know of: our picture is not theirs. */
  | { readonly kind: 'stale' }

const none: Change = { kind: 'none' }
const stale: Change = { kind: 'stale' }

export class Presences {
  readonly conferences = new Map<string, Conference>()
  /** Channels that MixMonitor records, and how many times. */
  readonly #recorded = new Map<string, number>()
  #nextId = 1

  isRecorded(m: Present): boolean {
    return this.#recorded.has(m.channel)
  }

  event(e: AmiMessage): Change {
    switch (e.event) {
      case 'ConfbridgeJoin': return this.#join(e)
      case 'ConfbridgeLeave': return this.#leave(e)
      case 'ConfbridgeEnd': return this.#end(e)
      case 'ConfbridgeMute': return this.#set(e, (m) => { m.muted = true })
      case 'ConfbridgeUnmute': return this.#set(e, (m) => { m.muted = false })
      case 'ConfbridgeTalking': return this.#set(e, (m) => { m.talking = e.get('TalkingStatus') === 'on' })
      case 'ConfbridgeRecord': return this.#setConference(e, (c) => { c.recorded = true })
      case 'ConfbridgeStopRecord': return this.#setConference(e, (c) => { c.recorded = false })
      case 'MixMonitorStart': return this.record(e.get('Channel') ?? '', true)
      case 'MixMonitorStop': return this.record(e.get('Channel') ?? '', false)
      case 'Hangup': return this.#hangup(e)
      case 'Rename': return this.#rename(e)
      default: return none
    }
  }

  /** The members as Asterisk lists them now. Who stays keeps number and certificate; gives who came, who went, and whether anything else changed. */
  list(name: string, entries: readonly AmiMessage[]): { readonly joined: readonly Present[]; readonly left: readonly Present[]; readonly altered: boolean } {
    const c = this.#conference(name)
    if (c === undefined) return { joined: [], left: [], altered: false }
    let altered = false
    const listed = new Map(entries.map((e) => [e.get('Uniqueid') ?? '', e]))
    listed.delete('')
    const left: Present[] = []
    const joined: Present[] = []
    for (const m of [...c.members.values()]) {
      const now = listed.get(m.uniqueId)
      if (now !== undefined && now.get('Channel') === m.channel) continue
      c.members.delete(m.uniqueId)
      left.push(m)
    }
    for (const [uniqueId, e] of listed) {
      const m = c.members.get(uniqueId) ?? this.#add(c, e)
      if (m === undefined) continue
      if (!left.includes(m) && !m.asked) joined.push(m)
      const [muted, talking] = [e.get('Muted') === 'Yes', e.get('Talking') === 'Yes']
      altered ||= muted !== m.muted || talking !== m.talking
      m.muted = muted
      m.talking = talking
    }
    return { joined, left, altered }
  }
  /** Whether Asterisk has a recorder in this conference now; gives whether anything changed. What an event said stays until a look has seen it and sees it no more. */
  recorder(name: string, there: boolean): boolean {
    const c = this.conferences.get(name)
    if (c === undefined || (!there && !c.recorder)) return false
    c.recorder = there
    if (c.recorded === there) return false
    c.recorded = there
    return true
  }
  /** `on` twice and off once is on. */
  record(channel: string, on: boolean): Change {
    const before = this.#recorded.get(channel) ?? 0
    const now = on ? before + 1 : before - 1
    if (now <= 0) this.#recorded.delete(channel)
    else if (before > 0 || this.#recorded.size < RECORDED_LIMIT) this.#recorded.set(channel, now)
    if (now > 0 === before > 0) return none
    const c = [...this.conferences.values()].find((x) => [...x.members.values()].some((m) => m.channel === channel))
    return c === undefined ? none : { kind: 'changed', conference: c.name }
  }

  #conference(name: string): Conference | undefined {
    const known = this.conferences.get(name)
    if (known !== undefined) return known
    if (!CONFERENCE_NAME.test(name) || this.conferences.size >= CONFERENCES_LIMIT) return undefined
    const fresh: Conference = { name, members: new Map(), locked: false, recorded: false, recorder: false }
    this.conferences.set(name, fresh)
    return fresh
  }
  /** Too many for us to have it: to look again would change nothing. */
  #beyond(c: Conference | undefined): boolean {
    return c === undefined ? this.conferences.size >= CONFERENCES_LIMIT : c.members.size >= MEMBERS_LIMIT
  }
  #add(c: Conference, e: AmiMessage): Present | undefined {
    const [uniqueId, channel] = [e.get('Uniqueid'), e.get('Channel')]
    if (uniqueId === undefined || channel === undefined || uniqueId === '' || c.members.size >= MEMBERS_LIMIT) return undefined
    const m: Present = {
      id: this.#nextId++, channel, uniqueId, number: callerText(e.get('CallerIDNum')), name: callerText(e.get('CallerIDName')),
      muted: e.get('Muted') === 'Yes', talking: e.get('Talking') === 'Yes' || e.get('Talking') === 'on', leg: undefined, asked: false,
    }
    c.members.set(uniqueId, m)
    return m
  }
  #join(e: AmiMessage): Change {
    const c = this.#conference(e.get('Conference') ?? '')
    if (c === undefined) return none
    const known = c.members.get(e.get('Uniqueid') ?? '')
    if (known !== undefined) return none
    const joined = this.#add(c, e)
    return joined === undefined ? none : { kind: 'changed', conference: c.name, joined }
  }
  #leave(e: AmiMessage): Change {
    const c = this.conferences.get(e.get('Conference') ?? '')
    const left = c?.members.get(e.get('Uniqueid') ?? '')
    if (c === undefined || left === undefined) return this.#beyond(c) ? none : stale
    c.members.delete(left.uniqueId)
    return { kind: 'changed', conference: c.name, left }
  }
  #end(e: AmiMessage): Change {
    const c = this.conferences.get(e.get('Conference') ?? '')
    if (c === undefined) return none
    this.conferences.delete(c.name)
    return { kind: 'ended', conference: c.name, left: [...c.members.values()] }
  }
  #set(e: AmiMessage, change: (m: Present) => void): Change {
    const c = this.conferences.get(e.get('Conference') ?? '')
    const m = c?.members.get(e.get('Uniqueid') ?? '')
    if (c === undefined || m === undefined) return this.#beyond(c) ? none : stale
    change(m)
    return { kind: 'changed', conference: c.name }
  }
  #setConference(e: AmiMessage, change: (c: Conference) => void): Change {
    const c = this.#conference(e.get('Conference') ?? '')
    if (c === undefined) return none
    change(c)
    return { kind: 'changed', conference: c.name }
  }
  #hangup(e: AmiMessage): Change {
    this.#recorded.delete(e.get('Channel') ?? '')
    return none
  }
  /** After an attended transfer the channel that stays in the conference is another party's (a masquerade renames both). */
  #rename(e: AmiMessage): Change {
    const uniqueId = e.get('Uniqueid') ?? ''
    for (const c of this.conferences.values()) {
      const m = c.members.get(uniqueId)
      if (m === undefined) continue
      const member: Present = { ...m, id: this.#nextId++, channel: e.get('Newname') ?? m.channel, leg: undefined, asked: false }
      c.members.set(uniqueId, member)
      return { kind: 'unknown', conference: c.name, member }
    }
    return none
  }
}

/** Asterisk writes `<unknown>` where there is nothing. */
const callerText = (text: string | undefined): string => (text === undefined || text === '<unknown>' || text === '<no name>' ? '' : safeText(text, TEXT))
