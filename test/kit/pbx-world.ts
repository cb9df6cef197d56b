/** The coupling to an Asterisk that is played here, in virtual time: its conferences, its events, its lists. */
import type { Instant } from '../../src/base/brand.ts'
import type { Result } from '../../src/base/result.ts'
import { err, makeFault, ok } from '../../src/base/result.ts'
import { createNodeCrypto } from '../../src/crypto/node/index.ts'
import type { AmiMessage } from '../../src/protocol/asterisk/index.ts'
import type { ServerMessage, ServerWire } from '../../src/protocol/wire/messages.ts'
import { LimitedLog, silentLog } from '../../src/server/log.ts'
import { pbxConfig } from '../../src/server/pbx/index.ts'
import { Coupling } from '../../src/server/pbx/coupling.ts'
import type { Session } from '../../src/server/session.ts'
import { amiMessage } from './ami.ts'
import { VirtualClock } from './virtual-clock.ts'

interface Channel {
  readonly channel: string
  readonly uniqueId: string
  readonly number: string
  muted: boolean
  /** Token of the relay in its Contact; '' for a phone at Asterisk itself. */
  readonly token: string
}

const RELAY = '127.0.0.1:5080'

export class PbxWorld {
  readonly clock = new VirtualClock()
  readonly coupling: Coupling
  readonly rooms = new Map<string, { locked: boolean; members: Channel[] }>()
  /** Channels in no conference. */
  readonly calls: Channel[] = []
  readonly sessions = new Map<string, FakeSession>()
  /** Call-IDs that the relay knows. */
  readonly known = new Set<string>()
  /** What was asked of Asterisk, with its fields. */
  readonly asked: string[] = []
  readonly gone: string[] = []
  /** Conferences with a recorder. */
  readonly recorded = new Set<string>()
  readonly variables = new Map<string, string>()
  booted = '10:00:00'
  /** How long Asterisk takes for an answer. */
  delayMs = 1
  up = false
  answersSip = true
  refusesKicks = false
  /** When the oldest call began. */
  since: Instant | undefined
  #next = 1

  constructor(conferences: Record<string, unknown> = {}) {
    this.coupling = new Coupling({
      config: pbxConfig.parse({ ami: { secretFile: 'x' }, conferences }), crypto: createNodeCrypto(), scheduler: this.clock, log: silentLog, refusals: new LimitedLog(silentLog, this.clock),
      session: (id) => this.sessions.get(id) as unknown as Session | undefined,
      guest: (id) => this.sessions.get(id) as unknown as Session | undefined,
      legs: () => ({
        find: (q) => (q.remote === RELAY && this.sessions.has(q.contactUser) ? { session: q.contactUser, call: q.callId } : undefined),
        isOrphan: (q) => q.contactAt === RELAY && q.contactUser !== '' && !this.known.has(q.callId),
      }),
      relay: () => ({ busy: true, known: true, since: this.since, answers: async () => this.answersSip, pbxGone: (reason) => void this.gone.push(reason) }),
      action: async (action, ...fields) => {
        this.asked.push([action, ...fields.map(([, v]) => v)].join(' '))
        await new Promise<void>((resolve) => void this.clock.at((this.clock.now() + this.delayMs) as never, resolve))
        return this.up ? this.#answer(action, new Map(fields)) : err('PBX_GONE')
      },
    })
  }

  connect(): void {
    this.up = true
    this.coupling.onUp()
  }
  lose(code: 'PBX_GONE' | 'PBX_SILENT' = 'PBX_GONE'): void {
    this.up = false
    this.coupling.onDown(makeFault(code))
  }
  /** All calls are forgotten. */
  restart(): void {
    this.rooms.clear()
    this.calls.length = 0
    this.booted = `${this.booted}+`
  }
  session(id: string, o: { host?: boolean; capabilities?: readonly string[] } = {}): FakeSession {
    const s = new FakeSession(id, this.clock, o.host === true ? 'Host' : id, o.capabilities ?? ['pbx'])
    this.sessions.set(id, s)
    return s
  }
  channel(name: string, token = ''): Channel {
    const n = this.#next++
    return { channel: `PJSIP/${name}-${n}`, uniqueId: `${n}.0`, number: name, muted: false, token }
  }

  join(c: Channel, room = '800', tell = true): Channel {
    const r = this.rooms.get(room) ?? { locked: false, members: [] }
    this.rooms.set(room, r)
    r.members.push(c)
    if (tell) this.event('ConfbridgeJoin', { Conference: room, ...this.#fields(c) })
    return c
  }
  leave(c: Channel, room = '800', tell = true): void {
    const r = this.rooms.get(room)!
    r.members.splice(r.members.indexOf(c), 1)
    if (tell) this.event('ConfbridgeLeave', { Conference: room, ...this.#fields(c) })
    if (r.members.length > 0) return
    this.rooms.delete(room)
    if (tell) this.event('ConfbridgeEnd', { Conference: room })
  }
  event(event: string, fields: Readonly<Record<string, string>>): void {
    if (this.up) this.coupling.onEvent(amiMessage({ Event: event, ...fields }))
  }

  #fields(c: Channel): Record<string, string> {
    return { Channel: c.channel, Uniqueid: c.uniqueId, CallerIDNum: c.number, CallerIDName: '<unknown>', Muted: c.muted ? 'Yes' : 'No', Talking: 'No' }
  }
  #all(): Channel[] {
    return [...[...this.rooms.values()].flatMap((r) => r.members), ...this.calls]
  }
  #answer(action: string, fields: ReadonlyMap<string, string>): Result<readonly AmiMessage[]> {
    const success = amiMessage({ Response: 'Success', EventList: 'start' })
    const room = this.rooms.get(fields.get('Conference') ?? '')
    const channel = this.#all().find((c) => c.channel === fields.get('Channel'))
    switch (action) {
      case 'CoreStatus': return ok([amiMessage({ Response: 'Success', CoreStartupDate: 'today', CoreStartupTime: this.booted })])
      case 'ConfbridgeListRooms': return this.rooms.size === 0 ? err('PBX_ACTION', 'No active conferences.') : ok([success, ...[...this.rooms].map(([name, r]) => amiMessage({ Event: 'ConfbridgeListRooms', Conference: name, Locked: r.locked ? 'Yes' : 'No' }))])
      case 'ConfbridgeList': return room === undefined ? err('PBX_ACTION', 'No Conference by that name found.') : ok([success, ...room.members.map((c) => amiMessage({ Event: 'ConfbridgeList', ...this.#fields(c) }))])
      case 'CoreShowChannels': return ok([success, ...this.#all().map((c) => amiMessage({ Event: 'CoreShowChannel', ...this.#fields(c) }))])
      case 'Getvar': if (fields.get('Variable') === 'CHANNELS(^CBRec/)') return ok([amiMessage({ Response: 'Success', Value: [...this.recorded].map((r) => `CBRec/${r}-0000001f`).join(' ') })])
        return channel === undefined ? err('PBX_ACTION', 'No such channel') : ok([amiMessage({ Response: 'Success', Value: this.#variable(channel, fields.get('Variable') ?? '') })])
      case 'Hangup': case 'ConfbridgeKick': {
        if (action === 'ConfbridgeKick' && this.refusesKicks) return err('PBX_ACTION', 'no')
        for (const [name, r] of this.rooms) if (channel !== undefined && r.members.includes(channel)) this.leave(channel, name)
        if (channel !== undefined && this.calls.includes(channel)) this.calls.splice(this.calls.indexOf(channel), 1)
        return ok([success])
      }
      default: return ok([success])
    }
  }
  #variable(c: Channel, name: string): string {
    if (name === 'CHANNEL(pjsip,call-id)') return `call-${c.uniqueId}`
    if (name === 'CHANNEL(pjsip,target_uri)') return c.token === '' ? 'sip:carl@10.0.0.7:5060' : `sip:${c.token}@${RELAY}`
    if (name === 'CHANNEL(pjsip,remote_addr)') return c.token === '' ? '10.0.0.7:5060' : RELAY
    return this.variables.get(`${c.channel} ${name}`) ?? ''
  }
}

export class FakeSession {
  readonly id: string
  readonly keyId: string
  readonly peer: { readonly chain: readonly Uint8Array[]; readonly identity: { readonly keyId: string; readonly subject: string; readonly commonName: string; readonly emails: string[]; readonly hosts: string[] } }
  readonly capabilities: ReadonlySet<string>
  readonly got: { readonly at: number; readonly m: ServerMessage }[] = []
  readonly #clock: VirtualClock

  constructor(id: string, clock: VirtualClock, subject: string, capabilities: readonly string[]) {
    this.id = id
    this.#clock = clock
    this.keyId = id.padEnd(64, '0')
    this.peer = { chain: [new Uint8Array([id.length])], identity: { keyId: this.keyId, subject, commonName: subject, emails: [], hosts: [] } }
    this.capabilities = new Set(capabilities)
  }
  get real(): Session {
    return this as unknown as Session
  }
  send(m: ServerMessage): void {
    this.got.push({ at: this.#clock.now(), m })
  }
  fault(fault: { code: string; message: string }, room?: string): void {
    this.send({ k: 'fault', ...fault, ...(room === undefined ? {} : { room }) })
  }
  get rosters(): { readonly at: number; readonly m: ServerWire['pbx-roster'] }[] {
    return this.got.flatMap(({ at, m }) => (m.k === 'pbx-roster' ? [{ at, m }] : []))
  }
  /** As it stands last: who is there, by session or by number. */
  get sees(): string {
    const last = this.rosters.at(-1)?.m
    return last === undefined ? 'nothing' : last.members.map((x) => (x.key === undefined ? `unverified ${x.number}` : x.key.replace(/0+$/, ''))).sort().join()
  }
  kinds(): string[] {
    return this.got.map(({ m }) => m.k)
  }
}
