/** The client: phones on one side, the server on the other, calls in between. */
import { instant } from '../base/brand.ts'
import { chance } from '../base/chance.ts'
import type { CryptoPort } from '../crypto/port.ts'
import type { Scheduler } from '../base/ports.ts'
import { makeFault, type Fault } from '../base/result.ts'
import type { HandsetMedia, MediaCommand, MediaEvent } from '../media/api.ts'
import type { ServerWire } from '../protocol/wire/messages.ts'
import type { Vault } from '../vault/api/calls.ts'
import type { CallKind } from './call.ts'
import { type CallObserver, RunningCall } from './calls.ts'
import { Connection, type ConnectionOptions } from './connection.ts'
import type { CallRef, Handset, HandsetEvent } from './handset/port.ts'
import { chooseKind, dial, type DialPlan } from './switch.ts'

export interface MediaThread {
  command(c: MediaCommand): void
  subscribe(listener: (e: MediaEvent) => void): Disposable
}

export interface ClientOptions {
  readonly vault: Vault
  readonly media: MediaThread
  readonly crypto: CryptoPort
  readonly scheduler: Scheduler
  readonly dialPlan: DialPlan
  readonly kinds: readonly CallKind[]
  readonly connection: Pick<ConnectionOptions, 'open' | 'suites' | 'fallback' | 'openMediaPath'>
  readonly agent: string
  readonly observer?: ClientObserver
}

export interface ClientObserver extends CallObserver {
  onServer?(up: boolean, detail: { readonly welcome?: ServerWire['welcome']; readonly fault?: Fault }): void
  onPhone?(e: HandsetEvent): void
  onMedia?(e: MediaEvent): void
}

/** A call as its phone sees it. */
interface PhoneCall {
  readonly ref: CallRef
  readonly handset: Handset
  readonly contact: string
  readonly target: string
  phone: number
  running: RunningCall | undefined
  answered: boolean
  /** Waits for the media thread's port before it can be answered. */
  local: { address: string; port: number } | undefined
  joined: boolean
}

const CALLS_LIMIT = 64
/** One server, one hop. */
export const HOP = 1

export class Client {
  readonly #o: ClientOptions
  readonly connection: Connection
  readonly #phoneCalls = new Map<CallRef, PhoneCall>()
  readonly #calls = new Map<number, RunningCall>()
  readonly #subscriptions: Disposable[] = []
  #next = 1

  constructor(options: ClientOptions) {
    this.#o = options
    this.connection = new Connection({
      ...options.connection,
      vault: options.vault, scheduler: options.scheduler, agent: options.agent, hop: HOP,
      media: (c) => options.media.command(c),
      chance: () => chance(options.crypto),
      onUp: (welcome) => {
        options.observer?.onServer?.(true, { welcome })
        for (const call of this.#calls.values()) call.input({ kind: 'channel', up: true })
      },
      onDown: (fault) => {
        options.observer?.onServer?.(false, { fault })
        for (const call of this.#calls.values()) call.input({ kind: 'channel', up: false, reason: fault.message })
      },
      onMessage: (m) => {
        for (const call of this.#calls.values()) call.onWire(m)
      },
    })
    this.#subscriptions.push(options.media.subscribe((e) => this.#onMedia(e)))
  }

  get calls(): readonly RunningCall[] {
    return [...this.#calls.values()]
  }

  start(): void {
    void this.connection.start()
  }

  addHandset(handset: Handset): void {
    this.#subscriptions.push(handset.subscribe((e) => this.#onPhone(handset, e)), handset)
  }

  /** Leaves all rooms, says goodbye to phones and server. Resolves when the leaves were sent. */
  async stop(): Promise<void> {
    for (const p of [...this.#phoneCalls.values()]) p.handset.command({ kind: 'hangup', call: p.ref, reason: 'the client stops' })
    for (const call of this.#calls.values()) call.input({ kind: 'leave' })
    await this.#until(() => this.#calls.size === 0, 500)
    for (const s of this.#subscriptions) s[Symbol.dispose]()
    this.connection.stop()
    this.#o.media.command({ op: 'stop' })
    await this.#o.vault.close()
  }

  async #until(done: () => boolean, limitMs: number): Promise<void> {
    const { scheduler } = this.#o
    const end = scheduler.now() + limitMs
    while (!done() && scheduler.now() < end) await new Promise<void>((resolve) => void scheduler.at(instant(scheduler.now() + 10), resolve))
  }

  #onPhone(handset: Handset, e: HandsetEvent): void {
    this.#o.observer?.onPhone?.(e)
    switch (e.kind) {
      case 'dial':
        return this.#onDial(handset, e)
      case 'media': {
        const p = this.#phoneCalls.get(e.call)
        if (p !== undefined) this.#o.media.command({ op: 'phone.set', phone: p.phone, media: e.media })
        return
      }
      case 'dtmf':
        return this.#onDigit(this.#phoneCalls.get(e.call), e.digit)
      case 'ended': {
        const p = this.#phoneCalls.get(e.call)
        if (p !== undefined) this.#endPhone(p)
        return
      }
      default:
        return
    }
  }

  #onDial(handset: Handset, e: Extract<HandsetEvent, { kind: 'dial' }>): void {
    const refuse = (status: number, fault: Fault): void => handset.command({ kind: 'refuse', call: e.call, status, reason: fault.message })
    const dialled = dial(this.#o.dialPlan, e.target)
    // 503 at once, so that the phone's second server is used; before every other check (DESIGN §1).
    if (dialled.kind === 'emergency') return refuse(503, makeFault('CLIENT_EMERGENCY', e.target))
    if (dialled.kind === 'unknown') return refuse(404, makeFault('CLIENT_UNKNOWN_NUMBER', e.target))
    const kind = chooseKind(this.#o.kinds, dialled.target)
    if (kind === undefined) return refuse(404, makeFault('CLIENT_UNKNOWN_NUMBER', e.target))
    if (!this.connection.up) return refuse(503, this.connection.lastFault ?? makeFault('CLIENT_NO_CHANNEL'))
    const running = this.#runningFor(handset, e, dialled.target.room)
    if (running === undefined && this.#calls.size >= CALLS_LIMIT) return refuse(486, makeFault('CLIENT_BUSY'))
    this.#accept(handset, e, kind, dialled.target.room, running)
  }

  /** A phone that crashed and dials the same room again keeps its membership (DESIGN §5). */
  #runningFor(handset: Handset, e: Extract<HandsetEvent, { kind: 'dial' }>, room: string): RunningCall | undefined {
    for (const p of this.#phoneCalls.values()) {
      if (p.handset !== handset || p.running === undefined || p.running.over || p.running.name !== room) continue
      if (p.contact !== e.contact) continue
      return p.running
    }
    return undefined
  }

  #accept(handset: Handset, e: Extract<HandsetEvent, { kind: 'dial' }>, kind: CallKind, room: string, existing: RunningCall | undefined): void {
    const phone = this.#next++
    const p: PhoneCall = { ref: e.call, handset, contact: e.contact, target: e.target, phone, running: undefined, answered: false, local: undefined, joined: existing?.joinedAt !== undefined }
    this.#phoneCalls.set(e.call, p)
    handset.command({ kind: 'ringing', call: e.call })
    this.#o.media.command({ op: 'phone.open', phone, bind: bindFor(e.media), media: e.media })
    if (existing !== undefined) return this.#takeOver(p, existing)
    const id = this.#next++
    const machine = kind.start({ kind: 'room', room }, { conference: id, hop: HOP, phone })
    const call = new RunningCall(id, room, id, phone, machine, {
      vault: this.#o.vault, scheduler: this.#o.scheduler,
      media: (c) => this.#o.media.command(c),
      send: (m) => this.connection.send(m),
    }, {
      ...this.#o.observer,
      onJoined: (c) => {
        this.#o.observer?.onJoined?.(c)
        for (const x of this.#phoneCalls.values()) if (x.running === c) this.#answer(x, { joined: true })
      },
      onOver: (c, reason, fault) => this.#onOver(c, reason, fault),
    })
    this.#calls.set(id, call)
    p.running = call
    call.input({ kind: 'start' })
  }

  #takeOver(p: PhoneCall, call: RunningCall): void {
    const before = [...this.#phoneCalls.values()].find((x) => x.running === call)
    p.running = call
    call.phone = p.phone
    call.input({ kind: 'phone', phone: p.phone })
    if (before === undefined) return
    before.running = undefined
    before.handset.command({ kind: 'hangup', call: before.ref, reason: 'replaced by a newer call' })
    this.#endPhone(before)
  }

  /** 200 OK once we are in the group and our port is known. */
  #answer(p: PhoneCall, news: { joined?: boolean; local?: { address: string; port: number } }): void {
    if (news.joined === true) p.joined = true
    if (news.local !== undefined) p.local = news.local
    if (p.answered || !p.joined || p.local === undefined) return
    p.answered = true
    p.handset.command({ kind: 'answer', call: p.ref, local: p.local })
  }

  #onMedia(e: MediaEvent): void {
    this.#o.observer?.onMedia?.(e)
    if (e.op === 'phone.opened') {
      for (const p of this.#phoneCalls.values()) if (p.phone === e.phone) this.#answer(p, { local: e.local })
    } else if (e.op === 'phone.dtmf') {
      this.#onDigit([...this.#phoneCalls.values()].find((p) => p.phone === e.phone), e.digit)
    }
    for (const call of this.#calls.values()) call.onMedia(e)
  }

  /** Interpreted here and never sent on (DESIGN §5): `*1` mutes and unmutes. */
  readonly #digits = new Map<CallRef, string>()
  #onDigit(p: PhoneCall | undefined, digit: string): void {
    if (p?.running === undefined) return
    const typed = ((this.#digits.get(p.ref) ?? '') + digit).slice(-2)
    this.#digits.set(p.ref, typed)
    if (typed === '*1') p.running.toggleMute()
  }

  #onOver(call: RunningCall, reason: string, fault: Fault | undefined): void {
    this.#calls.delete(call.id)
    this.#o.observer?.onOver?.(call, reason, fault)
    for (const p of [...this.#phoneCalls.values()]) {
      if (p.running !== call) continue
      p.running = undefined
      p.handset.command(p.answered ? { kind: 'hangup', call: p.ref, reason } : { kind: 'refuse', call: p.ref, status: fault === undefined ? 480 : statusOf(fault), reason })
      this.#endPhone(p)
    }
  }

  #endPhone(p: PhoneCall): void {
    this.#phoneCalls.delete(p.ref)
    this.#digits.delete(p.ref)
    this.#o.media.command({ op: 'phone.close', phone: p.phone })
    const call = p.running
    p.running = undefined
    if (call !== undefined && ![...this.#phoneCalls.values()].some((x) => x.running === call)) call.input({ kind: 'leave' })
  }
}

const statusOf = (fault: Fault): number => (fault.code === 'CLIENT_ROOM_REFUSED' ? 403 : 480)

/** The address of ours that this phone can reach: loopback for loopback. */
function bindFor(media: HandsetMedia): string {
  if (media.kind !== 'rtp') return ''
  const { address } = media.remote
  if (address.startsWith('127.')) return '127.0.0.1'
  if (address === '::1') return '::1'
  return address.includes(':') ? '::' : '0.0.0.0'
}
