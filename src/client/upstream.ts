/** The downstream half of the SIP relay on the client's channel: phones on one side, the server's PBX on the other. */
import type { Scheduler } from '../base/ports.ts'
import { err, type Fault, type Result } from '../base/result.ts'
import type { CryptoPort } from '../crypto/port.ts'
import type { MediaEvent } from '../media/api.ts'
import { SIP_CONTACTS_LIMIT } from '../protocol/wire/limits.ts'
import type { ClientMessage, ServerMessage } from '../protocol/wire/messages.ts'
import { SourceLimit } from '../telephony/source-limit.ts'
import type { TunnelMessage } from '../telephony/relay/index.ts'
import { PhoneRelay, type PhoneRelayOptions } from './handset/sip/phone-relay.ts'
import type { MediaThread } from './options.ts'
import { type Announce, ClientRelayMedia } from './relay-media.ts'
import { type DialPlan, dial, isEmergency } from './switch.ts'

export interface UpstreamOptions {
  readonly media: MediaThread
  readonly hop: number
  readonly scheduler: Scheduler
  readonly crypto: CryptoPort
  readonly dialPlan: DialPlan
  readonly send: (m: ClientMessage) => Result<void>
  /** When anything came from the server last. */
  readonly heardAt?: NonNullable<PhoneRelayOptions['heardAt']>
  /** What phones are told about a call that stands. */
  readonly announce?: Announce
  readonly report: (fault: Fault, about: string) => void
}

/** Refusals of one kind that are told. */
const REPORTS = { perSecond: 0.2, burst: 5 }
/** Below what the server takes (docs/protocol/channel.md §1.6), so that a phone gone mad does not cost the connection. */
const RATE = { perSecond: 100, burst: 300 }

export class Upstream {
  readonly relay: PhoneRelay
  readonly #o: UpstreamOptions
  readonly #media: ClientRelayMedia
  readonly #limit = new SourceLimit(RATE.perSecond, RATE.burst)
  #up = false

  constructor(options: UpstreamOptions) {
    this.#o = options
    const { media, hop, scheduler, crypto, dialPlan, report } = options
    this.#media = new ClientRelayMedia((c) => media.command(c), hop, options.announce)
    const told = new SourceLimit(REPORTS.perSecond, REPORTS.burst)
    this.relay = new PhoneRelay({
      scheduler, crypto, report: (fault, about) => void (told.admit(fault.code, scheduler.now()) && report(fault, about)), media: this.#media,
      isLocal: (number) => dial(dialPlan, number).kind === 'target', isEmergency: (number) => isEmergency(dialPlan, number),
      up: () => this.#up, ...(options.heardAt === undefined ? {} : { heardAt: options.heardAt }), send: (m) => this.#send(m),
    })
  }

  /** The server is there; without a PBX behind it phones hear 503. */
  onUp(capabilities: readonly string[]): void {
    this.#up = capabilities.includes('sip')
    const contacts = this.relay.registered.slice(-SIP_CONTACTS_LIMIT)
    if (this.#up && contacts.length > 0) this.#o.send({ k: 'sip-contacts', contacts })
  }
  onDown(reason: string): void {
    this.#up = false
    this.relay.down(reason)
  }
  onMessage(m: ServerMessage): void {
    switch (m.k) {
      case 'sip-request':
      case 'sip-response':
      case 'sip-refused':
      case 'sip-cancel':
      case 'sip-ack':
        return this.relay.receive(m)
      case 'sip-gone':
        return this.relay.endCalls(m.reason)
    }
  }
  inCall(): void {}
  gate(): void {}
  onMedia(e: MediaEvent): void {
    this.#media.onMedia(e)
  }

  close(): void {
    this.onDown('the telephone service ends')
    this.relay.close()
  }

  #send(m: TunnelMessage): Result<void> {
    if (!this.#up) return err('CLIENT_NO_CHANNEL')
    return this.#limit.admit('', this.#o.scheduler.now()) ? this.#o.send(m) : err('RELAY_FLOOD')
  }
}
