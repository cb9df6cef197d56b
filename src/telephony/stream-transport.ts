/** SIP over TCP and TLS (RFC 3261 §18, RFC 5626 keep-alives). Peers connect to us; replies and requests go back on their connection. */
import { constants } from 'node:crypto'
import net from 'node:net'
import tls from 'node:tls'
import type { AddressPort } from '../net/address.ts'
import { peerOf, type TlsPeer } from '../net/tls-server.ts'
import { utf8 } from '../base/bytes.ts'
import type { Fault, Result } from '../base/result.ts'
import { err, ok } from '../base/result.ts'
import { refuseRaw } from '../protocol/sip/index.ts'
import { SipStream } from '../protocol/sip/stream.ts'
import type { SipFlow, SipTransport, TransportListener } from './transport.ts'

export interface TlsIdentity {
  /** PEM. */
  readonly key: string
  readonly cert: string
}

/** Peers that have to show a certificate. */
export interface StreamClients {
  /** Called once for each connection, before any of its messages. */
  admit(peer: TlsPeer, flow: SipFlow): Result<void>
  /** Whether this source may try one more handshake now. */
  mayTry(address: string): boolean
  /** With which status the first request of a peer that was not admitted is answered. */
  statusFor(first: Uint8Array): number
  /** For the log. */
  refused(fault: Fault, remote: AddressPort): void
  readonly connections: number
  readonly perSource: number
}

export interface StreamTransportOptions {
  /** With it, TLS. */
  readonly identity?: TlsIdentity
  readonly clients?: StreamClients
  /** Shorter where a test cannot wait. */
  readonly patience?: Partial<Patience>
}

/** How long a connection may bring nothing of use. */
type Patience = Pick<{ readonly [K in keyof typeof limits]: number }, 'firstMessageMs' | 'strangerMs'>

const limits = {
  connections: 256,
  /** Handshakes among them. */
  perSource: 32,
  /** A peer that sends nothing at all for so long is gone; phones with long registrations send keep-alives. */
  idleMs: 2 * 3600_000,
  /** A connection that has brought no message after so long is closed, whatever else it brings. */
  firstMessageMs: 30_000,
  /** Octets waiting for a peer that does not read. */
  unsent: 262_144,
  /** A stranger hears why it is refused, if it says something in this time. */
  strangerMs: 5000,
  lastWordsMs: 1000,
} as const

/** Hybrid for those that have it; what phones have had for long. */
const CURVES = 'X25519MLKEM768:X25519:P-256:P-384'

const pong = utf8('\r\n')

class StreamTransport implements StreamListener {
  readonly name: 'TCP' | 'TLS'
  readonly local: AddressPort
  readonly #server: net.Server
  readonly #connections = new Map<number, net.Socket>()
  readonly #clients: StreamClients | undefined
  /** Connections of each source, from the first octet of a handshake. */
  readonly #sources = new Map<string, number>()
  #open = 0
  #next = 1
  #listener: TransportListener | undefined

  readonly #patience: Patience

  constructor(name: 'TCP' | 'TLS', server: net.Server, local: AddressPort, clients: StreamClients | undefined, patience: Patience) {
    this.name = name
    this.local = local
    this.#server = server
    this.#clients = clients
    this.#patience = patience
    server.on('connection', (socket: net.Socket) => this.#count(socket))
    server.on(name === 'TLS' ? 'secureConnection' : 'connection', (socket: net.Socket) => this.#accept(socket))
    // A failed handshake ends that connection only.
    server.on('tlsClientError', (_e, socket: net.Socket) => socket.destroy())
    server.on('error', () => undefined)
  }

  listen(listener: TransportListener): void {
    this.#listener = listener
  }

  send(data: Uint8Array, flow: SipFlow): boolean {
    const socket = flow.connection === undefined ? undefined : this.#connections.get(flow.connection)
    if (socket === undefined || socket.destroyed) return false
    if (socket.writableLength > limits.unsent) {
      socket.destroy()
      return false
    }
    socket.write(data)
    return true
  }

  close(): void {
    this.#server.close()
    for (const socket of this.#connections.values()) finish(socket)
  }

  /** Ends this connection. */
  drop(flow: SipFlow): void {
    const socket = flow.connection === undefined ? undefined : this.#connections.get(flow.connection)
    if (socket !== undefined) finish(socket)
  }

  /** Before any handshake: those cost the most. */
  #count(socket: net.Socket): void {
    const address = sourceOf(plainAddress(socket.remoteAddress ?? ''), this.#clients !== undefined)
    const fromHere = this.#sources.get(address) ?? 0
    const { connections, perSource } = this.#clients ?? limits
    socket.on('error', () => socket.destroy())
    if (address === '' || this.#open >= connections || fromHere >= perSource || this.#clients?.mayTry(address) === false) return void socket.destroy()
    this.#open++
    this.#sources.set(address, fromHere + 1)
    socket.once('close', () => {
      this.#open--
      const left = (this.#sources.get(address) ?? 1) - 1
      if (left === 0) this.#sources.delete(address)
      else this.#sources.set(address, left)
    })
  }

  #accept(socket: net.Socket): void {
    if (socket.destroyed) return
    const remote = { address: plainAddress(socket.remoteAddress ?? ''), port: socket.remotePort ?? 0 }
    socket.on('error', () => socket.destroy())
    const connection = this.#next++
    const local = { address: plainAddress(socket.localAddress ?? this.local.address), port: socket.localPort ?? this.local.port }
    const flow: SipFlow = { transport: this.name, local, remote, connection }
    this.#connections.set(connection, socket)
    const admitted = this.#clients?.admit(peerOf(socket as tls.TLSSocket), flow)
    if (admitted?.ok === false) return this.#stranger(socket, admitted.fault, flow)
    socket.setNoDelay(true)
    socket.setKeepAlive(true, 60_000)
    const began = endsAfter(socket, this.#patience.firstMessageMs)
    socket.on('timeout', () => socket.destroy())
    const stream = new SipStream()
    socket.on('data', (chunk: Buffer) => this.#data(stream, chunk, socket, flow, began))
    socket.on('close', () => {
      this.#connections.delete(connection)
      this.#listener?.lost(flow)
    })
  }

  /** Its first request is answered with the reason, and nothing else of it is read. */
  #stranger(socket: net.Socket, fault: Fault, flow: SipFlow): void {
    this.#clients?.refused(fault, flow.remote)
    this.#connections.delete(flow.connection!)
    endsAfter(socket, this.#patience.strangerMs)
    const stream = new SipStream()
    socket.on('data', (chunk: Buffer) => {
      const items = stream.push(chunk)
      if (!items.ok) return void socket.destroy()
      const first = items.value.find((i) => i.kind === 'message')
      if (first === undefined) return
      socket.removeAllListeners('data')
      const reply = first.kind === 'message' ? refuseRaw(first.bytes, this.#clients?.statusFor(first.bytes) ?? 403, fault.message) : undefined
      if (reply === undefined) socket.destroy()
      else socket.end(reply, () => socket.destroy())
    })
  }

  #data(stream: SipStream, chunk: Uint8Array, socket: net.Socket, flow: SipFlow, began: () => void): void {
    const items = stream.push(chunk)
    // Framing is lost: nothing after this can be trusted.
    if (!items.ok) {
      socket.destroy()
      return
    }
    // One pong answers any number of pings that came together.
    if (items.value.some((i) => i.kind === 'ping')) socket.write(pong)
    for (const item of items.value) {
      if (item.kind !== 'message') continue
      began()
      socket.setTimeout(limits.idleMs)
      this.#listener?.message(item.bytes, flow)
    }
  }
}

/** What was said last still goes out, if the peer takes it. */
function finish(socket: net.Socket): void {
  socket.destroySoon()
  setTimeout(() => socket.destroy(), limits.lastWordsMs).unref()
}

/** By the clock, not by silence: line ends now and then must not hold a place. Gives a way to forget it. */
function endsAfter(socket: net.Socket, ms: number): () => void {
  const timer = setTimeout(() => socket.destroy(), ms).unref()
  const forget = (): void => clearTimeout(timer)
  socket.once('close', forget)
  return forget
}

/** What one host may use. On the Internet an IPv6 host has a whole /64 (RFC 4291 §2.5.4); on a LAN all phones are in one. */
export function sourceOf(address: string, strangers: boolean): string {
  if (!strangers || !address.includes(':')) return address
  const [head = '', tail] = address.split('%')[0]!.toLowerCase().split('::')
  const groups = (part: string | undefined): string[] => (part === undefined || part === '' ? [] : part.split(':'))
  // A dotted end is two groups, of the last 64 bits either way.
  const length = (part: string[]): number => part.reduce((n, g) => n + (g.includes('.') ? 2 : 1), 0)
  const [front, back] = [groups(head), groups(tail)]
  const all = tail === undefined ? front : [...front, ...Array<string>(Math.max(0, 8 - length(front) - length(back))).fill('0'), ...back]
  return `${all.slice(0, 4).map((g) => Number.parseInt(g, 16).toString(16)).join(':')}::/64`
}

/** IPv4 in IPv6 (`::ffff:192.0.2.1`, from a wildcard socket) as the IPv4 address that it is. */
const plainAddress = (address: string): string => (address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address)

/** What peers connect to. */
export interface StreamListener extends SipTransport {
  drop(flow: SipFlow): void
}

/** TLS where `identity` is given. TLS 1.2 is the least: older phones know nothing newer. */
export async function openStreamTransport(at: AddressPort, { identity, clients, patience }: StreamTransportOptions = {}): Promise<Result<StreamListener>> {
  const name = identity === undefined ? 'TCP' : 'TLS'
  let server: net.Server
  try {
    server = identity === undefined ? net.createServer() : tls.createServer({ key: identity.key, cert: identity.cert, minVersion: 'TLSv1.2', handshakeTimeout: 10_000, ...(clients === undefined ? {} : { requestCert: true, rejectUnauthorized: false, secureOptions: constants.SSL_OP_NO_TICKET, ecdhCurve: CURVES }) })
  } catch (e) {
    return err('SIP_TLS', e instanceof Error ? e.message : String(e))
  }
  return new Promise((resolve) => {
    const failed = (e: Error): void => resolve(err('SIP_BIND', `${name} ${at.address} port ${at.port}: ${e.message}`))
    server.once('error', failed)
    server.listen(at.port, at.address, () => {
      server.off('error', failed)
      const bound = server.address() as net.AddressInfo
      resolve(ok(new StreamTransport(name, server, { address: bound.address, port: bound.port }, clients, { ...limits, ...patience })))
    })
  })
}
