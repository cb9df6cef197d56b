/** SIP over TCP and TLS (RFC 3261 §18, RFC 5626 keep-alives). Peers connect to us; replies and requests go back on their connection. */
import net from 'node:net'
import tls from 'node:tls'
import type { AddressPort } from '../net/address.ts'
import { utf8 } from '../base/bytes.ts'
import type { Result } from '../base/result.ts'
import { err, ok } from '../base/result.ts'
import { SipStream } from '../protocol/sip/stream.ts'
import type { SipFlow, SipTransport, TransportListener } from './transport.ts'

export interface TlsIdentity {
  /** PEM. */
  readonly key: string
  readonly cert: string
}

const limits = {
  connections: 256,
  perSource: 32,
  /** A peer that sends nothing at all for so long is gone; phones with long registrations send keep-alives. */
  idleMs: 2 * 3600_000,
  /** A connection that has brought no message after so long is closed. */
  firstMessageMs: 30_000,
  /** Octets waiting for a peer that does not read. */
  unsent: 262_144,
} as const

const pong = utf8('\r\n')

class StreamTransport implements SipTransport {
  readonly name: 'TCP' | 'TLS'
  readonly local: AddressPort
  readonly #server: net.Server
  readonly #connections = new Map<number, net.Socket>()
  #next = 1
  #listener: TransportListener | undefined

  constructor(name: 'TCP' | 'TLS', server: net.Server, local: AddressPort) {
    this.name = name
    this.local = local
    this.#server = server
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
    for (const socket of this.#connections.values()) socket.destroy()
  }

  #accept(socket: net.Socket): void {
    const remote = { address: plainAddress(socket.remoteAddress ?? ''), port: socket.remotePort ?? 0 }
    socket.on('error', () => socket.destroy())
    let fromHere = 0
    for (const s of this.#connections.values()) if (plainAddress(s.remoteAddress ?? '') === remote.address) fromHere++
    if (this.#connections.size >= limits.connections || fromHere >= limits.perSource || remote.address === '') {
      socket.destroy()
      return
    }
    const connection = this.#next++
    const local = { address: plainAddress(socket.localAddress ?? this.local.address), port: socket.localPort ?? this.local.port }
    const flow: SipFlow = { transport: this.name, local, remote, connection }
    this.#connections.set(connection, socket)
    socket.setNoDelay(true)
    socket.setKeepAlive(true, 60_000)
    socket.setTimeout(limits.firstMessageMs, () => socket.destroy())
    const stream = new SipStream()
    socket.on('data', (chunk: Buffer) => this.#data(stream, chunk, socket, flow))
    socket.on('close', () => {
      this.#connections.delete(connection)
      this.#listener?.lost(flow)
    })
  }

  #data(stream: SipStream, chunk: Uint8Array, socket: net.Socket, flow: SipFlow): void {
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
      socket.setTimeout(limits.idleMs)
      this.#listener?.message(item.bytes, flow)
    }
  }
}

/** IPv4 in IPv6 (`::ffff:192.0.2.1`, from a wildcard socket) as the IPv4 address that it is. */
const plainAddress = (address: string): string => (address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address)

/** TLS where `identity` is given. TLS 1.2 is the least: older phones know nothing newer. */
export async function openStreamTransport(at: AddressPort, identity?: TlsIdentity): Promise<Result<SipTransport>> {
  const name = identity === undefined ? 'TCP' : 'TLS'
  let server: net.Server
  try {
    server = identity === undefined ? net.createServer() : tls.createServer({ key: identity.key, cert: identity.cert, minVersion: 'TLSv1.2', handshakeTimeout: 10_000 })
  } catch (e) {
    return err('SIP_TLS', e instanceof Error ? e.message : String(e))
  }
  return new Promise((resolve) => {
    const failed = (e: Error): void => resolve(err('SIP_BIND', `${name} ${at.address} port ${at.port}: ${e.message}`))
    server.once('error', failed)
    server.listen(at.port, at.address, () => {
      server.off('error', failed)
      const bound = server.address() as net.AddressInfo
      resolve(ok(new StreamTransport(name, server, { address: bound.address, port: bound.port })))
    })
  })
}
