/** One phone by its certificate: both halves of the relay, back to back in this process, and its connections. */
import { instant } from '../../base/brand.ts'
import type { Scheduler, Stop } from '../../base/ports.ts'
import { type Fault, makeFault, ok } from '../../base/result.ts'
import type { CryptoPort } from '../../crypto/port.ts'
import type { VerifiedPath } from '../../protocol/x509/path.ts'
import type { SipEndpoint, SipFlow } from '../../telephony/index.ts'
import { Downstream, type KeyRules, RelayHalf, type TunnelMessage, type UpstreamHalf } from '../../telephony/relay/index.ts'
import type { SipRelay } from '../sip/index.ts'
import { phoneMedia, type PhoneMediaOptions } from './media.ts'
import { mayUse, namesIn, type Owners } from './names.ts'
import type { Guest } from './port.ts'

export interface PhoneLineOptions extends PhoneMediaOptions {
  /** Of its legs, for the roster. */
  readonly id: string
  readonly guest: Guest & { readonly verified: VerifiedPath }
  readonly scheduler: Scheduler
  readonly crypto: Pick<CryptoPort, 'bytes' | 'hmac'>
  readonly relay: Pick<SipRelay, 'openPhone'>
  readonly endpoint: () => SipEndpoint
  readonly hostFor: (flow: SipFlow) => string
  readonly boundFor: (flow: SipFlow) => string
  readonly isEmergency: (number: string) => boolean
  readonly owners: Owners
  readonly keys: KeyRules
  readonly report: (fault: Fault, about: string) => void
}

export class PhoneLine {
  readonly id: string
  readonly guest: PhoneLineOptions['guest']
  readonly half: RelayHalf
  /** Oldest first. */
  readonly flows: SipFlow[] = []
  readonly #upper: UpstreamHalf
  readonly #scheduler: Scheduler
  /** What the halves have to say to each other, in order. */
  readonly #waiting: (() => void)[] = []
  #closed = false
  #stopDelivery: Stop = () => {}

  constructor(o: PhoneLineOptions) {
    const { id, guest, scheduler, crypto, relay, report } = o
    this.id = id
    this.guest = guest
    this.#scheduler = scheduler
    const media = phoneMedia(o)
    const tokens = crypto.bytes(32)
    const side = new Downstream({
      now: () => scheduler.now(), hmac: (data) => crypto.hmac('sha256', tokens, data), hostFor: o.hostFor, boundFor: o.boundFor, isEmergency: o.isEmergency, keys: () => o.keys, nat: true, current: (flow) => this.flows.find((f) => f.connection === flow.connection) ?? this.flows.at(-1) ?? flow,
      refuses: (request) => (namesIn(request).every((name) => mayUse(guest.verified, o.owners, name)) ? undefined : { status: 403, fault: makeFault('RELAY_NOT_YOURS', namesIn(request).at(-1)!.slice(0, 64)) }),
      onRegistered: () => {},
    })
    this.half = new RelayHalf({ endpoint: o.endpoint, side, send: (m) => this.#say(() => this.#upper.receive(m)), media: media.towardsPhone, scheduler, random: crypto, report })
    // A client with the same certificate is another line.
    this.#upper = relay.openPhone({ client: `phone ${guest.keyId}`, session: id, ended: (reason) => this.#say(() => this.half.down(reason)), send: (m: TunnelMessage) => this.#say(() => this.half.receive(m)), media: media.towardsPbx, report })
  }

  /** The phone is gone: its calls end at the PBX, and what it still hears of them is said. */
  close(reason: string): void {
    if (this.#closed) return
    this.#closed = true
    this.#stopDelivery()
    this.half.down(reason)
    this.#upper.close()
    this.half.close()
  }
  get calls(): number {
    return this.half.load.dialogs
  }

  /** Never inside the call of the one that speaks. */
  #say(run: () => void): ReturnType<typeof ok<void>> {
    this.#waiting.push(run)
    if (this.#waiting.length === 1) this.#stopDelivery = this.#scheduler.at(instant(this.#scheduler.now()), () => this.#deliver())
    return ok(undefined)
  }
  #deliver(): void {
    const now = [...this.#waiting]
    this.#waiting.length = 0
    for (const run of now) if (!this.#closed) run()
  }
}
