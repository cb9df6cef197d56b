/** The client's end of the control channel. */
import type { Instant } from '../../base/brand.ts'
import type { MessageTransport } from '../../base/message-transport.ts'
import type { Scheduler } from '../../base/ports.ts'
import type { Fault, Result } from '../../base/result.ts'
import { ok } from '../../base/result.ts'
import { decodeServerMessage, encodeClientMessage } from '../../protocol/wire/codec.ts'
import { MESSAGE_LIMIT } from '../../protocol/wire/limits.ts'
import { Link, LINK_LIMITS } from '../../protocol/wire/link.ts'
import type { ClientMessage, ServerMessage } from '../../protocol/wire/messages.ts'
import type { PipeId, Vault } from '../../vault/api/calls.ts'
import { dial, type ServerAddress } from './dial.ts'
import { Watch } from './watch.ts'

export interface ServerChannel {
  /** The vault's TLS connection below it. */
  readonly pipe: PipeId
  heardAt(): Instant
  send(m: ClientMessage): Result<void>
  onMessage(listener: (m: ServerMessage) => void): void
  /** Once. */
  onClose(listener: (fault: Fault) => void): void
  /** While `attentive` says so the server is asked every second; `tell` hears when it has been silent for two, and when it speaks again. */
  watch(attentive: () => boolean, tell: (silent: boolean) => void): void
  /** `attentive` may have become true. */
  attend(): void
  /** Resolves when the server has taken everything and closed its end too. */
  close(): Promise<void>
}

export interface ServerChannelOptions {
  readonly vault: Vault
  readonly server: ServerAddress
  readonly scheduler: Scheduler
}

/** Connects and authenticates; the greeting is the caller's. */
export async function openServerChannel(o: ServerChannelOptions): Promise<Result<ServerChannel>> {
  const dialled = await dial(o.vault, o.server, { path: '/', protocol: 'stc.v1', messageLimit: MESSAGE_LIMIT })
  return dialled.ok ? ok(serverChannel(dialled.value.transport, dialled.value.pipe, o.scheduler, dialled.value.closed, dialled.value.why)) : dialled
}

/** A room of two hundred sends much at once to those who were away. */
const FROM_SERVER = { ...LINK_LIMITS, burst: 10_000, perSecond: 2000 }

export function serverChannel(transport: MessageTransport, pipe: PipeId, scheduler: Scheduler, closed: Promise<void> = Promise.resolve(), why: () => Fault | undefined = () => undefined): ServerChannel {
  const link = new Link<ServerMessage, ClientMessage>(transport, { encode: encodeClientMessage, decode: decodeServerMessage }, scheduler, FROM_SERVER)
  const watch = new Watch(scheduler, (n) => link.open && link.send({ k: 'ping', n }).ok && link.open)
  let onClose: (fault: Fault) => void = () => {}
  let ended: Fault | undefined
  link.onClose((fault) => {
    watch.end()
    ended = why() ?? fault
    onClose(ended)
  })
  return {
    pipe,
    heardAt: () => link.heardAt,
    send: (m) => link.send(m),
    onMessage: (listener) => link.onMessage((m) => {
      watch.heard()
      if (m.k !== 'pong') listener(m)
    }),
    watch: (attentive, tell) => watch.set(attentive, tell),
    attend: () => watch.wake(),
    onClose: (listener) => {
      onClose = listener
      if (ended !== undefined) listener(ended)
    },
    close: () => {
      link.close()
      return closed
    },
  }
}
