/**
 * One end of the channel above its connection (docs/protocol/channel.md §1): messages instead of octets, liveness, and the
 * limits of either direction. Whatever is wrong ends it with a fault; `onClose` is called once.
 */
import { type Instant, instant } from '../../base/brand.ts'
import type { FaultCode } from '../../base/faults/index.ts'
import type { MessageTransport } from '../../base/message-transport.ts'
import type { Scheduler } from '../../base/ports.ts'
import type { Fault, Result } from '../../base/result.ts'
import { err, makeFault, ok } from '../../base/result.ts'

export interface Codec<In, Out> {
  readonly encode: (m: Out) => Result<Uint8Array>
  readonly decode: (octets: Uint8Array) => Result<In>
}

export interface LinkLimits {
  /** Messages that may come at once, and per second. */
  readonly burst: number
  readonly perSecond: number
  /** Octets that may wait to be sent. */
  readonly waitingOctets: number
  /** Nothing heard for so long: dead. */
  readonly silentMs: number
}

export const LINK_LIMITS: LinkLimits = { burst: 600, perSecond: 200, waitingOctets: 8 * 1024 * 1024, silentMs: 15_000 }
export const PING_MS = 5000

const NORMAL = 1000
const POLICY_VIOLATION = 1008

export class Link<In, Out> {
  readonly #transport: MessageTransport
  readonly #codec: Codec<In, Out>
  readonly #scheduler: Scheduler
  readonly #limits: LinkLimits
  #tokens: number
  #filledAt: number
  #heardAt: Instant
  #cancelWatch: () => void = () => {}
  #closed: Fault | undefined
  #onMessage: ((m: In) => void) | undefined
  readonly #early: In[] = []
  #onClose: (fault: Fault) => void = () => {}
  /** Called with the fault before the connection is closed for it: to tell the other side. */
  onViolation: (fault: Fault) => void = () => {}

  constructor(transport: MessageTransport, codec: Codec<In, Out>, scheduler: Scheduler, limits: LinkLimits = LINK_LIMITS) {
    this.#transport = transport
    this.#codec = codec
    this.#scheduler = scheduler
    this.#limits = limits
    this.#tokens = limits.burst
    this.#filledAt = this.#heardAt = scheduler.now()
    transport.onMessage((octets) => this.#take(octets))
    transport.onClose((code, reason) => this.#end(makeFault('CHANNEL_CLOSED', reason === '' ? `code ${code}` : reason)))
    this.#watch()
  }
  /** When anything came last. */
  get heardAt(): Instant {
    return this.#heardAt
  }
  get open(): boolean {
    return this.#closed === undefined
  }
  /** What came before a listener was set is kept for it. */
  onMessage(listener: (m: In) => void): void {
    this.#onMessage = listener
    for (const m of this.#early.splice(0)) listener(m)
  }
  onClose(listener: (fault: Fault) => void): void {
    this.#onClose = listener
    if (this.#closed !== undefined) listener(this.#closed)
  }

  send(m: Out): Result<void> {
    if (this.#closed !== undefined) return { ok: false, fault: this.#closed }
    const octets = this.#codec.encode(m)
    if (!octets.ok) return octets
    if (this.#transport.waiting + octets.value.length > this.#limits.waitingOctets) {
      this.fail('CHANNEL_SLOW', `${this.#transport.waiting} octets wait`)
      return err('CHANNEL_SLOW')
    }
    this.#transport.send(octets.value)
    return ok(undefined)
  }
  close(): void {
    this.#end(makeFault('CHANNEL_CLOSED', 'by us'), NORMAL)
  }
  /** The other side broke a rule: it is told, then cut off. */
  fail(code: FaultCode, detail?: string): void {
    this.#violated(makeFault(code, detail))
  }

  #violated(fault: Fault): void {
    if (this.#closed !== undefined) return
    // Who is dead or does not listen is not told.
    if (fault.code !== 'CHANNEL_SLOW' && fault.code !== 'CHANNEL_SILENT') this.onViolation(fault)
    this.#end(fault, POLICY_VIOLATION)
  }
  #end(fault: Fault, closeCode?: number): void {
    if (this.#closed !== undefined) return
    this.#closed = fault
    this.#cancelWatch()
    if (closeCode !== undefined) this.#transport.close(closeCode, closeCode === NORMAL ? '' : fault.code)
    this.#onClose(fault)
  }
  #take(octets: Uint8Array): void {
    if (this.#closed !== undefined) return
    const now = this.#scheduler.now()
    this.#heardAt = now
    this.#tokens = Math.min(this.#limits.burst, this.#tokens + ((now - this.#filledAt) * this.#limits.perSecond) / 1000)
    this.#filledAt = now
    if (this.#tokens < 1) return this.fail('CHANNEL_FLOOD')
    this.#tokens--
    const m = this.#codec.decode(octets)
    if (!m.ok) return this.#violated(m.fault)
    if (this.#onMessage === undefined) this.#early.push(m.value)
    else this.#onMessage(m.value)
  }
  #watch(): void {
    const due = this.#heardAt + this.#limits.silentMs
    this.#cancelWatch = this.#scheduler.at(instant(due), () => {
      if (this.#scheduler.now() < this.#heardAt + this.#limits.silentMs) this.#watch()
      else this.#violated(makeFault('CHANNEL_SILENT', `for ${this.#limits.silentMs / 1000} s`))
    })
  }
}
