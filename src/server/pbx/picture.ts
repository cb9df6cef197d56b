/** The picture of Asterisk's conferences: kept by its events, made anew by its lists, with the client behind each channel. */
import { instant } from '../../base/brand.ts'
import type { Stop } from '../../base/ports.ts'
import { err, type Result } from '../../base/result.ts'
import type { AmiField, AmiMessage } from '../../protocol/asterisk/index.ts'
import type { CouplingOptions } from './coupling-options.ts'
import { identify } from './identify.ts'
import type { ClientLeg } from './legs.ts'
import { CONFERENCE_NAME, type Conference, Presences, type Present } from './presence.ts'

export type { Present } from './presence.ts'

/** Locks by others and drift are noticed by asking. */
const LOOK_MS = 2000
/** Longer nobody stays untold of a newcomer. */
const WHO_MS = 150
const EXPECTED_LIMIT = 1000
const LISTS_LIMIT = 5
/** Recorders are in no list of channels, but this function names them: `CBRec/CONFERENCE-0000002a CBRec/…`, at most 1023 octets. */
const RECORDERS = 'CHANNELS(^CBRec/)'
const RECORDERS_WHOLE = 900

interface Lists {
  readonly rooms: ReadonlyMap<string, { readonly room: AmiMessage; readonly members: readonly AmiMessage[] }>
  readonly recorders: string
}

export class Picture {
  readonly #o: CouplingOptions
  readonly #changed: (conference: string) => void
  readonly #prepare: () => Promise<Result<unknown>>
  readonly #identified: (conference: string, m: Present) => void
  readonly #presences = new Presences()
  readonly #expected = new Map<string, ClientLeg | undefined>()
  /** Counts what happened, to know whether a list is of one moment. */
  #events = 0
  #current = false
  #looking: Promise<void> | undefined
  /** The look after that one, for all who ask while it runs. */
  #next: Promise<void> | undefined
  #cancelLook: Stop = () => {}
  #stopped = false
  readonly #waiting = new Set<(current: boolean) => void>()

  /** `prepare` comes before every look; when it fails nothing is seen. `identified`: a member that did not ask to be let in, or took the place of one that did; who it is is known now. */
  constructor(options: CouplingOptions, changed: (conference: string) => void, prepare: () => Promise<Result<unknown>>, identified: (conference: string, m: Present) => void) {
    this.#o = options
    this.#prepare = prepare
    this.#identified = identified
    this.#changed = changed
  }
  /** It is Asterisk's. */
  get current(): boolean {
    return this.#current
  }
  /** Whether it is, or becomes so in time. */
  seen(withinMs: number): Promise<boolean> {
    if (this.#current || this.#stopped) return Promise.resolve(this.#current)
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const { scheduler } = this.#o
    const cancel = scheduler.at(instant(scheduler.now() + withinMs), () => end(false))
    const end = (current: boolean): void => {
      cancel()
      this.#waiting.delete(end)
      resolve(current)
    }
    this.#waiting.add(end)
    return promise
  }
  get conferences(): ReadonlyMap<string, Conference> {
    return this.#presences.conferences
  }
  isRecorded(m: Present): boolean {
    return this.#presences.isRecorded(m)
  }
  /** All presences of one client. */
  of(session: string): { readonly conference: Conference; readonly member: Present }[] {
    return [...this.conferences.values()].flatMap((conference) => [...conference.members.values()].filter((m) => m.leg?.session === session).map((member) => ({ conference, member })))
  }

  event(e: AmiMessage): void {
    // Not tracked: nobody of ours can be told of it, and no look would find it.
    if (!CONFERENCE_NAME.test(e.get('Conference') ?? 'none')) return
    this.#events++
    const change = this.#presences.event(e)
    if (change.kind === 'none') return
    if (change.kind === 'stale') return void this.look()
    const fresh = change.kind === 'unknown' ? change.member : change.kind === 'changed' ? change.joined : undefined
    if (fresh === undefined) return this.#changed(change.conference)
    if (change.kind === 'changed' && this.#expected.has(fresh.uniqueId)) {
      fresh.leg = this.#expected.get(fresh.uniqueId)
      fresh.asked = true
      this.#expected.delete(fresh.uniqueId)
      return this.#changed(change.conference)
    }
    void this.#whoIs(change.conference, fresh, false)
    // Who it is takes a few milliseconds; that somebody came is told in any case.
    this.#o.scheduler.at(instant(this.#o.scheduler.now() + WHO_MS), () => this.#changed(change.conference))
  }
  /** A call that was let in, and who it is: it need not be asked again when it comes. */
  expect(uniqueId: string, leg: ClientLeg | undefined): void {
    if (this.#expected.size >= EXPECTED_LIMIT) this.#expected.delete(this.#expected.keys().next().value!)
    this.#expected.set(uniqueId, leg)
  }
  /** Nothing is known any more but what was. */
  lost(): void {
    this.#cancelLook()
    this.#become(false)
  }
  /** Asterisk has forgotten all of them. */
  over(): void {
    for (const name of [...this.conferences.keys()]) {
      this.#presences.conferences.delete(name)
      this.#changed(name)
    }
  }
  stop(): void {
    this.#stopped = true
    this.#cancelLook()
    for (const end of [...this.#waiting]) end(false)
  }

  /** Asks for everything, and again from time to time. One look at a time; whoever asks meanwhile gets the next. */
  look(): Promise<void> {
    this.#cancelLook()
    if (this.#next !== undefined) return this.#next
    if (this.#looking === undefined) return this.#begin()
    this.#next = this.#looking.then(() => this.#begin())
    return this.#next
  }
  #begin(): Promise<void> {
    this.#next = undefined
    this.#looking = this.#lookOnce().finally(() => (this.#looking = undefined))
    return this.#looking
  }
  async #lookOnce(): Promise<void> {
    const prepared = await this.#prepare()
    const seen = prepared.ok ? await this.#lists() : prepared
    if (this.#stopped) return
    if (seen.ok) this.#accept(seen.value)
    else if (seen.fault.code !== 'PBX_GONE') this.#o.refusals.warn(seen.fault.code, {}, seen.fault.message)
    this.#become(seen.ok)
    this.#cancelLook()
    this.#cancelLook = this.#o.scheduler.at(instant(this.#o.scheduler.now() + LOOK_MS), () => void this.look())
  }
  #become(current: boolean): void {
    if (current === this.#current) return
    this.#current = current
    if (current) for (const end of [...this.#waiting]) end(true)
    if (current) this.#o.log.info({ conferences: this.conferences.size }, 'sees the conferences of Asterisk')
    for (const name of this.conferences.keys()) this.#changed(name)
  }

  /** Until nothing happened while listing. */
  async #lists(): Promise<Result<Lists>> {
    for (let i = 1; ; i++) {
      const at = this.#events
      const rooms = await this.#list('ConfbridgeListRooms')
      if (!rooms.ok) return rooms
      const lists = new Map<string, { readonly room: AmiMessage; readonly members: readonly AmiMessage[] }>()
      const recorders = rooms.value.length === 0 ? undefined : await this.#o.action('Getvar', ['Variable', RECORDERS])
      if (recorders?.ok === false && recorders.fault.code !== 'PBX_ACTION') return recorders
      for (const room of rooms.value) {
        const name = room.get('Conference') ?? ''
        if (!CONFERENCE_NAME.test(name)) continue
        const members = await this.#list('ConfbridgeList', ['Conference', name])
        if (!members.ok) return members
        lists.set(name, { room, members: members.value })
      }
      // Where it never is quiet the next look corrects what this one missed.
      if (at === this.#events || i === LISTS_LIMIT) return { ok: true, value: { rooms: lists, recorders: (recorders?.ok === true ? recorders.value[0]?.get('Value') : undefined) ?? '' } }
    }
  }
  /** Asterisk answers an error where there is nothing to list. */
  async #list(action: string, ...fields: readonly AmiField[]): Promise<Result<readonly AmiMessage[]>> {
    const r = await this.#o.action(action, ...fields)
    if (r.ok) return { ok: true, value: r.value.slice(1) }
    return r.fault.code === 'PBX_ACTION' && /no (active )?conference/i.test(r.fault.message) ? { ok: true, value: [] } : err(r.fault.code, action, r.fault)
  }
  #accept({ rooms, recorders }: Lists): void {
    const recorded = new Set(recorders.split(' ').map((r) => r.replace(/^CBRec\//, '').replace(/-[0-9a-f]+$/, '')))
    const whole = recorders.length < RECORDERS_WHOLE
    for (const name of [...this.#presences.conferences.keys()]) {
      if (rooms.has(name)) continue
      this.#presences.conferences.delete(name)
      this.#changed(name)
    }
    for (const [name, { room, members }] of rooms) {
      const { joined, left, altered } = this.#presences.list(name, members)
      const c = this.#presences.conferences.get(name)
      if (c === undefined) continue
      const before = c.locked
      c.locked = room.get('Locked') === 'Yes'
      const taped = (whole || recorded.has(name)) && this.#presences.recorder(name, recorded.has(name))
      if (altered || taped || before !== c.locked || joined.length + left.length > 0) this.#changed(name)
      for (const m of joined) void this.#whoIs(name, m, true)
    }
  }

  /** Asks the channel itself: whatever dialplan brought it here, whatever took its place. */
  async #whoIs(conference: string, m: Present, resync: boolean): Promise<void> {
    m.asked = true
    let answered = true
    const read = async (name: string): Promise<string | undefined> => {
      const r = await this.#o.action('Getvar', ['Channel', m.channel], ['Variable', name])
      answered &&= r.ok || r.fault.code === 'PBX_ACTION'
      return r.ok ? r.value[0]?.get('Value') : undefined
    }
    // After a restart of ours nobody remembers who is recorded; better one warning too many.
    if (resync && !this.#presences.isRecorded(m) && ((await read('MIXMONITOR_FILENAME')) ?? '') !== '') this.#presences.record(m.channel, true)
    m.leg = await identify(this.#o.legs(), m.channel, read)
    this.#changed(conference)
    if (this.conferences.get(conference)?.members.get(m.uniqueId) !== m) return
    // Nobody is judged by a silence of Asterisk: the next look asks again.
    if (answered) this.#identified(conference, m)
    else m.asked = false
  }
}
