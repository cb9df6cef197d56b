/** TCP to the server, TLS in the vault, WebSocket in between: one connection of either kind. */
import type { Socket } from 'node:net'
import { WebSocket } from 'ws'
import type { FaultCode } from '../../base/faults/index.ts'
import { faultTable } from '../../base/faults/index.ts'
import type { MessageTransport } from '../../base/message-transport.ts'
import type { Fault, Result } from '../../base/result.ts'
import { err, makeFault, ok } from '../../base/result.ts'
import { connectTo, proxyFor } from '../../net/http-connect.ts'
import { wsTransport } from '../../net/ws-transport.ts'
import type { PipeId, Vault, VaultPipe } from '../../vault/api/calls.ts'
import { pipeDuplex } from './pipe-duplex.ts'

export interface ServerAddress {
  readonly host: string
  readonly port: number
  /** In its certificate. */
  readonly name: string
  /** As in the configuration: `auto`, `none` (unless given), or an address. */
  readonly proxy?: string
}

export interface Dialled {
  readonly pipe: PipeId
  readonly transport: MessageTransport
  /** Ciphertext that waits for the network. */
  waiting(): number
  /** The TCP connection is gone. */
  readonly closed: Promise<void>
  /** Why the vault has ended it, where the vault has. */
  why(): Fault | undefined
}

const CONNECT_MS = 10_000
const BODY_LIMIT = 4096
type Lane = { readonly path: string; readonly protocol: string; readonly messageLimit: number }

export async function dial(vault: Vault, server: ServerAddress, lane: Lane): Promise<Result<Dialled>> {
  const proxy = proxyFor(server.proxy ?? 'none', server)
  if (!proxy.ok) return proxy
  const socket = await connectTo({ host: server.host, port: server.port }, proxy.value)
  if (!socket.ok) return socket
  const tcp = socket.value
  const pipe = vault.pipe({ serverName: server.name, protocols: ['http/1.1'] })
  join(tcp, pipe)
  const closed = new Promise<void>((resolve) => void tcp.once('close', () => resolve()))
  let why: Fault | undefined
  pipe.onClose((reason) => (why ??= endedBy(reason)))
  const secured = await handshake(tcp, pipe)
  if (!secured.ok) {
    tcp.destroy()
    pipe.end()
    return secured
  }
  const ws = await openWebSocket(pipe, server, lane)
  if (!ws.ok) {
    pipe.end()
    tcp.end()
    return ws
  }
  const waiting = (): number => tcp.writableLength + ws.value.waiting
  return ok({ pipe: pipe.id, transport: ws.value, waiting, closed, why: () => why })
}

/** Ciphertext goes to and fro; the end of one is the end of the other. */
function join(tcp: Socket, pipe: VaultPipe): void {
  pipe.onCipher((cipher) => {
    if (tcp.writable) tcp.write(cipher)
  })
  tcp.on('data', (cipher: Buffer) => pipe.feed(new Uint8Array(cipher)))
  tcp.once('close', () => pipe.end())
  pipe.onClose(() => tcp.end())
}

/** A fault of the vault's, its code as the cause. */
function endedBy(reason: string): Fault | undefined {
  const code = / \[([A-Z_]+)\]$/.exec(reason)?.[1]
  return code !== undefined && Object.hasOwn(faultTable, code) ? makeFault('CHANNEL_TLS', reason, makeFault(code as FaultCode)) : undefined
}

/** Done when the vault has verified the server; or why not. */
function handshake(tcp: Socket, pipe: VaultPipe): Promise<Result<unknown>> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(err('CHANNEL_TLS', 'the handshake took too long')), CONNECT_MS)
    tcp.once('close', () => resolve(err('CHANNEL_TLS', 'the server closed the connection')))
    void pipe.secured.then((r) => {
      clearTimeout(timer)
      resolve(r.ok ? r : err('CHANNEL_TLS', r.fault.message, r.fault))
    })
  })
}

function openWebSocket(pipe: VaultPipe, server: ServerAddress, lane: Lane): Promise<Result<MessageTransport>> {
  return new Promise((resolve) => {
    const host = server.name.includes(':') ? `[${server.name}]` : server.name
    const ws = new WebSocket(`ws://${host}${lane.path}`, [lane.protocol], {
      createConnection: () => pipeDuplex(pipe) as Socket,
      perMessageDeflate: false, maxPayload: lane.messageLimit, handshakeTimeout: CONNECT_MS, followRedirects: false,
    })
    ws.once('open', () => resolve(ok(wsTransport(ws))))
    ws.once('error', (e: Error) => resolve(err('CHANNEL_NOT_STC', e.message)))
    ws.once('unexpected-response', (_request, response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (text: string) => {
        body = (body + text).slice(0, BODY_LIMIT)
      })
      response.once('close', () => {
        ws.terminate()
        resolve(refused(response.statusCode ?? 0, body))
      })
    })
  })
}

/** The server's own words; its code is kept as the cause where we know it. */
function refused(status: number, body: string): Result<never> {
  let said: { code?: unknown; message?: unknown } = {}
  try {
    said = (JSON.parse(body) as typeof said | null) ?? {}
  } catch {
    // Not ours: the status has to do.
  }
  if (typeof said.code !== 'string' || typeof said.message !== 'string') return err('CHANNEL_NOT_STC', `HTTP status ${status}`)
  const code = said.code.slice(0, 64)
  const message = said.message.slice(0, 500)
  const cause: Fault | undefined = Object.hasOwn(faultTable, code) ? { code: code as FaultCode, message } : undefined
  return err('CHANNEL_REFUSED', `${message} [${code}]`, cause)
}
