/** What a phone has to say to others than us: it goes on to the PBX or provider through the relay. */
import { instant } from '../../../base/brand.ts'
import { type SipRequest, tagOf, unescapeUri } from '../../../protocol/sip/index.ts'
import type { Incoming, SipEndpoint, SipFlow } from '../../../telephony/index.ts'
import { Downstream, RelayHalf, type RelayMedia, type TunnelMessage, type TunnelSend } from '../../../telephony/relay/index.ts'
import type { ResolvedSettings } from './options.ts'

/** Where everything goes that is not for a room of ours. */
export interface PhoneUpstream {
  /** The dial plan keeps this number here. */
  readonly isLocal: (number: string) => boolean
  /** False: the other half cannot be reached, and nothing is sent. */
  readonly up: () => boolean
  readonly send: TunnelSend
  readonly media: RelayMedia
  /** Called once, with the end that takes what the other half says. */
  readonly attach: (end: UpstreamEnd) => void
}

export interface UpstreamEnd {
  receive(m: TunnelMessage): void
  /** The other half is gone: calls through it end. */
  down(reason: string): void
  /** Phones that the PBX knows. */
  registered(): readonly string[]
}

export interface PhoneRelayOptions {
  readonly settings: ResolvedSettings
  readonly upstream: PhoneUpstream
  readonly endpoint: () => SipEndpoint
  readonly hostFor: (flow: SipFlow) => string
  readonly onRegistered: (request: SipRequest, flow: SipFlow) => void
}

export class PhoneRelay {
  readonly #o: PhoneRelayOptions
  readonly #side: Downstream
  readonly #half: RelayHalf

  constructor(options: PhoneRelayOptions) {
    this.#o = options
    const { settings, upstream, endpoint, hostFor } = options
    const { scheduler, crypto } = settings
    const key = crypto.bytes(32)
    this.#side = new Downstream({
      now: () => instant(scheduler.now()), hmac: (data) => crypto.hmac('sha256', key, data), hostFor, isEmergency: settings.isEmergency,
      onRegistered: (request, _response, flow) => options.onRegistered(request, flow),
    })
    const nobody = { address: settings.line, port: 0 }
    this.#half = new RelayHalf({
      endpoint, side: this.#side, send: upstream.send, media: upstream.media, scheduler, random: crypto,
      report: (fault) => settings.report(fault, nobody),
    })
    upstream.attach({ receive: (m) => this.#half.receive(m), down: (reason) => this.#half.down(reason), registered: () => this.#side.registered })
  }

  /** Not for us. `own`: the request is inside a call of the handset's own. */
  takes(incoming: Incoming, own: boolean): boolean {
    const { request } = incoming
    if (request.method === 'CANCEL') return incoming.cancels !== undefined && this.#half.owns(incoming.cancels)
    if (tagOf(request.to) !== '') return !own
    if (this.#side.isToken(request.uri)) return true
    const { uri } = request
    const user = uri.kind === 'sip' ? (unescapeUri(uri.user ?? '') ?? '') : uri.text
    // Without a way there is no help here: the phone hears it at once and tries its second server.
    if (this.#side.isEmergency(request)) return this.#o.upstream.up()
    if (request.method === 'REGISTER') return true
    return user !== '' && !(request.method === 'INVITE' && this.#o.upstream.isLocal(user))
  }
  request(incoming: Incoming): void {
    this.#half.request(incoming)
  }
  ack(request: SipRequest, flow: SipFlow): void {
    this.#half.ack(request, flow)
  }
  failed(incoming: Incoming): void {
    this.#half.failed(incoming)
  }
  close(): void {
    this.#half.down('the telephone service ends')
    this.#half.close()
  }
  get load(): RelayHalf['load'] {
    return this.#half.load
  }
}
