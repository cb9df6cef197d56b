/**
 * The way to a PBX or provider that may be in several places (RFC 3263 §4.3: one that cannot be reached is followed by the next). Over TCP and TLS
 * one kept connection (RFC 3261 §18, RFC 5923), made again when it is lost. Over TCP the PBX may connect back as well.
 */
import net from 'node:net'
import tls from 'node:tls'
import { instant } from '../base/brand.ts'
import type { Result } from '../base/result.ts'
import { ok } from '../base/result.ts'
import type { AddressPort } from '../net/address.ts'
import { nodeUdp } from '../net/node-udp.ts'
import { SipStream } from '../protocol/sip/stream.ts'
import { keepAlive, onlyFrom, type PbxTransport, type PbxTransportOptions } from './pbx-transport.ts'
import { openStreamTransport } from './stream-transport.ts'
import type { SipFlow, SipTransport, TransportListener } from './transport.ts'
import { openUdpTransport } from './udp-transport.ts'
import { UdpWay } from './udp-way.ts'

/** A connection, TLS and all, that does not come about by then is none: a place that swallows packets says nothing for minutes. */
const CONNECT_MS = 8000
const RETRY_MS = 500
const RETRY_LIMIT_MS = 10_000
const UNSENT_LIMIT = 1024 * 1024
/** RFC 5626 §4.4.1: keeps the way through firewalls open. */
const KEEP_ALIVE_MS = 60_000

export async function openPbxTransport(o: PbxTransportOptions): Promise<Result<PbxTransport>> {
  if (o.transport === 'TLS') return ok(new KeptConnection(o, undefined))
  const opened = o.transport === 'UDP' ? await openUdpTransport(nodeUdp(), o.bind) : await openStreamTransport(o.bind)
  if (!opened.ok) return opened
  if (o.transport === 'TCP') return ok(new KeptConnection(o, opened.value))
  return ok(new UdpWay(o, opened.value))
}

class KeptConnection implements PbxTransport {
  readonly name: 'TCP' | 'TLS'
  readonly #o: PbxTransportOptions
  readonly #incoming: SipTransport | undefined
  #listener: TransportListener | undefined
  #watcher: (up: boolean) => void = () => {}
  #socket: net.Socket | undefined
  #flow: SipFlow | undefined
  /** Which place. */
  #at = 0
  #next = -1
  /** Rounds through all places in which nobody said anything. */
  #attempts = 0
  /** Something came over this connection. */
  #heard = false
  #closed = false
  #cancel: () => void = () => {}

  constructor(options: PbxTransportOptions, incoming: SipTransport | undefined) {
    this.name = options.transport === 'TLS' ? 'TLS' : 'TCP'
    this.#o = options
    this.#incoming = incoming
  }
  get local(): AddressPort {
    return this.#incoming?.local ?? this.#flow?.local ?? this.#o.bind
  }
  way(): SipFlow | undefined {
    return this.#flow
  }
  watch(listener: (up: boolean) => void): void {
    this.#watcher = listener
  }
  listen(listener: TransportListener): void {
    this.#listener = onlyFrom(this.#o.remotes, listener)
    this.#incoming?.listen(this.#listener)
    this.#connect()
  }
  send(data: Uint8Array, flow: SipFlow): boolean {
    if (flow.connection !== this.#flow?.connection || this.#socket === undefined) return this.#incoming?.send(data, flow) ?? false
    if (this.#socket.writableLength > UNSENT_LIMIT) {
      this.#socket.destroy()
      return false
    }
    this.#socket.write(data)
    return true
  }
  close(): void {
    this.#closed = true
    this.#cancel()
    this.#socket?.destroy()
    this.#incoming?.close()
  }

  get #remote(): AddressPort {
    return this.#o.remotes[this.#at]!
  }
  #connect(): void {
    const { address: host, port } = this.#remote
    const security = this.#o.tls
    const socket = security === undefined ? net.connect({ host, port }) : tls.connect({
      host, port, minVersion: 'TLSv1.2', ...(security.anchors === undefined ? {} : { ca: [...security.anchors] }),
      // Addresses have no place in SNI (RFC 6066 §3), but in certificates.
      ...(net.isIP(security.name) === 0 ? { servername: security.name } : {}), checkServerIdentity: (_, certificate) => tls.checkServerIdentity(security.name, certificate),
    })
    this.#socket = socket
    this.#cancel = this.#after(CONNECT_MS, () => socket.destroy())
    socket.setNoDelay(true)
    socket.setKeepAlive(true, 30_000)
    const stream = new SipStream()
    socket.on(security === undefined ? 'connect' : 'secureConnect', () => this.#up(socket))
    socket.on('data', (chunk: Buffer) => this.#data(stream, chunk, socket))
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#lost(socket))
  }
  #up(socket: net.Socket): void {
    this.#cancel()
    this.#heard = false
    const own = { address: socket.localAddress ?? this.#o.bind.address, port: socket.localPort ?? 0 }
    this.#flow = { transport: this.name, local: this.#incoming?.local ?? own, remote: this.#remote, connection: this.#next-- }
    this.#keepAlive(socket)
    this.#watcher(true)
  }
  #keepAlive(socket: net.Socket): void {
    this.#cancel = this.#after(KEEP_ALIVE_MS, () => {
      if (socket.destroyed) return
      socket.write(keepAlive)
      this.#keepAlive(socket)
    })
  }
  #data(stream: SipStream, chunk: Uint8Array, socket: net.Socket): void {
    this.#heard = true
    this.#attempts = 0
    const items = stream.push(chunk)
    const flow = this.#flow
    if (!items.ok) return void socket.destroy()
    if (flow === undefined) return
    for (const item of items.value) if (item.kind === 'message') this.#listener?.message(item.bytes, flow)
  }
  #lost(socket: net.Socket): void {
    if (this.#socket !== socket) return
    const flow = this.#flow
    this.#flow = undefined
    this.#socket = undefined
    this.#cancel()
    if (flow !== undefined) this.#listener?.lost(flow)
    if (this.#closed) return
    if (flow !== undefined) this.#watcher(false)
    // What was there is looked for from the beginning, what was not in the next place: also who takes a connection and ends it at once.
    const wasThere = flow !== undefined && this.#heard
    this.#at = wasThere ? 0 : (this.#at + 1) % this.#o.remotes.length
    if (!wasThere && this.#at > 0) return this.#connect()
    this.#cancel = this.#after(Math.min(RETRY_MS * 2 ** this.#attempts++, RETRY_LIMIT_MS), () => this.#connect())
  }
  #after(ms: number, run: () => void): () => void {
    const { scheduler } = this.#o
    return scheduler.at(instant(scheduler.now() + ms), run)
  }
}
