/** Where phones go on to from a client: a PBX behind its server, or providers. */
import type { Scheduler } from '../base/ports.ts'
import { type Fault, makeFault, type Result } from '../base/result.ts'
import type { CryptoPort } from '../crypto/port.ts'
import type { MediaEvent, SealedMedia } from '../media/api.ts'
import type { ClientMessage, ServerMessage } from '../protocol/wire/messages.ts'
import type { ClientOptions, MediaThread } from './options.ts'
import { type LineAccount, OwnLine } from './own-line.ts'
import { ProviderUpstream, type ProviderUpstreamOptions, type ProviderWay } from './provider/upstream.ts'
import type { PhoneOfCall, WatchedCall, WatchOptions } from './provider/watch.ts'
import { announcer } from './speech/announcer.ts'
import { type DialPlan, isEmergency } from './switch.ts'
import { Upstream, type UpstreamOptions } from './upstream.ts'

export type { PhoneOfCall, WatchedCall }

/** Nothing of either side is heard, of whatever payload type. */
export const SHUT: SealedMedia = { session: 0, codec: 'pcmu', payloadType: 0, sealed: true, up: 'silence', down: 'silence', fillUp: false }

export interface PhoneUpstream {
  readonly relay: Upstream['relay']
  /** The page's own phone, with an account there. */
  readonly line?: OwnLine
  /** The server is there, or gone. */
  onUp(capabilities: readonly string[]): void
  onDown(reason: string): void
  onMessage(m: ServerMessage): void
  onMedia(e: MediaEvent): void
  /** Inside a call through a provider, beside what its phone says: a question whether the other side understands, or a message to it. */
  inCall(call: number, what: 'probe' | Uint8Array): void
  /** What may pass in a call through a provider now: its signalling says no more than its sound. */
  gate(call: number, sealed: SealedMedia | undefined): void
  close(): void
}

export interface UpstreamChoice {
  readonly report: (fault: Fault, about: string) => void
  /** Of the page's own phone. */
  readonly account?: LineAccount
  /** Left out: the PBX behind the server. */
  readonly providers?: { readonly ways: readonly ProviderWay[]; readonly tokenKey: Uint8Array; readonly speaksInside: boolean }
}

export interface UpstreamWorld {
  readonly media: MediaThread
  readonly scheduler: Scheduler
  readonly crypto: CryptoPort
  readonly dialPlan: DialPlan
  readonly hop: number
  /** Says the label of a call when it stands; a call through a provider that is to be sealed says it itself. */
  readonly voice?: NonNullable<ClientOptions['voice']>
  readonly sealsCalls: boolean
  readonly send: (m: ClientMessage) => Result<void>
  /** When anything came from the server last. */
  readonly heardAt: NonNullable<UpstreamOptions['heardAt']>
  /** Why no other call through a provider may begin now. */
  readonly refusesCalls: ProviderUpstreamOptions['refusesCalls']
  /** A call through a provider begins, where its phone is, and what its signalling says. */
  readonly onCall: (call: WatchedCall) => void
  readonly onCallPhone: NonNullable<WatchOptions['onPhone']>
  readonly onCallNews: WatchOptions['onNews']
  /** A key of its phone's that came in its signalling. */
  readonly onCallDigit: (call: number, digit: string) => void
}

export function openUpstream(choice: UpstreamChoice, w: UpstreamWorld): PhoneUpstream {
  const { report, providers, account } = choice
  const announce = providers !== undefined && w.sealsCalls ? undefined : announcer(w.voice, providers === undefined ? 'bridged' : 'open', (c) => w.media.command(c))
  const told = announce === undefined ? {} : { announce }
  const way = providers === undefined ? new Upstream({ ...w, ...told, report }) : new ProviderUpstream({ ...w, ...providers, ...told, report })
  if (account === undefined) return way
  const { scheduler, crypto, dialPlan } = w
  const line = new OwnLine({
    account, relay: way.relay, kind: providers === undefined ? 'bridged' : 'open', scheduler, crypto, media: (c) => w.media.command(c), isEmergency: (number) => isEmergency(dialPlan, number),
  })
  // A provider is there without a server of ours.
  if (providers !== undefined) {
    const { domain } = account
    const own = providers.ways.find((p) => p.domains.includes(domain.toLowerCase())) ?? providers.ways[0]
    own?.transport.watch?.((up) => (up ? line.up() : line.down(makeFault('LINE_NO_SERVICE'))))
    line.up()
  }
  return new WithLine(way, line, providers === undefined)
}

/** An upstream whose relay the page's phone uses too. */
class WithLine implements PhoneUpstream {
  readonly line: OwnLine
  readonly #way: PhoneUpstream
  readonly #throughServer: boolean

  constructor(way: PhoneUpstream, line: OwnLine, throughServer: boolean) {
    this.#way = way
    this.line = line
    this.#throughServer = throughServer
  }
  get relay(): Upstream['relay'] {
    return this.#way.relay
  }
  onUp(capabilities: readonly string[]): void {
    this.#way.onUp(capabilities)
    if (this.#throughServer) this.line.up()
  }
  onDown(reason: string): void {
    this.#way.onDown(reason)
    if (this.#throughServer) this.line.down()
  }
  onMessage(m: ServerMessage): void {
    this.#way.onMessage(m)
  }
  onMedia(e: MediaEvent): void {
    this.#way.onMedia(e)
    this.line.onMedia(e)
  }
  inCall(call: number, what: 'probe' | Uint8Array): void {
    this.#way.inCall(call, what)
  }
  gate(call: number, sealed: SealedMedia | undefined): void {
    this.#way.gate(call, sealed)
  }
  close(): void {
    this.#way.close()
    this.line.close()
  }
}
