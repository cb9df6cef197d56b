/** All phones that connect by themselves: whose connection it is, how long a phone may be away, whether it still lives. */
import { instant } from '../../base/brand.ts'
import { toHex } from '../../base/bytes.ts'
import type { Stop } from '../../base/ports.ts'
import { err, type Fault, makeFault, ok, type Result } from '../../base/result.ts'
import { makeAddress, makeReply, sipUri, type SipRequest, tagOf } from '../../protocol/sip/index.ts'
import type { VerifiedPath } from '../../protocol/x509/path.ts'
import type { Incoming, SipFlow, TransactionUser } from '../../telephony/index.ts'
import type { LimitedLog, Log } from '../log.ts'
import { PhoneLine, type PhoneLineOptions } from './line.ts'
import type { Guest, PhonesPort } from './port.ts'

export interface PhonesOptions extends Omit<PhoneLineOptions, 'id' | 'guest' | 'report'> {
  readonly log: Log
  readonly refusals: LimitedLog
  readonly maximum: number
  /** Whether who came in by this path would still be let in. */
  readonly stillGood: (guest: VerifiedPath) => Result<void>
  /** Ends a connection. */
  readonly drop: (flow: SipFlow) => void
}

/** Of one certificate: a phone that comes back before its old connection is known to be dead. */
const CONNECTIONS_EACH = 4
/** A phone that lost its network keeps its calls for so long. */
const AWAY_MS = 10_000
/** While it has calls it is asked whether it lives; without an answer its connection is over 32 s later. */
const ASK_MS = 15_000

export class Phones implements PhonesPort, TransactionUser {
  readonly #o: PhonesOptions
  /** By key. */
  readonly #lines = new Map<string, PhoneLine>()
  readonly #byId = new Map<string, PhoneLine>()
  readonly #byConnection = new Map<number, PhoneLine>()
  /** What is due for a line: its end while it is away, the next question while it is there. */
  readonly #due = new Map<PhoneLine, Stop>()
  readonly #expiry = new Map<PhoneLine, Stop>()

  constructor(options: PhonesOptions) {
    this.#o = options
  }

  /** A connection by a certificate that was verified. */
  connected(verified: VerifiedPath, chain: Guest['peer']['chain'], flow: SipFlow): Result<void> {
    const { keyId } = verified.identity
    const line = this.#lines.get(keyId) ?? this.#open(verified, chain)
    if (line === undefined) return err('CHANNEL_TOO_MANY', `${this.#o.maximum} phones`)
    line.flows.push(flow)
    this.#byConnection.set(flow.connection!, line)
    this.#watch(line)
    if (line.flows.length > CONNECTIONS_EACH) this.#o.drop(line.flows[0]!)
    return ok(undefined)
  }
  lost(flow: SipFlow): void {
    const line = this.#byConnection.get(flow.connection!)
    if (line === undefined) return
    this.#byConnection.delete(flow.connection!)
    const at = line.flows.findIndex((f) => f.connection === flow.connection)
    if (at >= 0) line.flows.splice(at, 1)
    if (line.flows.length === 0) this.#schedule(line, AWAY_MS, () => this.#end(line, 'the phone is gone'))
  }

  who(session: string): Guest | undefined {
    return this.#byId.get(session)?.guest
  }
  recheck(): void {
    for (const line of [...this.#lines.values()]) {
      const good = this.#o.stillGood(line.guest.verified)
      if (!good.ok) this.#refuse(line, good.fault)
    }
  }
  get load(): PhonesPort['load'] {
    return { phones: this.#lines.size, connections: this.#byConnection.size, calls: [...this.#lines.values()].reduce((n, l) => n + l.calls, 0) }
  }
  close(): void {
    for (const line of [...this.#lines.values()]) this.#end(line, 'the server ends')
  }

  request(incoming: Incoming): void {
    const { request, flow } = incoming
    const line = this.#lineOf(flow)
    if (line === undefined) return incoming.respond(makeReply(request, 403, { tag: this.#tag() }))
    // To us: is anybody there?
    const asks = request.method === 'OPTIONS' && tagOf(request.to) === '' && request.uri.kind === 'sip' && (request.uri.user ?? '') === ''
    if (asks) incoming.respond(makeReply(request, 200, { tag: this.#tag() }))
    else line.half.request(incoming)
  }
  ack(request: SipRequest, flow: SipFlow): void {
    this.#lineOf(flow)?.half.ack(request, flow)
  }
  stray(): void {}
  failed(incoming: Incoming): void {
    this.#lineOf(incoming.flow)?.half.failed(incoming)
  }
  report(fault: Fault, flow: SipFlow): void {
    this.#o.refusals.warn(fault.code, { remote: flow.remote.address }, fault.message)
  }

  #lineOf(flow: SipFlow): PhoneLine | undefined {
    return flow.connection === undefined ? undefined : this.#byConnection.get(flow.connection)
  }
  #open(verified: VerifiedPath, chain: Guest['peer']['chain']): PhoneLine | undefined {
    const { crypto, log, refusals, scheduler, maximum } = this.#o
    if (this.#lines.size >= maximum) return undefined
    const { identity, validUntil } = verified
    const who = { key: identity.keyId.slice(0, 16), phone: identity.subject }
    const line = new PhoneLine({
      ...this.#o, id: `phone-${toHex(crypto.bytes(16))}`, guest: { keyId: identity.keyId, peer: { identity, chain }, verified },
      report: (fault, about) => refusals.warn(fault.code, { ...who, about }, fault.message),
    })
    this.#lines.set(identity.keyId, line)
    this.#byId.set(line.id, line)
    this.#expiry.set(line, scheduler.at(instant(scheduler.now() + Math.max(0, validUntil - scheduler.unix()) * 1000 + 1000), () => this.#refuse(line, makeFault('IDENTITY_EXPIRED', identity.subject))))
    log.info(who, 'a phone connected')
    return line
  }
  #refuse(line: PhoneLine, fault: Fault): void {
    this.#o.refusals.warn(fault.code, { key: line.guest.keyId.slice(0, 16) }, fault.message)
    this.#end(line, fault.message)
  }
  #end(line: PhoneLine, reason: string): void {
    this.#due.get(line)?.()
    this.#due.delete(line)
    this.#expiry.get(line)?.()
    this.#expiry.delete(line)
    this.#lines.delete(line.guest.keyId)
    this.#byId.delete(line.id)
    line.close(reason)
    for (const flow of [...line.flows]) {
      this.#byConnection.delete(flow.connection!)
      this.#o.drop(flow)
    }
    this.#o.log.info({ key: line.guest.keyId.slice(0, 16) }, `a phone is gone: ${reason}`)
  }

  #schedule(line: PhoneLine, ms: number, run: () => void): void {
    const { scheduler } = this.#o
    this.#due.get(line)?.()
    this.#due.set(line, scheduler.at(instant(scheduler.now() + ms), run))
  }
  #watch(line: PhoneLine): void {
    this.#schedule(line, ASK_MS, () => {
      if (line.calls > 0) for (const flow of line.flows) this.#ask(flow)
      this.#watch(line)
    })
  }
  /** Whatever it answers, it lives. */
  #ask(flow: SipFlow): void {
    const { crypto, endpoint, hostFor, drop } = this.#o
    const { address, port } = flow.remote
    const params = [{ name: 'transport', value: 'tls' }]
    const us = sipUri({ scheme: 'sip', host: hostFor(flow), port: flow.local.port, params })
    const phone = sipUri({ scheme: 'sip', host: address.includes(':') ? `[${address}]` : address, port, params })
    endpoint().request({
      kind: 'request', method: 'OPTIONS', uri: phone, via: [], from: makeAddress(us, [{ name: 'tag', value: this.#tag() }]), to: makeAddress(phone), callId: toHex(crypto.bytes(16)),
      cseq: { number: 1, method: 'OPTIONS' }, maxForwards: 70, headers: [], body: new Uint8Array(0),
    }, flow, { response: () => {}, failed: () => drop(flow) })
  }
  #tag(): string {
    return toHex(this.#o.crypto.bytes(8))
  }
}
