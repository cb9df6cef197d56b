/** The upstream half of the relay in this process: one SIP server of a provider, reached with the phones' own accounts. */
import type { Scheduler } from '../../base/ports.ts'
import type { Fault } from '../../base/result.ts'
import type { CryptoPort } from '../../crypto/port.ts'
import { localHostFor, type PbxTransport, SipEndpoint } from '../../telephony/index.ts'
import { type RelayMedia, type TunnelMessage, type TunnelSend, type UpstreamHalf, UpstreamRelay } from '../../telephony/relay/index.ts'

export interface ProviderOptions {
  readonly transport: PbxTransport
  readonly scheduler: Scheduler
  readonly crypto: Pick<CryptoPort, 'bytes' | 'hmac'>
  /** The same after a restart: the provider remembers our contacts. */
  readonly tokenKey: Uint8Array
  readonly isEmergency: (number: string) => boolean
  readonly media: RelayMedia
  /** To the phones' half. */
  readonly send: TunnelSend
  readonly report: (fault: Fault, about: string) => void
}

export class Provider {
  readonly #transport: PbxTransport
  readonly #endpoint: SipEndpoint
  readonly #half: UpstreamHalf

  constructor(o: ProviderOptions) {
    this.#transport = o.transport
    const relay: UpstreamRelay = new UpstreamRelay({
      endpoint: () => this.#endpoint, way: (within) => o.transport.way(within), hostFor: localHostFor, mediaAddress: undefined,
      scheduler: o.scheduler, random: o.crypto, isEmergency: o.isEmergency, hmac: (data) => o.crypto.hmac('sha256', o.tokenKey, data), report: o.report,
    })
    this.#endpoint = new SipEndpoint({ transports: [o.transport], scheduler: o.scheduler, random: o.crypto, hostFor: localHostFor, user: relay })
    o.transport.roam?.({ busy: () => relay.busy, moved: () => relay.moved() })
    // All phones of a client are one user of the provider's machines, whatever their accounts.
    this.#half = relay.open({ client: 'phones', send: o.send, media: o.media })
  }

  /** False: there is no way to it now. */
  get up(): boolean {
    return this.#transport.way() !== undefined
  }
  receive(m: TunnelMessage): void {
    this.#half.receive(m)
  }
  close(): void {
    this.#half.close()
    this.#endpoint.close()
  }
  get load(): UpstreamHalf['load'] {
    return this.#half.load
  }
}
