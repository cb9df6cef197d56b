/** What phones and we say to each other, kept for whoever looks for a fault: the newest messages, without secrets. */
import type { Clock } from '../base/ports.ts'
import { redactSip } from '../protocol/sip/redact.ts'
import type { AddressPort } from '../net/address.ts'
import type { SipTransport, TransportName } from './transport.ts'

export interface TracedMessage {
  /** Unix time, ms. */
  readonly at: number
  readonly direction: 'in' | 'out'
  readonly transport: TransportName
  readonly local: AddressPort
  readonly remote: AddressPort
  readonly callId: string
  /** Its first line. */
  readonly start: string
  readonly text: string
}

const MESSAGES_KEPT = 500
const OCTETS_KEPT = 1 << 20

export class SipTrace {
  readonly #clock: Clock
  /** Unix time, ms, at instant 0. */
  readonly #zero: number
  #messages: TracedMessage[] = []
  #octets = 0

  constructor(clock: Clock) {
    this.#clock = clock
    this.#zero = clock.unix() * 1000 - clock.now()
  }
  get messages(): readonly TracedMessage[] {
    return this.#messages
  }

  /** The same transport; what passes is noted. */
  watch(transport: SipTransport): SipTransport {
    const { name, local } = transport
    return {
      name, local,
      listen: (listener) => transport.listen({
        message: (data, flow) => {
          this.#note('in', name, flow.local, flow.remote, data)
          listener.message(data, flow)
        },
        lost: (flow) => listener.lost(flow),
      }),
      send: (data, flow) => {
        this.#note('out', name, flow.local, flow.remote, data)
        return transport.send(data, flow)
      },
      close: () => transport.close(),
    }
  }

  #note(direction: 'in' | 'out', transport: TransportName, local: AddressPort, remote: AddressPort, data: Uint8Array): void {
    const text = redactSip(data)
    const callId = /^(?:call-id|i)\s*:\s*(\S+)/im.exec(text)?.[1] ?? ''
    this.#messages.push({ at: Math.round(this.#zero + this.#clock.now()), direction, transport, local, remote, callId, start: text.split('\n', 1)[0]!, text })
    this.#octets += text.length
    while (this.#messages.length > MESSAGES_KEPT || this.#octets > OCTETS_KEPT) this.#octets -= this.#messages.shift()!.text.length
  }
}
