/** A WebSocket over a vault's TLS connection, and the server's refusal in its own words. */
import type { IncomingMessage } from 'node:http'
import { WebSocket } from 'ws'
import { err, type Fault, makeFault, ok, type Result } from '../../base/result.ts'
import { MESSAGE_LIMIT, TEXT_LIMIT } from '../../protocol/wire/limits.ts'
import type { PipeId, Vault } from '../../vault/api/calls.ts'
import { openPipe, type ServerPlace } from './pipe-stream.ts'

export interface OpenSocket {
  readonly socket: WebSocket
  readonly pipe: PipeId
}

const UPGRADE_MS = 10_000
const REFUSAL_LIMIT = 4096

export async function openWebSocket(vault: Vault, server: ServerPlace, path: string, protocol: string): Promise<Result<OpenSocket>> {
  const opened = await openPipe(vault, server)
  if (!opened.ok) return opened
  const { pipe, stream } = opened.value
  const name = server.name.includes(':') ? `[${server.name}]` : server.name
  const socket = new WebSocket(`ws://${name}:${server.port}${path}`, [protocol], {
    createConnection: () => stream as never, perMessageDeflate: false, maxPayload: MESSAGE_LIMIT, handshakeTimeout: UPGRADE_MS, followRedirects: false,
  })
  const result = await new Promise<Result<OpenSocket>>((resolve) => {
    socket.once('open', () => resolve(ok({ socket, pipe: pipe.id })))
    socket.once('unexpected-response', (_request, response: IncomingMessage) => void refusal(response).then((fault) => resolve({ ok: false, fault })))
    socket.once('error', (e) => resolve(err('CHANNEL_NOT_STC', e.message)))
    socket.once('close', () => resolve(err('CHANNEL_CLOSED', 'before it was open')))
  })
  if (!result.ok) {
    socket.on('error', () => {})
    socket.terminate()
    pipe.end()
  }
  return result
}

/** The body of a 403 is `{code, message}`; anything else is not an stc server. */
async function refusal(response: IncomingMessage): Promise<Fault> {
  let body = ''
  try {
    for await (const chunk of response) {
      body += String(chunk)
      if (body.length > REFUSAL_LIMIT) break
    }
    const said = JSON.parse(body) as { code?: unknown; message?: unknown }
    if (typeof said.code === 'string' && typeof said.message === 'string') return makeFault('CHANNEL_REFUSED', `${said.message.slice(0, TEXT_LIMIT)} [${said.code.slice(0, 64)}]`)
  } catch {
    // Not JSON: said below.
  }
  return makeFault('CHANNEL_NOT_STC', `HTTP ${response.statusCode ?? 0}`)
}
