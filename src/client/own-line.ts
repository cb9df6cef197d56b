/**
 * The line of the page's phone: its account at the PBX behind the server, or at a provider. A user agent of its own talks to the relay
 * as a phone on loopback does, through a pipe in this process; its RTP is a phone leg of the media thread, patched to the page's sound.
 */
import { type Instant, instant } from '../base/brand.ts'
import { toHex } from '../base/bytes.ts'
import type { Scheduler } from '../base/ports.ts'
import { err, type Fault, makeFault, ok, type Result } from '../base/result.ts'
import type { CryptoPort } from '../crypto/port.ts'
import type { MediaCommand, MediaEvent } from '../media/api.ts'
import type { DialogNews } from './call.ts'
import { type LineAccount, LineAgent } from './handset/account/agent.ts'
import type { LineCall } from './handset/account/line-call.ts'
import { sipPipe } from './handset/account/pipe.ts'
import { SipHandset } from './handset/sip/handset.ts'
import type { PhoneRelay } from './handset/sip/phone-relay.ts'

export type { LineAccount }

/** The telephone system is told that nobody is here any more. */
const GOODBYE_MS = 1000
const RING_ID = 16

export interface OwnLineOptions {
  readonly account: LineAccount
  readonly relay: PhoneRelay
  /** Who can hear its calls where they are not sealed: our server, or anybody on the way. */
  readonly kind: 'bridged' | 'open'
  readonly scheduler: Scheduler
  readonly crypto: CryptoPort
  readonly media: (c: MediaCommand) => void
  readonly isEmergency: (number: string) => boolean
}

/** Somebody calls, by the word of the telephone network. */
export interface LineRing {
  /** 32 hex digits of ours. */
  readonly id: string
  readonly number: string
  readonly name: string
  readonly at: Instant
}

/** A call that the page's phone is in. */
export interface LineRun {
  readonly call: LineCall
  /** The media thread's number of its RTP leg. */
  readonly leg: number
  /** Where its RTP arrives, once its port is open. */
  readonly local: { readonly address: string; readonly port: number } | undefined
  hangup(): void
  digit(digit: string): void
}

interface Running extends LineRun {
  readonly news: (n: DialogNews) => void
  local: LineRun['local']
}

export type LineNews =
  /** Its registration, what rings, or the state of its call. */
  | { readonly kind: 'changed' }
  | { readonly kind: 'missed'; readonly ring: LineRing }
  | { readonly kind: 'failed'; readonly fault: Fault }

export class OwnLine {
  readonly #o: OwnLineOptions
  readonly #agent: LineAgent
  readonly #handset: SipHandset
  readonly #rings = new Map<string, LineRing & { readonly call: LineCall }>()
  readonly #running = new Map<number, Running>()
  readonly #listeners = new Set<(n: LineNews) => void>()
  #ended = false
  registered = false
  /** Why it is not. */
  fault: Fault | undefined

  constructor(options: OwnLineOptions) {
    this.#o = options
    const { account, relay, scheduler, crypto, isEmergency } = options
    const pipe = sipPipe(scheduler)
    this.#handset = new SipHandset({ line: 'page', scheduler, crypto, users: new Map(), upstream: relay, isEmergency }, { transports: [pipe.handset], hostFor: () => pipe.handset.local.address })
    this.#agent = new LineAgent({
      account, transport: pipe.phone, flow: pipe.phone.flow, scheduler, crypto,
      onRegistered: (registered, fault) => {
        this.registered = registered
        this.fault = fault
        this.#tell({ kind: 'changed' })
      },
      onCall: (call) => this.#called(call),
    })
  }
  get kind(): 'bridged' | 'open' {
    return this.#o.kind
  }
  /** Who it is at the telephone system. */
  get number(): string {
    return this.#o.account.user
  }
  /** Newest last. */
  get rings(): readonly LineRing[] {
    return [...this.#rings.values()].map(({ id, number, name, at }) => ({ id, number, name, at }))
  }
  subscribe(listener: (n: LineNews) => void): Disposable {
    this.#listeners.add(listener)
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) }
  }
  /** The way to the telephone system is there, or gone. */
  up(): void {
    if (!this.#ended) this.#agent.start()
  }
  down(why = makeFault('CLIENT_NO_CHANNEL')): void {
    this.#agent.lost(why)
  }

  /** Calls a number. `leg`: a number of the media thread for the line's RTP; `news`: what becomes of the call. */
  dial(number: string, leg: number, news: (n: DialogNews) => void): LineRun {
    return this.#run(this.#agent.call(number), leg, news)
  }
  /** Takes a call that rings. */
  answer(id: string, leg: number, news: (n: DialogNews) => void): Result<LineRun> {
    const ring = this.#rings.get(id)
    if (ring === undefined) return err('LINE_OVER')
    this.#rings.delete(id)
    this.#tell({ kind: 'changed' })
    return ok(this.#run(ring.call, leg, news))
  }
  refuse(id: string): Result<void> {
    const ring = this.#rings.get(id)
    if (ring === undefined) return err('LINE_OVER')
    this.#rings.delete(id)
    ring.call.hangup()
    this.#tell({ kind: 'changed' })
    return ok(undefined)
  }
  hold(run: LineRun, on: boolean): void {
    run.call.hold(on)
  }
  transfer(run: LineRun, to: string): void {
    run.call.transfer(this.#agent.addressOf(to))
  }

  onMedia(e: MediaEvent): void {
    if (e.op === 'phone.opened') {
      const run = this.#running.get(e.phone)
      if (run === undefined || run.local !== undefined) return
      const local = { address: e.local.address, port: e.local.port }
      run.local = local
      if (run.call.outgoing) run.call.dial(local, this.#agent.addressOf(run.call.number), this.#agent.own)
      else run.call.answer(local)
    } else if (e.op === 'fault') {
      const run = [...this.#running.values()].find((r) => r.local === undefined && e.about === `phone ${r.leg}`)
      run?.call.hangup(makeFault('MEDIA_INTERNAL', e.message))
    }
  }

  /** Hangs up, and gives the account back. Resolves when the telephone system knows, or soon after. */
  async end(): Promise<void> {
    this.#ended = true
    this.#agent.end()
    const { scheduler } = this.#o
    const until = scheduler.now() + GOODBYE_MS
    await new Promise<void>((resolve) => {
      const look = (): void => {
        if (this.#agent.load.clients === 0 || scheduler.now() >= until) resolve()
        else scheduler.at(instant(scheduler.now() + 20), look)
      }
      look()
    })
  }
  /** After the relay's other users. */
  close(): void {
    this.#agent.close()
    this.#handset[Symbol.dispose]()
    this.#listeners.clear()
  }
  #run(call: LineCall, leg: number, news: (n: DialogNews) => void): LineRun {
    const { media } = this.#o
    const run: Running = { call, leg, news, local: undefined, hangup: () => call.hangup(), digit: (digit) => media({ op: 'phone.digit', phone: leg, digit }) }
    this.#running.set(leg, run)
    call.events = {
      state: (state, fault) => {
        if (state === 'up') news({ kind: 'answered' })
        else if (state === 'over') this.#over(run, fault)
        this.#tell({ kind: 'changed' })
      },
      media: (m) => media({ op: 'phone.set', phone: leg, media: m }),
      held: (held) => {
        news({ kind: 'hold', held })
        this.#tell({ kind: 'changed' })
      },
      failed: (fault) => this.#tell({ kind: 'failed', fault }),
    }
    media({ op: 'phone.open', phone: leg, bind: '127.0.0.1', media: call.media })
    return run
  }
  #over(run: Running, fault: Fault | undefined): void {
    if (!this.#running.delete(run.leg)) return
    this.#agent.forget(run.call)
    this.#o.media({ op: 'phone.close', phone: run.leg })
    run.news({ kind: 'over', ...(fault === undefined ? {} : { fault }) })
  }

  #called(call: LineCall): void {
    // Not its Call-ID, which the other side chose: two of its calls may have the same.
    const ring: LineRing = { id: toHex(this.#o.crypto.bytes(RING_ID)), number: call.number, name: call.name, at: this.#o.scheduler.now() }
    call.events = {
      ...call.events,
      state: (state) => {
        if (state !== 'over') return
        this.#agent.forget(call)
        // Declined here: nobody missed it.
        if (!this.#rings.delete(ring.id)) return
        if (!call.answeredElsewhere) this.#tell({ kind: 'missed', ring })
        this.#tell({ kind: 'changed' })
      },
    }
    this.#rings.set(ring.id, { ...ring, call })
    this.#tell({ kind: 'changed' })
  }
  #tell(n: LineNews): void {
    for (const listener of [...this.#listeners]) listener(n)
  }
}
