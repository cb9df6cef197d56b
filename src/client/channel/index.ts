/** The client's end of the control channel (docs/protocol/channel.md §1). */
import { instant } from '../../base/brand.ts'
import type { Scheduler } from '../../base/ports.ts'
import { err, type Fault, makeFault, ok, type Result } from '../../base/result.ts'
import { decodeServerMessage, encodeClientMessage } from '../../protocol/wire/codec.ts'
import type { ServerMessage } from '../../protocol/wire/messages.ts'
import type { Vault } from '../../vault/api/calls.ts'
import type { OpenChannel } from '../connection.ts'
import type { ServerPlace } from './pipe-stream.ts'
import { openWebSocket } from './websocket.ts'

export { openMediaPath } from './media-path.ts'
export type { ServerPlace } from './pipe-stream.ts'

const PING_MS = 5_000
const DEAD_MS = 15_000
/** Octets that may wait to be sent. */
const WAITING_LIMIT = 8 * 1024 * 1024

export interface ChannelOptions {
  readonly vault: Vault
  readonly server: ServerPlace
  readonly scheduler: Scheduler
}

export async function openServerChannel(o: ChannelOptions): Promise<Result<OpenChannel>> {
  const opened = await openWebSocket(o.vault, o.server, '/', 'stc.v1')
  if (!opened.ok) return opened
  const { socket, pipe } = opened.value
  let onMessage: (m: ServerMessage) => void = () => {}
  let onClose: ((fault: Fault) => void) | undefined
  let heardAt = o.scheduler.now()
  let ended: Fault | undefined
  let stopPings = (): void => {}
  const end = (fault: Fault): void => {
    if (ended !== undefined) return
    ended = fault
    stopPings()
    socket.terminate()
    onClose?.(fault)
  }
  const send: OpenChannel['send'] = (m) => {
    if (ended !== undefined) return { ok: false, fault: ended }
    const octets = encodeClientMessage(m)
    if (!octets.ok) return octets
    if (socket.bufferedAmount > WAITING_LIMIT) {
      end(makeFault('CHANNEL_SLOW'))
      return err('CHANNEL_SLOW')
    }
    socket.send(octets.value)
    return ok(undefined)
  }
  let n = 0
  const ping = (): void => {
    if (o.scheduler.now() - heardAt > DEAD_MS) return end(makeFault('CHANNEL_SILENT', `${DEAD_MS / 1000} s`))
    send({ k: 'ping', n: n++ })
    stopPings = o.scheduler.at(instant(o.scheduler.now() + PING_MS), ping)
  }
  // The server wants `hello` before anything else.
  stopPings = o.scheduler.at(instant(o.scheduler.now() + PING_MS), ping)
  socket.on('message', (data: Buffer, isBinary) => {
    heardAt = o.scheduler.now()
    const m = isBinary ? decodeServerMessage(data) : err('CHANNEL_BAD_MESSAGE', 'text')
    if (!m.ok) end(m.fault)
    else if (m.value.k !== 'pong') onMessage(m.value)
  })
  socket.on('error', () => {})
  socket.on('close', (code) => end(makeFault('CHANNEL_CLOSED', `code ${code}`)))
  return ok({
    pipe, send,
    onMessage: (listener) => void (onMessage = listener),
    onClose: (listener) => {
      onClose = listener
      if (ended !== undefined) listener(ended)
    },
    close: () => {
      ended ??= makeFault('CHANNEL_CLOSED')
      stopPings()
      socket.close()
    },
  })
}
