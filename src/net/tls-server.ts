/**
 * TLS 1.3 with client certificates, and WebSockets on it (docs/protocol/channel.md §1). Whether a certificate is good is
 * decided by `admit` after the handshake, so that a stranger can be told why: HTTP 403 with the fault as JSON.
 */
import { constants } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createServer, type Server } from 'node:https'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { WebSocketServer } from 'ws'
import type { Der } from '../base/brand.ts'
import type { MessageTransport } from '../base/message-transport.ts'
import type { Fault, Result } from '../base/result.ts'
import { err, makeFault, ok } from '../base/result.ts'
import type { AddressPort } from './address.ts'
import { wsTransport } from './ws-transport.ts'

/** Hybrid first; `X25519MLKEM768` alone enforces it. */
export const TLS_GROUPS = 'X25519MLKEM768:X25519'
const HANDSHAKE_MS = 10_000
const CHAIN_LIMIT = 8

/** The other end of a connection, after its handshake. */
export interface TlsPeer {
  /** As presented, own certificate first; empty: it showed none. */
  readonly chain: readonly Der[]
  readonly remote: AddressPort
  /** Our own end. */
  readonly local: AddressPort
  /** TLS-Exporter of this connection (RFC 8446 §7.5). */
  exporter(label: string, context: Uint8Array, length: number): Uint8Array
}

/** One WebSocket door. `admit` gives whom it let in, or the fault that is told and logged. */
export interface Door<Who> {
  readonly protocol: string
  readonly messageLimit: number
  admit(peer: TlsPeer, query: URLSearchParams): Result<Who>
  enter(who: Who, transport: MessageTransport, peer: TlsPeer): void
}

export interface TlsServerOptions {
  readonly bind: AddressPort
  /** PEM. */
  readonly certificate: string
  readonly key: string
  readonly groups?: string
  readonly connectionLimit: number
  /** Path → door. */
  readonly doors: Readonly<Record<string, Door<unknown>>>
  readonly onRefused: (fault: Fault, remote: AddressPort) => void
}

export interface TlsServer {
  readonly local: AddressPort
  /** No new connections; open ones are ended after `graceMs`. */
  close(graceMs: number): Promise<void>
}

export const door = <Who>(d: Door<Who>): Door<unknown> => d as Door<unknown>

export function openTlsServer(options: TlsServerOptions): Promise<Result<TlsServer>> {
  let server: Server
  try {
    server = createServer({
      cert: options.certificate, key: options.key, minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3', ecdhCurve: options.groups ?? TLS_GROUPS,
      requestCert: true, rejectUnauthorized: false, handshakeTimeout: HANDSHAKE_MS,
      // No tickets, and no store either: every connection is a full handshake.
      secureOptions: constants.SSL_OP_NO_TICKET,
      headersTimeout: HANDSHAKE_MS, requestTimeout: HANDSHAKE_MS, maxHeaderSize: 8192, noDelay: true,
    })
  } catch (e) {
    return Promise.resolve(err('CONFIG_CREDENTIALS', e instanceof Error ? e.message : String(e)))
  }
  server.maxConnections = options.connectionLimit
  const sockets = new Map(Object.values(options.doors).map((d) => [d, webSockets(d)]))
  server.on('request', (request, response) => {
    const refused = refusal(options, request)
    const fault = refused ?? makeFault('CHANNEL_NOT_STC', 'no WebSocket was asked for')
    if (refused !== undefined) options.onRefused(refused, remoteOf(request.socket as TLSSocket))
    response.writeHead(refused === undefined ? 426 : 403, { 'content-type': 'application/json', connection: 'close' }).end(JSON.stringify(toJson(fault)))
  })
  // Who says nothing after the handshake does not keep its place.
  server.on('secureConnection', (socket) => socket.setTimeout(HANDSHAKE_MS, () => socket.destroy()))
  server.on('drop', (data) => options.onRefused(makeFault('CHANNEL_TOO_MANY', `${options.connectionLimit}`), { address: unmapped(data?.remoteAddress), port: data?.remotePort ?? 0 }))
  server.on('upgrade', (request, socket, head) => upgrade(options, sockets, request, socket, head))
  server.on('tlsClientError', (e, socket) => {
    options.onRefused(makeFault('CHANNEL_TLS', e.message), remoteOf(socket))
    socket.destroy()
  })
  server.on('clientError', (_, socket) => socket.destroy())
  return listen(server, options.bind)
}

const webSockets = (d: Door<unknown>): WebSocketServer =>
  new WebSocketServer({ noServer: true, perMessageDeflate: false, clientTracking: false, maxPayload: d.messageLimit, handleProtocols: () => d.protocol })

function listen(server: Server, bind: AddressPort): Promise<Result<TlsServer>> {
  const open = new Set<Duplex>()
  server.on('connection', (socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
  })
  return new Promise((resolve) => {
    server.once('error', (e: NodeJS.ErrnoException) => resolve(err('CONFIG_LISTEN', `${bind.address} port ${bind.port} (${e.code ?? e.message})`)))
    server.listen({ host: bind.address, port: bind.port, ipv6Only: false }, () => {
      server.removeAllListeners('error')
      // Accepting failed for one connection: out of descriptors, for example. The others go on.
      server.on('error', () => {})
      const at = server.address() as AddressInfo
      resolve(ok({ local: { address: at.address, port: at.port }, close: (graceMs) => closeServer(server, open, graceMs) }))
    })
  })
}

function closeServer(server: Server, open: ReadonlySet<Duplex>, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const hard = setTimeout(() => {
      for (const socket of open) socket.destroy()
    }, graceMs)
    server.close(() => {
      clearTimeout(hard)
      resolve()
    })
    server.closeIdleConnections()
  })
}

/** After the handshake. */
export function peerOf(socket: TLSSocket): TlsPeer {
  const chain: Der[] = []
  for (let c = socket.getPeerX509Certificate(); c !== undefined && chain.length < CHAIN_LIMIT; c = c.issuerCertificate) chain.push(new Uint8Array(c.raw) as Der)
  return {
    chain, remote: remoteOf(socket), local: { address: unmapped(socket.localAddress), port: socket.localPort ?? 0 },
    exporter: (label, context, length) => new Uint8Array(socket.exportKeyingMaterial(length, label, Buffer.from(context))),
  }
}

const remoteOf = (socket: TLSSocket): AddressPort => ({ address: unmapped(socket.remoteAddress), port: socket.remotePort ?? 0 })

const unmapped = (address: string | undefined): string => (address ?? '').replace(/^::ffff:/, '')

const toJson = (f: Fault): { code: string; message: string } => ({ code: f.code, message: f.message })

/** The URL without trusting it. */
function doorOf(options: TlsServerOptions, request: IncomingMessage): { door: Door<unknown>; query: URLSearchParams } | undefined {
  const [path, query] = (request.url ?? '').split('?', 2)
  const found = path !== undefined && Object.hasOwn(options.doors, path) ? options.doors[path] : undefined
  return found === undefined ? undefined : { door: found, query: new URLSearchParams(query ?? '') }
}

/** Why this request would be refused at its door, whatever it asks for. */
function refusal(options: TlsServerOptions, request: IncomingMessage): Fault | undefined {
  const at = doorOf(options, request)
  if (at === undefined) return makeFault('CHANNEL_NOT_STC', 'there is nothing at this path')
  const admitted = at.door.admit(peerOf(request.socket as TLSSocket), at.query)
  return admitted.ok ? undefined : admitted.fault
}

function upgrade(options: TlsServerOptions, sockets: ReadonlyMap<Door<unknown>, WebSocketServer>, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const tls = socket as TLSSocket
  const remote = remoteOf(tls)
  const refuse = (fault: Fault): void => {
    options.onRefused(fault, remote)
    const body = JSON.stringify(toJson(fault))
    socket.on('error', () => {})
    socket.end(`HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`)
  }
  const at = doorOf(options, request)
  if (at === undefined) return refuse(makeFault('CHANNEL_NOT_STC', 'there is nothing at this path'))
  const peer = peerOf(tls)
  const admitted = at.door.admit(peer, at.query)
  if (!admitted.ok) return refuse(admitted.fault)
  const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((p) => p.trim())
  if (!offered.includes(at.door.protocol)) return refuse(makeFault('CHANNEL_VERSION', `this door speaks ${at.door.protocol}`))
  socket.on('error', () => {})
  tls.setTimeout(0)
  sockets.get(at.door)?.handleUpgrade(request, socket, head, (ws) => {
    at.door.enter(admitted.value, wsTransport(ws), peer)
  })
}
