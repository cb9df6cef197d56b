/**
 * One half of the stateful proxy (RFC 3261 §16): transactions end here towards our side, and the other half has its own
 * towards the other. So retransmissions, 100, CANCEL and the ACK of a refusal are per hop; everything that names a call
 * or proves a password (Call-ID, From, To, CSeq, digest) crosses as it is.
 */
import type { Instant } from '../../base/brand.ts'
import { type Fault, makeFault } from '../../base/result.ts'
import { serialise, type SipRequest, type SipResponse } from '../../protocol/sip/index.ts'
import type { Incoming } from '../endpoint.ts'
import type { SipFlow } from '../transport.ts'
import { Asking } from './asking.ts'
import { HalfContext, type HalfOptions } from './context.ts'
import { type RelayedDialog, unwatched } from './dialogs.ts'
import { requestOut } from './rewrite.ts'
import { Serving } from './serving.ts'
import type { TunnelMessage } from './tunnel.ts'
import { watched } from './watched.ts'

export class RelayHalf {
  readonly #c: HalfContext
  readonly #asking: Asking
  readonly #serving: Serving

  constructor(options: HalfOptions) {
    this.#c = new HalfContext(options)
    this.#asking = new Asking(this.#c)
    this.#serving = new Serving(this.#c)
    this.#c.watch = (d) => (d.leg.forHelp ? unwatched : watched(this.#c, d, () => this.#gone(d, makeFault('RELAY_PHONE_GONE'))))
  }
  /** Our side's end of this call is not there any more. */
  #gone(d: RelayedDialog, fault: Fault): void {
    this.#c.o.report(fault, `call of ${d.flow.remote.address}`)
    this.#serving.bye(d, fault.message)
    this.#asking.bye(d.near, d.flow, fault.message)
    this.#c.dialogs.over(d)
  }

  /** Of our side. */
  request(incoming: Incoming): void {
    if (incoming.request.method === 'CANCEL') this.#asking.cancel(incoming)
    else this.#asking.request(incoming)
  }
  /** The ACK of a 2xx is a message of its own, end to end (§13.2.2.4). */
  ack(request: SipRequest, flow: SipFlow): void {
    const known = this.#c.dialogs.find(request)
    if (known === undefined) return
    const out = this.#c.bodies.out(request, known.leg, flow, 'answer')
    if (!out.ok) return this.#c.o.report(out.fault, 'ack')
    this.#c.send({ k: 'sip-ack', message: serialise(requestOut(out.value, this.#c.o.side.rewriter(flow))) })
  }
  /** A response to nothing that is under way. */
  stray(response: SipResponse, flow: SipFlow): void {
    this.#serving.stray(response, flow)
  }
  failed(incoming: Incoming): void {
    this.#asking.failed(incoming)
  }
  /** A request that was given to us and is not answered yet. */
  owns(incoming: Incoming): boolean {
    return this.#asking.owns(incoming)
  }
  /** A call of ours, early or standing. */
  knows(request: SipRequest): boolean {
    return this.#c.dialogs.legOf(request) !== undefined
  }

  /** Of the other half. */
  receive(m: TunnelMessage): void {
    switch (m.k) {
      case 'sip-request': return this.#serving.request(m)
      case 'sip-cancel': return this.#serving.cancel(m)
      case 'sip-ack': return this.#serving.ack(m)
      case 'sip-response': return this.#asking.response(m)
      case 'sip-refused': return this.#asking.refused(m)
    }
  }

  /** The other half is gone, or about to: our side's calls end as a user expects. It may be used again with a new other half. */
  down(reason = makeFault('RELAY_DOWN').message): void {
    this.endCalls(reason)
    this.#serving.restart()
  }
  /** All calls are over, at our side as well; the other half is still there. */
  endCalls(reason: string): void {
    this.#serving.down(reason)
    this.#asking.down()
  }

  /** Nothing of our side's calls reaches us any more, and nothing that we send them: both ends are told. */
  cutOff(fault: Fault): void {
    for (const d of this.#c.dialogs.standing) this.#gone(d, fault)
    this.#asking.cutOff(fault)
  }

  /** Whether any request or call of this name is known here. */
  hasCall(callId: string): boolean {
    return this.#asking.hasCall(callId) || this.#serving.hasCall(callId) || this.#c.dialogs.hasCall(callId)
  }

  /** When the oldest call that stands began. */
  get since(): Instant | undefined {
    return this.#c.dialogs.since
  }
  close(): void {
    this.#c.close()
  }

  /** For tests of leaks, and limits. */
  get load(): { readonly asked: number; readonly served: number; readonly dialogs: number } {
    return { asked: this.#asking.size, served: this.#serving.size, dialogs: this.#c.dialogs.size }
  }
}
