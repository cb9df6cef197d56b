/** Where phones go on to from a client: a PBX behind its server, or providers. */
import type { Scheduler } from '../base/ports.ts'
import type { Fault, Result } from '../base/result.ts'
import type { CryptoPort } from '../crypto/port.ts'
import type { MediaEvent } from '../media/api.ts'
import type { ClientMessage, ServerMessage } from '../protocol/wire/messages.ts'
import type { DialogNews } from './call.ts'
import type { ClientOptions, MediaThread } from './options.ts'
import { ProviderUpstream, type ProviderWay } from './provider/upstream.ts'
import type { WatchedCall } from './provider/watch.ts'
import { announcer } from './speech/announcer.ts'
import type { DialPlan } from './switch.ts'
import { Upstream } from './upstream.ts'

export interface PhoneUpstream {
  readonly relay: Upstream['relay']
  /** The server is there, or gone. */
  onUp(capabilities: readonly string[]): void
  onDown(reason: string): void
  onMessage(m: ServerMessage): void
  onMedia(e: MediaEvent): void
  /** Inside a call through a provider, beside what its phone says: a question whether the other side understands, or a message to it. */
  inCall(call: number, what: 'probe' | Uint8Array): void
  close(): void
}

export interface UpstreamChoice {
  readonly report: (fault: Fault, about: string) => void
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
  /** A call through a provider begins, and what its signalling says. */
  readonly onCall: (call: WatchedCall) => void
  readonly onCallNews: (call: number, news: DialogNews) => void
}

export function openUpstream(choice: UpstreamChoice, w: UpstreamWorld): PhoneUpstream {
  const { report, providers } = choice
  const announce = providers !== undefined && w.sealsCalls ? undefined : announcer(w.voice, providers === undefined ? 'bridged' : 'open', (c) => w.media.command(c))
  const told = announce === undefined ? {} : { announce }
  if (providers === undefined) return new Upstream({ ...w, ...told, report })
  return new ProviderUpstream({ ...w, ...providers, ...told, report })
}
