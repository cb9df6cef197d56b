/** Drives the machines of the running calls: carries out what they ask, feeds back what happens. */
import { instant } from '../base/brand.ts'
import type { Scheduler } from '../base/ports.ts'
import type { Fault, Result } from '../base/result.ts'
import type { MediaCommand, MediaEvent } from '../media/api.ts'
import type { Acquaintance, CallEvent, PhoneLeg, Roster } from '../model/roster.ts'
import { applyEvent, emptyRoster } from '../model/roster.ts'
import type { ClientMessage, ServerMessage } from '../protocol/wire/messages.ts'
import type { Vault } from '../vault/api/calls.ts'
import { type CallIn, type CallMachine, type CallOut, MENU_KEY_MS, type VaultRequest } from './call.ts'
import type { LineRun } from './own-line.ts'

export interface CallPorts {
  readonly vault: Vault
  readonly scheduler: Scheduler
  readonly media: (c: MediaCommand) => void
  readonly send: (m: ClientMessage) => Result<void>
  readonly signal?: (call: number, what: 'probe' | Uint8Array) => void
}

/** What the outside hears of a running call. */
export interface CallObserver {
  onEvent?(call: RunningCall, e: CallEvent): void
  onJoined?(call: RunningCall): void
  onOver?(call: RunningCall, reason: string, fault?: Fault): void
  /** Another call shows this one from now on. */
  onShown?(call: RunningCall): void
  onStats?(call: RunningCall, e: Extract<MediaEvent, { op: 'conference.stats' }>): void
}

/** Names a call of the page's phone as no Call-ID can (RFC 3261 §25.1: those have no spaces). */
export const lineKey = (id: number): string => `line ${id}`
/** Both are about the same telephone call. */
export const shows = (a: RunningCall, b: RunningCall): boolean => a.sipCalls.some((name) => b.sipCalls.includes(name))

/** One call: its machine, its roster, its timer. */
export class RunningCall {
  readonly id: number
  readonly kind: Roster['kind']
  readonly name: string
  readonly conference: number
  phone: number
  roster: Roster
  over = false
  readonly startedAt: number
  joinedAt: number | undefined
  /** Of the page's phone on its line: what it speaks through. */
  line: LineRun | undefined
  /** What names the telephone calls that it is about: a Call-ID behind our own server, a number of ours (`lineKey`) elsewhere. */
  sipCalls: readonly string[] = []
  /** The media thread's number for a call through a provider. */
  leg: number
  readonly #machine: CallMachine
  readonly #ports: CallPorts
  readonly #observer: CallObserver
  #cancelWake: () => void = () => {}

  constructor(id: number, name: string, conference: number, phone: number, machine: CallMachine, ports: CallPorts, observer: CallObserver, kind: Roster['kind'] = 'sealed') {
    this.id = id
    this.kind = kind
    this.name = name
    this.conference = conference
    this.leg = conference
    this.phone = phone
    this.#machine = machine
    this.#ports = ports
    this.#observer = observer
    this.roster = emptyRoster(name, kind)
    this.startedAt = ports.scheduler.now()
  }

  input(input: CallIn): void {
    if (this.over && input.kind !== 'vault') return
    const { out, wakeAt } = this.#machine.step(input, this.#ports.scheduler.now())
    this.#cancelWake()
    this.#cancelWake = wakeAt === undefined ? () => {} : this.#ports.scheduler.at(instant(wakeAt), () => this.input({ kind: 'tick' }))
    for (const o of out) this.#carryOut(o)
  }

  /** Something that only we know of, for everybody who watches this call. */
  tell(e: { readonly kind: 'acquainted'; readonly leaf: number; readonly acquaintance: Acquaintance } | { readonly kind: 'phone-leg'; readonly leg: PhoneLeg }): void {
    this.#carryOut({ kind: 'event', event: { ...e, at: this.#ports.scheduler.now() } })
  }

  /** Our phone is here, or another, or has changed: everybody who watches this call is told of what is new. */
  phoneIs(leg: PhoneLeg | undefined): void {
    if (leg === undefined || leg === this.roster.phoneLeg) return
    this.tell({ kind: 'phone-leg', leg })
    this.input({ kind: 'phone-leg', leg })
  }

  #muted = false
  #star: number | undefined
  get muted(): boolean {
    return this.#muted
  }
  toggleMute(): void {
    this.#muted = !this.#muted
    this.input({ kind: 'mute', muted: this.#muted })
  }

  /** `*1` mutes in a call that is sealed or may not be heard; in an open one digits are the other side's. */
  #digit(digit: string): void {
    const state = this.roster.sealedCall?.state
    const ours = state === 'sealed' || state === 'lost' || state === 'doubt' || state === 'asking' || state === 'agreeing'
    const now = this.#ports.scheduler.now()
    const follows = this.#star !== undefined && now - this.#star < MENU_KEY_MS
    this.#star = ours && digit === '*' ? now : undefined
    if (ours && digit === '1' && follows) this.toggleMute()
  }

  onWire(message: ServerMessage): void {
    this.input({ kind: 'wire', message })
  }
  onMedia(event: MediaEvent): void {
    if (event.op === 'call.digit' && event.call === this.leg) this.#digit(event.digit)
    this.input({ kind: 'media', event })
    if (event.op === 'conference.stats' && event.conference === this.conference) this.#observer.onStats?.(this, event)
  }

  #carryOut(o: CallOut): void {
    switch (o.kind) {
      case 'send':
        // A channel that is down says so by its own event; the machine starts again when it is back.
        this.#ports.send(o.message)
        return
      case 'signal':
        return this.#ports.signal?.(o.call, o.what)
      case 'media':
        return this.#ports.media(o.command)
      case 'vault':
        void this.#ask(o.ref, o.request)
        return
      case 'event':
        this.roster = applyEvent(this.roster, o.event)
        return this.#observer.onEvent?.(this, o.event)
      case 'joined':
        this.joinedAt = this.#ports.scheduler.now()
        return this.#observer.onJoined?.(this)
      case 'over':
        this.over = true
        this.#cancelWake()
        return this.#observer.onOver?.(this, o.reason, o.fault)
    }
  }

  async #ask(ref: number, request: VaultRequest): Promise<void> {
    const result = await this.#ports.vault.call(request.call, request.args)
    this.input({ kind: 'vault', ref, result })
  }
}
