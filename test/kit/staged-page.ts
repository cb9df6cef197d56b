/** The real page in front of a client that is made up: any state can be put on it. */
import type { TestContext } from 'node:test'
import { instant, type RoomName, type Ssrc, type UnixTime } from '../../src/base/brand.ts'
import { must, ok } from '../../src/base/result.ts'
import { pageFiles } from '../../src/cli/page-files.ts'
import type { CallIn } from '../../src/client/call.ts'
import type { RunningCall } from '../../src/client/calls.ts'
import type { LineRun } from '../../src/client/own-line.ts'
import { type Page, type PeopleMemory, startPage } from '../../src/client/web-api/index.ts'
import { createNodeCrypto } from '../../src/crypto/node/index.ts'
import type { Identity } from '../../src/model/identity.ts'
import type { IncomingRing, OutgoingRing } from '../../src/client/rings.ts'
import type { PageLine, PagePerson, PagePhone, PageSender, PastCall } from '../../src/model/page.ts'
import type { BasePolicy, StatePolicy } from '../../src/model/policy.ts'
import { type Acquaintance, applyEvent, type CallEvent, emptyRoster, type GroupMember, type Roster } from '../../src/model/roster.ts'
import { realScheduler } from '../../src/net/scheduler.ts'

const FIRST = ['Amara', 'Bruno', 'Chiara', 'Dmitri', 'Elif', 'Farid', 'Greta', 'Hanan', 'Ivo', 'Jun', 'Kofi', 'Lena', 'Mateo', 'Nadia', 'Oskar', 'Priya', 'Quentin', 'Rosa', 'Sami', 'Tove']
const LAST = ['Okafor', 'Lindqvist', 'Moreau', 'Tanaka', 'Haddad', 'Novak', 'Silva', 'Berg', 'Kaya', 'Weiss']
const keyOf = (i: number): string => Array.from({ length: 8 }, (_, k) => (((i + 1) * 2654435761 + k * 40503) >>> 0).toString(16).padStart(8, '0')).join('')
const clock = realScheduler()

export function person(i: number, change: Partial<Identity> = {}): Identity {
  const now = Math.floor(Date.now() / 1000)
  return {
    subject: `${FIRST[i % 20]} ${LAST[Math.floor(i / 2) % 10]}`, organisation: ['Example AG', 'Harbour Institute', 'City of Meadow'][i % 3]!, emails: [`person${i}@example.org`], hosts: [], issuer: 'Example CA', serial: `1${i}`,
    notBefore: (now - 86_400) as UnixTime, notAfter: (now + 300 * 86_400) as UnixTime, keyId: keyOf(i), fingerprint: keyOf(i + 1000), ...change,
  }
}
export const inGroup = (i: number, change: Partial<Identity> = {}): GroupMember => ({ leaf: i, identity: person(i, change), self: i === 0, kind: 'member', ssrc: (1000 + i) as Ssrc })

export class StagedCall {
  readonly id: number
  readonly name: string
  readonly startedAt: number
  readonly conference: number
  line: LineRun | undefined
  readonly sipCalls: readonly string[] = []
  readonly #page: Page
  roster: Roster
  muted = false
  left = false

  constructor(page: Page, id: number, name: string, kind: Roster['kind'] = 'sealed') {
    this.#page = page
    this.id = id
    this.name = name
    this.conference = id
    this.startedAt = clock.now()
    this.roster = emptyRoster(name, kind)
  }
  event(e: CallEvent): void {
    this.roster = applyEvent(this.roster, e)
    this.#page.hub.observer.onEvent?.(this as unknown as RunningCall, e)
  }
  group(...members: GroupMember[]): void {
    this.event({ kind: 'group', at: clock.now(), epoch: 7n, securityCode: '57935 40094 02964 24228 38258 52933', members })
  }
  member(): void {
    this.event({ kind: 'phase', at: clock.now(), phase: 'member' })
  }
  policy(base: Partial<BasePolicy>, state: Partial<StatePolicy>): void {
    const full: BasePolicy = {
      room: this.name as RoomName, realm: 'stc', version: 1, owners: [], hosts: [], admit: 'anchors', suite: 'x-wing', codec: 'g722', forwarding: 'all', maximumMembers: 16, gatewaysAllowed: false,
      minimumKeyProtection: 'in-process', lobby: true, standing: false, journal: true, ...base,
    }
    this.event({ kind: 'policy', at: clock.now(), policy: { base: full, state: { version: 1, locked: false, admitted: [], banned: [], ...state } } })
  }
  unheard(leaf: number, code: string | undefined): void {
    this.event({ kind: 'unheard', at: clock.now(), leaf, ...(code === undefined ? {} : { code }) })
  }
  note(code: string, text: string): void {
    this.event({ kind: 'note', at: clock.now(), code, text })
  }
  stats(second: number, of: readonly number[], change: Partial<PageSender> = {}): void {
    const senders = of.map((i): PageSender => ({ ssrc: (1000 + i) as Ssrc, received: 50 * second, lost: i % 5 === 4 ? second : 0, late: 0, unopened: 0, concealed: i % 5 === 4 ? second : 0, played: 50 * second, level: 30, bufferMs: 40 + (i % 3) * 8, jitterMs: 2 + (i % 4), ...change }))
    this.#page.hub.observer.onStats?.(this as unknown as RunningCall, { op: 'conference.stats', conference: this.id, sent: 50 * second, senders, ownLevel: 40, lateTicks: 0 })
  }
  levels(n: number, of: readonly number[]): void {
    this.#page.hub.observer.onMedia?.({ op: 'conference.levels', conference: this.id, own: 30, levels: of.map((i): [Ssrc, number] => [(1000 + i) as Ssrc, 15 + ((i * 37 + n * 13) % 60)]) })
  }
  tell(e: { readonly kind: 'acquainted'; readonly leaf: number; readonly acquaintance: Acquaintance }): void {
    this.event({ ...e, at: clock.now() })
  }
  toggleMute(): void {
    this.muted = !this.muted
    this.note(this.muted ? 'CLIENT_MUTED' : 'CLIENT_UNMUTED', '')
  }
  /** What was asked of it. */
  readonly inputs: CallIn[] = []
  input(i: CallIn): void {
    if (i.kind === 'leave') this.over()
    else this.inputs.push(i)
  }
  /** Keys that were pressed in it. */
  readonly digits: string[] = []
  onMedia(e: { readonly op: string; readonly digit?: string }): void {
    if (e.digit !== undefined) this.digits.push(e.digit)
  }
  over(): void {
    this.left = true
    this.#page.hub.observer.onOver?.(this as unknown as RunningCall, 'left')
  }
}

export interface Staged {
  readonly page: Page
  readonly url: string
  up(): void
  /** This person calls. */
  ring(i: number, change?: Partial<Identity>): void
  /** We call this person into this room. */
  calling(i: number, room: string): void
  /** What is remembered. */
  readonly memory: StagedMemory
  call(name?: string, kind?: Roster['kind']): StagedCall
  /** The page's phone has a line; `call`: it is in this call. */
  line(change?: Partial<Pick<PageLine, 'registered' | 'fault' | 'rings'>>, call?: StagedCall, of?: Partial<LineRun['call']>): void
}

/** What a client remembers on its disk, in memory. */
export class StagedMemory implements PeopleMemory {
  past: readonly PastCall[] = []
  people: PagePerson[] = []
  add(call: PastCall): void {
    this.past = [call, ...this.past]
  }
  clear(): void {
    this.past = []
  }
  #of(keyId: string): PagePerson | undefined {
    return this.people.find((p) => p.to === keyId)
  }
  standing(i: Identity): Acquaintance {
    const p = this.#of(i.keyId)
    return p === undefined ? { kind: 'first-contact', compared: false } : { kind: p.changed ? 'changed' : 'known', compared: p.compared, ...(p.comparedAt === undefined ? {} : { comparedAt: p.comparedAt }) }
  }
  compared(keyId: string): Acquaintance | undefined {
    return this.#change(keyId, { compared: true, comparedAt: clock.unix(), changed: false }) ? { kind: 'known', compared: true, comparedAt: clock.unix() } : undefined
  }
  block(keyId: string, blocked: boolean): boolean {
    return this.#change(keyId, { blocked })
  }
  blocked(keyId: string): boolean {
    return this.#of(keyId)?.blocked === true
  }
  pairwise(): string {
    return '10394 55120 83347 29916 00482 71653'
  }
  #change(keyId: string, change: Partial<PagePerson>): boolean {
    this.people = this.people.map((p) => (p.to === keyId ? { ...p, ...change } : p))
    return this.#of(keyId) !== undefined
  }
}
export const met = (i: number, change: Partial<PagePerson> = {}): PagePerson => ({ name: person(i).subject, to: keyOf(i), lastSeen: clock.unix() - i * 86_400, compared: false, changed: false, blocked: false, ...change })

export const PHONES: readonly Omit<PagePhone, 'registered'>[] = [{ line: 'desk', address: '127.0.0.1:5060', user: 'desk', password: false, transports: ['udp', 'tcp'] }]

export async function stagePage(t: TestContext, phones = PHONES): Promise<Staged> {
  const page = must(await startPage({
    crypto: createNodeCrypto(), clock, files: pageFiles(), port: 0,
    hub: { version: '0.1.0', server: 'talk.example.org', roomPrefix: '8', emergencyNumbers: ['112', '911'], rooms: [{ name: 'weekly', dial: '8weekly' }, { name: 'help-desk', dial: 'support' }], phones },
  }))
  t.after(() => page.close())
  const { hub } = page
  hub.identity = person(0)
  let calls: StagedCall[] = []
  const memory = new StagedMemory()
  const rings = {
    incoming: [] as IncomingRing[], outgoing: [] as OutgoingRing[],
    take(id: string, reason: 'answered' | 'declined') {
      const ring = this.incoming.find((r) => r.id === id)!
      this.incoming = this.incoming.filter((r) => r.id !== id)
      hub.observer.onRing?.({ kind: 'over', ring, reason })
      return ok(ring)
    },
    answer(id: string) {
      return this.take(id, 'answered')
    },
    refuse(id: string) {
      return this.take(id, 'declined')
    },
    cancel: () => {},
    call: () => Promise.resolve(ok({ id: '' })),
  }
  Object.assign(hub.people, { memory, client: { rings } })
  const line = { number: '100', registered: true, fault: undefined, rings: [] as PageLine['rings'], refuse: () => ok(undefined), hold: () => {}, transfer: () => {}, subscribe: () => ({ [Symbol.dispose]: () => {} }) }
  let onLine = false
  hub.client = {
    get upstream() {
      return onLine ? { line } : undefined
    },
    get calls() {
      return calls as unknown as RunningCall[]
    },
    shownBy: (c) => c,
    handsetsOf: (c) => [{ ref: page.handset.state.ref ?? '', line: (c as unknown as StagedCall).name === 'desk' ? 'desk' : 'browser' }],
  }
  // A call that is dialled stands at once, with nobody else in it.
  page.handset.subscribe((e) => {
    if (e.kind === 'dial') page.handset.command({ kind: 'answer', call: e.call, local: { address: '', port: 0 } })
  })
  return {
    page, url: page.url,
    line: (change = {}, call, of = {}) => {
      onLine = true
      Object.assign(line, change)
      if (call !== undefined) {
        call.line = { call: { state: 'up', number: call.name, outgoing: true, held: false, ...of }, leg: 1, hangup: () => {}, digit: () => {} } as unknown as LineRun
        call.event({ kind: 'conference', at: call.startedAt as never, state: { current: true, locked: false, recorded: false, weAreHost: false, more: 0 }, members: [], callers: [{ leaf: 1, number: call.name, name: '', self: false, presence: {} }] })
      }
      hub.line.begin()
      hub.configure({})
    },
    up: () => {
      hub.observer.onServer?.(true, {})
      hub.observer.onMedia?.({ op: 'hop.path', hop: 1, path: 'udp', roundTripMs: 14 })
    },
    memory,
    ring: (i, change) => {
      const ring = { id: String(rings.incoming.length).padStart(32, '0'), room: 'call-1', identity: person(i, change), at: clock.now() }
      rings.incoming = [...rings.incoming, ring]
      hub.observer.onRing?.({ kind: 'incoming', ring })
    },
    calling: (i, room) => {
      const ring = { id: 'f'.repeat(32), room, to: keyOf(i), state: 'ringing' as const }
      rings.outgoing = [...rings.outgoing, ring]
      hub.observer.onRing?.({ kind: 'outgoing', ring })
    },
    call: (name = 'weekly', kind) => {
      const call = new StagedCall(page, calls.length + 1, name, kind)
      calls = [...calls, call]
      call.event({ kind: 'phase', at: instant(clock.now()), phase: 'joining' })
      return call
    },
  }
}
