/** Phones whose calls go to providers straight from here: both halves of the relay in one process. */
import type { Scheduler } from '../../base/ports.ts'
import { type Fault, ok, type Result } from '../../base/result.ts'
import type { CryptoPort } from '../../crypto/port.ts'
import { type PbxTransport, SourceLimit } from '../../telephony/index.ts'
import { PhoneRelay } from '../handset/sip/phone-relay.ts'
import { type DialPlan, dial, isEmergency } from '../switch.ts'
import { InsideCalls } from './inside-calls.ts'
import { ProviderMedia, type ProviderMediaOptions } from './media.ts'
import { OwnAnswers } from './own-answers.ts'
import { Provider } from './provider.ts'
import { Providers } from './providers.ts'
import { CallWatch, type WatchOptions } from './watch.ts'

export interface ProviderWay {
  readonly domains: readonly string[]
  readonly transport: PbxTransport
}

export interface ProviderUpstreamOptions {
  readonly ways: readonly ProviderWay[]
  readonly tokenKey: Uint8Array
  readonly media: Pick<ProviderMediaOptions, 'command'>
  readonly scheduler: Scheduler
  readonly crypto: CryptoPort
  readonly dialPlan: DialPlan
  readonly report: (fault: Fault, about: string) => void
  /** Why no other call may begin now. */
  readonly refusesCalls: ConstructorParameters<typeof OwnAnswers>[0]['refusal']
  readonly onCall: WatchOptions['onCall']
  readonly onCallPhone: NonNullable<WatchOptions['onPhone']>
  readonly onCallNews: WatchOptions['onNews']
  /** A key of its phone's that came in its signalling. */
  readonly onCallDigit: (call: number, digit: string) => void
  /** Agreements on keys may use messages inside the signalling of calls. */
  readonly speaksInside: boolean
  /** What phones are told about a call that stands, where no kind of call says it. */
  readonly announce?: NonNullable<ProviderMediaOptions['announce']>
}

/** Refusals of one kind that are told. */
const REPORTS = { perSecond: 0.2, burst: 5 }

export class ProviderUpstream {
  readonly relay: PhoneRelay
  readonly #media: ProviderMedia
  readonly #providers: Providers
  readonly #inside: InsideCalls | undefined
  readonly #own: OwnAnswers

  constructor(o: ProviderUpstreamOptions) {
    const { media, scheduler, crypto, dialPlan } = o
    const emergency = (number: string): boolean => isEmergency(dialPlan, number)
    const watch = new CallWatch({ isEmergency: emergency, onCall: o.onCall, onPhone: o.onCallPhone, onNews: o.onCallNews })
    this.#own = new OwnAnswers({ isEmergency: emergency, refusal: o.refusesCalls, callsOf: (id) => watch.callsOf(id), knows: (request) => this.relay.knows(request), onDigit: o.onCallDigit })
    this.#inside = o.speaksInside ? new InsideCalls({ random: crypto, onNews: o.onCallNews }) : undefined
    this.#media = new ProviderMedia({
      command: (c) => media.command(c), onDescribed: watch.onDescribed, ...(o.announce === undefined ? {} : { announce: o.announce }),
      onRefused: (call, { code }) => code === 'RELAY_FAX' && o.onCallNews(call, { kind: 'fax' }),
      onClosed: (call) => {
        watch.onClosed(call)
        this.#inside?.closed(call)
        this.#own.keys.closed(call)
      },
    })
    const told = new SourceLimit(REPORTS.perSecond, REPORTS.burst)
    const report = (fault: Fault, about: string): void => void (told.admit(fault.code, scheduler.now()) && o.report(fault, about))
    const all = o.ways.map(({ domains, transport }) => {
      const provider: Provider = new Provider({
        transport, scheduler, crypto, tokenKey: o.tokenKey, isEmergency: emergency, media: this.#media.providerSide, report,
        send: (m) => {
          const refused = this.#own.toProvider(m)
          if (refused !== undefined) provider.receive(refused)
          const mine = refused === undefined ? this.#providers.from(provider, m) : undefined
          if (mine !== undefined) this.relay.receive(mine)
          return ok(undefined)
        },
      })
      return { domains, provider }
    })
    this.#providers = new Providers(all, watch.passing, this.#inside)
    this.relay = new PhoneRelay({
      scheduler, crypto, report, media: this.#media.phoneSide, isEmergency: emergency,
      isLocal: (number) => dial(dialPlan, number).kind === 'target', up: () => this.#providers.up, send: (m) => this.#fromPhones(m),
    })
  }

  #fromPhones(m: Parameters<Providers['send']>[0]): Result<void> {
    const answer = this.#own.toPhone(m)
    if (answer === undefined) return this.#providers.send(m)
    this.relay.receive(answer)
    return ok(undefined)
  }
  /** What may pass in this call now. */
  gate(call: number, sealed: Parameters<OwnAnswers['keys']['gate']>[1]): void {
    this.#own.keys.gate(call, sealed)
  }

  onUp(): void {}
  /** Calls through a provider need no server. */
  onDown(): void {}
  onMessage(): void {}
  inCall(call: number, what: 'probe' | Uint8Array): void {
    if (what === 'probe') this.#inside?.probe(call)
    else this.#inside?.send(call, what)
  }
  onMedia(e: Parameters<ProviderMedia['onMedia']>[0]): void {
    this.#media.onMedia(e)
  }
  close(): void {
    this.relay.down('the telephone service ends')
    this.#providers.close()
    this.relay.close()
  }
}
