/**
 * What the windows of the page show: a projection of what the client's observer hears, kept so that a window that opens
 * later gets one snapshot and then the same messages as the others. Nothing secret comes in here.
 */
import type { Clock } from '../../base/ports.ts'
import { err, type Fault, ok, type Result } from '../../base/result.ts'
import type { MediaCommand, MediaEvent } from '../../media/api.ts'
import { displayName, type Identity } from '../../model/identity.ts'
import { type BrowserState, encodePage, encodeSound, type PageCall, type PageFault, type PageMessage, type PagePhone, type PageServer, type PageSetup, type PageSnapshot, SOUND } from '../../model/page.ts'
import type { CallEvent } from '../../model/roster.ts'
import type { RunningCall } from '../calls.ts'
import type { BrowserHandset } from '../handset/browser/handset.ts'
import type { ClientObserver } from '../options.ts'
import { People } from './people.ts'
import { type HubLine, LineView } from './line-view.ts'
import { Volumes } from './volumes.ts'

type HandsetEvent = Parameters<NonNullable<ClientObserver['onPhone']>>[0]

const PEOPLE_KEPT = 200
const CONTACTS_KEPT = 16
/** Less is rounding, and the clock's own wandering. */
const CLOCK_SET_S = 2

export interface HubOptions {
  readonly clock: Clock
  /** How far our clock is off (`ServerClock`). */
  readonly serverClock: { welcomed(unixTime: number): void; readonly aheadS: number | undefined }
  readonly version: string
  readonly server: string
  readonly roomPrefix: string
  /** Never a room, whatever stands in front of it. */
  readonly emergencyNumbers: readonly string[]
  readonly rooms: PageSnapshot['rooms']
  /** The room that this user has for itself. */
  readonly echoRoom: string
  /** 16 hexadecimal digits of chance. */
  readonly random: () => string
  readonly phones: readonly Omit<PagePhone, 'registered'>[]
}

/** The parts of a client that the page acts on; there is none while it is being set up. */
export interface HubClient {
  readonly calls: readonly RunningCall[]
  handsetsOf(call: RunningCall): readonly { readonly ref: string; readonly line: string }[]
  /** What shows a telephone call: itself, its conference, or the sealed call that it is. */
  shownBy(call: RunningCall): RunningCall
  readonly upstream?: { readonly line?: HubLine } | undefined
}

interface Shown {
  readonly call: RunningCall
  readonly people: Set<string>
  readonly volumes: Volumes
}

export class Hub {
  #o: HubOptions
  readonly #listeners = new Set<(m: string | Uint8Array) => void>()
  readonly #shown = new Map<number, Shown>()
  readonly #registered = new Map<string, string[]>()
  #server: PageServer
  readonly people: People
  #setup: PageSetup | undefined
  client: HubClient | undefined
  browser: BrowserHandset | undefined
  media: (c: MediaCommand) => void = () => {}
  identity: Identity | undefined
  warnings: readonly string[] = []
  keys: PageSnapshot['keys']
  /** The page's phone at the telephone system. */
  readonly line: LineView = new LineView(this)
  /** The call of the page's phone changed. */
  onBrowser: () => void = () => {}
  #metered = false

  constructor(options: HubOptions) {
    this.#o = options
    this.#server = { name: options.server, state: 'connecting', path: 'none' }
    this.people = new People({
      clock: options.clock, tell: (m) => this.tell(m),
      unanswered: (room, reason) => {
        const alone = this.client?.calls.find((c) => c.name === room && c.roster.members.every((m) => m.self))
        if (alone !== undefined && alone.id === this.browserState.call) this.browser?.hangup(reason)
      },
    })
  }

  /** Set-up is over: this is the client that came of it. */
  configure(change: Partial<HubOptions>): void {
    this.#o = { ...this.#o, ...change }
    this.#server = { ...this.#server, name: this.#o.server }
    this.tell(this.snapshot)
    this.onBrowser()
  }

  subscribe(listener: (m: string | Uint8Array) => void): Disposable {
    this.#listeners.add(listener)
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) }
  }
  tell(m: PageMessage): void {
    this.#send(encodePage(m))
  }
  #send(m: string | Uint8Array): void {
    for (const listener of [...this.#listeners]) listener(m)
  }

  get snapshot(): PageSnapshot {
    const { clock, version, rooms, roomPrefix, echoRoom } = this.#o
    return {
      k: 'snapshot', version, clock: { instant: clock.now(), unixMs: clock.unix() * 1000 },
      ...(this.identity === undefined ? {} : { identity: this.identity }),
      server: this.#server, phones: this.#phones, calls: [...this.#shown.values()].map((s) => this.#callOf(s)),
      past: this.people.past, rings: this.people.rings, calling: this.people.calling, people: this.people.people,
      rooms, roomPrefix, echoDial: this.echoNumber, echoRoom, browser: this.browserState, warnings: this.warnings, ...this.line.inSnapshot,
      ...(this.keys === undefined ? {} : { keys: this.keys }),
      ...(this.#setup === undefined ? {} : { setup: this.#setup }),
    }
  }
  set setup(setup: PageSetup | undefined) {
    this.#setup = setup
    this.tell({ k: 'setup', setup })
  }
  get setup(): PageSetup | undefined {
    return this.#setup
  }
  get roomPrefix(): string {
    return this.#o.roomPrefix
  }
  get emergencyNumbers(): readonly string[] {
    return this.#o.emergencyNumbers
  }
  /** What any keypad can dial for the echo room of this user; its dial plan leads there. */
  get echoNumber(): string {
    return echoNumber(this.#o)
  }
  get echoRoom(): string {
    return this.#o.echoRoom
  }
  /** For a room's name that nobody guesses. */
  random(): string {
    return this.#o.random()
  }
  call(id: number): Shown | undefined {
    return this.#shown.get(id)
  }
  /** Levels cost messages: only while somebody looks. */
  set metered(on: boolean) {
    if (on === this.#metered) return
    this.#metered = on
    for (const s of this.#shown.values()) this.media({ op: 'conference.meters', conference: s.call.conference, on })
  }

  get #phones(): PagePhone[] {
    return this.#o.phones.map((p) => ({ ...p, registered: this.#registered.get(p.line) ?? [] }))
  }
  #callOf({ call, volumes }: Shown): PageCall {
    const telephone = this.line.callOf(call)
    const line = this.client?.handsetsOf(telephone ?? call)[0]?.line ?? ''
    const person = this.people.personIn(call.name)
    return { id: call.id, room: call.name, ...(person === undefined ? {} : { person }), startedAt: call.startedAt as PageCall['startedAt'], line, muted: call.muted, roster: call.roster, volumes: volumes.all, ...(telephone === call && this.client?.shownBy(call) !== call ? { hidden: true } : {}) }
  }
  /** Of the phone in the page; which window has it, each window is told by itself. */
  get browserState(): BrowserState {
    const s = this.browser?.state ?? { state: 'idle' as const }
    const call = s.ref === undefined ? undefined : this.client?.calls.find((c) => this.client?.handsetsOf(c).some((h) => h.ref === s.ref))
    const shown = call && this.client?.shownBy(call)
    return { state: s.state, sound: 'nowhere', ...(shown === undefined ? {} : { call: shown.id }), ...(s.reason === undefined ? {} : { reason: s.reason, ...this.line.faultOf(s.reason) }) }
  }
  get #clockAhead(): Pick<PageServer, 'clockAheadS'> {
    const clockAheadS = this.#o.serverClock.aheadS
    return clockAheadS === undefined ? {} : { clockAheadS }
  }
  /** Once a second: somebody may set the clock, right or wrong. */
  tick(): void {
    const { clockAheadS } = this.#clockAhead
    if (clockAheadS !== undefined && Math.abs(clockAheadS - (this.#server.clockAheadS ?? 0)) >= CLOCK_SET_S) this.#serverIs({ clockAheadS })
  }
  #serverIs(change: Partial<PageServer>, without: 'fault' | 'nothing' = 'nothing'): void {
    const { fault, silent, ...rest } = { ...this.#server, ...change }
    // One that is gone is more than silent.
    this.#server = { ...rest, ...(without === 'fault' || fault === undefined ? {} : { fault }), ...(silent === true && rest.state === 'up' ? { silent } : {}) }
    this.tell({ k: 'server', server: this.#server })
  }

  readonly observer: ClientObserver = {
    onServer: (up, { fault, welcome }) => {
      if (welcome !== undefined) this.#o.serverClock.welcomed(welcome.unixTime)
      if (up) this.#serverIs({ state: 'up', silent: false, ...this.#clockAhead }, 'fault')
      else this.#serverIs({ state: 'down', path: 'none', ...(fault === undefined ? {} : { fault: plain(fault) }) })
    },
    onServerSilent: (silent) => this.#serverIs({ silent }),
    onVault: (fault) => this.tell({ k: 'notice', fault: plain(fault) }),
    onPhone: (e) => this.#onPhone(e),
    onEvent: (call, e) => this.#onEvent(call, e),
    onJoined: (call) => this.people.joined(call),
    onShown: (call) => {
      this.line.changed(call)
      if (this.client !== undefined) this.changed(this.client.shownBy(call).id)
    },
    onOver: (call, reason, fault) => this.#onOver(call, reason, fault),
    onRing: (news) => this.people.onRing(news),
    onRingRefused: (fault) => this.tell({ k: 'notice', fault: plain(fault) }),
    onStats: (call, { senders, sent, lateTicks }) => this.tell({ k: 'stats', call: call.id, senders, sent, lateTicks }),
    onMedia: (e) => this.#onMedia(e),
  }

  #onPhone(e: HandsetEvent): void {
    if (e.kind !== 'registered' && e.kind !== 'unregistered') return
    const before = (this.#registered.get(e.line) ?? []).filter((c) => c !== e.contact)
    this.#registered.set(e.line, e.kind === 'registered' ? [...before, e.contact].slice(-CONTACTS_KEPT) : before)
    this.tell({ k: 'phones', phones: this.#phones })
  }
  #onEvent(call: RunningCall, e: CallEvent): void {
    const fresh = !this.#shown.has(call.id)
    const shown = this.#shown.get(call.id) ?? { call, people: new Set<string>(), volumes: new Volumes(call.conference, (c) => this.media(c)) }
    if (e.kind === 'group') for (const m of e.members) if (!m.self && shown.people.size < PEOPLE_KEPT) shown.people.add(displayName(m.identity))
    if (fresh) this.#shown.set(call.id, shown)
    if (e.kind === 'acquainted') this.people.peopleChanged()
    if (e.kind === 'group' || e.kind === 'confirmed') shown.volumes.apply(call.roster, (keyId) => this.people.memory?.blocked(keyId) === true)
    // Opening it anew in the media thread forgot who looks.
    if (e.kind === 'phase' && e.phase === 'member' && this.#metered) this.media({ op: 'conference.meters', conference: call.conference, on: true })
    if (!fresh) this.tell({ k: 'event', call: call.id, event: e })
    if (fresh) this.line.changed(call)
    if (e.kind === 'sealed-call' && e.peer !== undefined) this.#shown.get((this.line.callOf(call) ?? call).id)?.people.add(displayName(e.peer))
    if (fresh || (e.kind === 'note' && /^CLIENT_(UN)?MUTED$/.test(e.code)) || e.kind === 'phase') {
      this.changed(call.id)
      this.onBrowser()
    }
  }
  /** Somebody may not ring here any more, and is not heard; or may again. */
  block(keyId: string, on: boolean): Result<void> {
    if (this.people.memory?.block(keyId, on) !== true) return err('PAGE_NOBODY')
    for (const s of this.#shown.values()) s.volumes.apply(s.call.roster, (k) => this.people.memory?.blocked(k) === true)
    this.people.peopleChanged()
    return ok(undefined)
  }
  /** Something beside its roster is other than before. */
  changed(id: number): void {
    const shown = this.#shown.get(id)
    if (shown !== undefined) this.tell({ k: 'call', call: this.#callOf(shown) })
  }
  #onOver(call: RunningCall, reason: string, fault: Fault | undefined): void {
    const shown = this.#shown.get(call.id)
    if (!this.#shown.delete(call.id)) return
    // What shows a telephone call is not remembered beside it.
    if (this.line.covers(call)) {
      this.tell({ k: 'over', call: call.id })
      return this.line.changed(call)
    }
    const now = this.#o.clock.unix() * 1000
    const past = this.people.over(call, call.name !== this.#o.echoRoom, {
      room: call.name, startedAt: now - (this.#o.clock.now() - call.startedAt), endedAt: now, people: [...(shown?.people ?? [])],
      ...this.line.pastOf(call, reason, fault),
      ...(call.line !== undefined && fault === undefined ? {} : fault === undefined ? (reason === 'left' ? {} : { fault: { code: '', message: reason } }) : { fault: plain(fault) }),
    })
    this.tell({ k: 'over', call: call.id, past })
  }
  #onMedia(e: MediaEvent): void {
    if (e.op === 'hop.path') this.#serverIs({ path: e.path, ...(e.roundTripMs === undefined ? {} : { roundTripMs: e.roundTripMs }) })
    else if (e.op === 'fault') this.tell({ k: 'notice', fault: { code: e.code, message: e.message } })
    else if (e.op === 'conference.levels' || e.op === 'conference.tapped') this.#onConference(e)
  }
  #onConference(e: Extract<MediaEvent, { op: 'conference.levels' | 'conference.tapped' }>): void {
    const call = [...this.#shown.values()].find((s) => s.call.conference === e.conference)?.call
    if (call === undefined) return
    if (e.op === 'conference.levels') {
      this.tell({ k: 'levels', call: call.id, own: e.own, levels: e.levels })
      return
    }
    this.tell({ k: 'tapped', call: call.id, octets: Buffer.from(e.octets).toString('hex') })
    this.#send(encodeSound(SOUND.members, e.members))
    this.#send(encodeSound(SOUND.server, e.server))
  }
}

/** "Echo" on the keys of a telephone, and one more key where that is a room that the configuration names. */
function echoNumber({ roomPrefix, rooms }: Pick<HubOptions, 'roomPrefix' | 'rooms'>): string {
  const wanted = ['', ...'0123456789'].map((more) => `${roomPrefix}3246${more}`)
  return wanted.find((n) => !rooms.some((r) => r.dial === n)) ?? wanted[0]!
}
const plain = (f: Fault): PageFault => ({ code: f.code, message: f.message })
