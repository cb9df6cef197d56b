/** Calling people and being called: whoever is asked into a room by somebody whose certificate our vault verified. */
import type { Instant } from '../base/brand.ts'
import { toHex } from '../base/bytes.ts'
import type { Scheduler } from '../base/ports.ts'
import { type Fault, makeFault, type Result, err, ok } from '../base/result.ts'
import type { FaultCode } from '../base/faults/index.ts'
import type { CryptoPort } from '../crypto/port.ts'
import type { Identity } from '../model/identity.ts'
import { RING_ID, RING_TO, type RingEnd, ringTo } from '../model/ring.ts'
import type { ClientMessage, ServerMessage } from '../protocol/wire/messages.ts'
import { RING_CAPABILITY } from '../protocol/wire/ring-messages.ts'
import type { Vault } from '../vault/api/calls.ts'

export interface IncomingRing {
  readonly id: string
  readonly room: string
  /** Verified by our vault. */
  readonly identity: Identity
  readonly at: Instant
}

export interface OutgoingRing {
  readonly id: string
  readonly room: string
  /** As `RING_TO`. */
  readonly to: string
  readonly state: 'sent' | 'ringing'
}

export type RingNews =
  | { readonly kind: 'incoming'; readonly ring: IncomingRing }
  /** It does not ring any more here; `answered`, `declined`: here or at another place of ours. */
  | { readonly kind: 'over'; readonly ring: IncomingRing; readonly reason: RingEnd }
  | { readonly kind: 'outgoing'; readonly ring: OutgoingRing }
  /** `fault`: unless it was answered, or we gave up. */
  | { readonly kind: 'done'; readonly ring: OutgoingRing; readonly reason: RingEnd; readonly fault?: Fault }

export interface RingsOptions {
  readonly vault: Pick<Vault, 'call'>
  readonly crypto: Pick<CryptoPort, 'bytes'>
  readonly scheduler: Scheduler
  readonly send: (m: ClientMessage) => Result<void>
  readonly tell: (news: RingNews) => void
  /** Keys whose rings nobody wants to hear: they ring in vain, and are not told. */
  readonly blocked: (keyId: string) => boolean
  /** What came and was not believed. */
  readonly report: (fault: Fault) => void
}

/** That ring here at one time, those that are still being verified among them. */
const INCOMING_LIMIT = 4
const OUTGOING_LIMIT = 4
const WHY: Readonly<Partial<Record<RingEnd, FaultCode>>> = { declined: 'RING_DECLINED', busy: 'RING_BUSY', unanswered: 'RING_UNANSWERED', unreachable: 'RING_UNREACHABLE' }

export class Rings {
  readonly #o: RingsOptions
  /** Undefined while the vault looks at it. */
  readonly #incoming = new Map<string, IncomingRing | undefined>()
  readonly #outgoing = new Map<string, OutgoingRing>()
  /** The server passes rings on. */
  #able = false

  constructor(options: RingsOptions) {
    this.#o = options
  }
  get incoming(): readonly IncomingRing[] {
    return [...this.#incoming.values()].filter((r) => r !== undefined)
  }
  get outgoing(): readonly OutgoingRing[] {
    return [...this.#outgoing.values()]
  }

  /** Asks somebody into a room that we are in, or on the way to. */
  async call(address: string, room: string): Promise<Result<{ readonly id: string }>> {
    const to = ringTo(address)
    if (!RING_TO.test(to)) return err('RING_ADDRESS', to.slice(0, 64))
    if (!this.#able) return err('RING_NO_SERVER')
    if (this.#outgoing.size >= OUTGOING_LIMIT) return err('RING_RATE')
    const id = toHex(this.#o.crypto.bytes(RING_ID))
    const ring: OutgoingRing = { id, room, to, state: 'sent' }
    this.#outgoing.set(id, ring)
    this.#o.tell({ kind: 'outgoing', ring })
    const signed = await this.#o.vault.call('ring.sign', { id, room, to })
    // Given up in the meantime.
    if (!this.#outgoing.has(id)) return ok({ id })
    const sent = signed.ok ? this.#o.send({ k: 'ring', id, to, ring: signed.value.ring, chain: [...signed.value.chain] }) : signed
    if (sent.ok) return ok({ id })
    this.#done(id, 'cancelled')
    return sent
  }
  /** We give up; all, or those into this room. */
  cancel(room?: string): void {
    for (const r of this.outgoing) {
      if (room !== undefined && r.room !== room) continue
      this.#o.send({ k: 'ring-end', id: r.id, reason: 'cancelled' })
      this.#done(r.id, 'cancelled')
    }
  }
  /** The room to go to. */
  answer(id: string): Result<IncomingRing> {
    return this.#close(id, 'answered')
  }
  refuse(id: string): Result<IncomingRing> {
    return this.#close(id, 'declined')
  }
  #close(id: string, reason: 'answered' | 'declined'): Result<IncomingRing> {
    const ring = this.#incoming.get(id)
    if (ring === undefined) return err('RING_OVER')
    this.#o.send({ k: 'ring-end', id, reason })
    this.#over(id, reason)
    return ok(ring)
  }

  onMessage(m: ServerMessage): void {
    if (m.k === 'ring') void this.#came(m)
    else if (m.k === 'ring-rings') this.#rings(m.id)
    else if (m.k === 'ring-end') {
      if (this.#outgoing.has(m.id)) this.#done(m.id, m.reason)
      else this.#over(m.id, m.reason)
    }
  }
  onUp(capabilities: readonly string[]): void {
    this.#able = capabilities.includes(RING_CAPABILITY)
  }
  /** The connection is gone, and with it all that rings. */
  onDown(): void {
    this.#able = false
    for (const r of this.outgoing) this.#done(r.id, 'unreachable')
    for (const id of [...this.#incoming.keys()]) this.#over(id, 'cancelled')
  }

  async #came({ id, ring, chain }: Extract<ServerMessage, { k: 'ring' }>): Promise<void> {
    if (this.#incoming.has(id)) return
    if (this.#incoming.size >= INCOMING_LIMIT) return void this.#o.send({ k: 'ring-end', id, reason: 'busy' })
    this.#incoming.set(id, undefined)
    const read = await this.#o.vault.call('ring.read', { ring, chain })
    // Given up in the meantime.
    if (!this.#incoming.has(id)) return
    if (!read.ok || read.value.id !== id) {
      this.#incoming.delete(id)
      this.#o.report(read.ok ? makeFault('RING_MALFORMED', 'under another number') : read.fault)
      return void this.#o.send({ k: 'ring-end', id, reason: 'busy' })
    }
    const { room, identity } = read.value
    if (this.#o.blocked(identity.keyId)) return void this.#incoming.delete(id)
    const incoming: IncomingRing = { id, room, identity, at: this.#o.scheduler.now() }
    this.#incoming.set(id, incoming)
    this.#o.tell({ kind: 'incoming', ring: incoming })
  }
  #rings(id: string): void {
    const ring = this.#outgoing.get(id)
    if (ring === undefined) return
    const ringing: OutgoingRing = { ...ring, state: 'ringing' }
    this.#outgoing.set(id, ringing)
    this.#o.tell({ kind: 'outgoing', ring: ringing })
  }
  #done(id: string, reason: RingEnd): void {
    const ring = this.#outgoing.get(id)
    if (!this.#outgoing.delete(id) || ring === undefined) return
    const code = WHY[reason]
    this.#o.tell({ kind: 'done', ring, reason, ...(code === undefined ? {} : { fault: makeFault(code, ring.to) }) })
  }
  #over(id: string, reason: RingEnd): void {
    const ring = this.#incoming.get(id)
    if (this.#incoming.delete(id) && ring !== undefined) this.#o.tell({ kind: 'over', ring, reason })
  }
}
