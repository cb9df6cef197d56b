/**
 * The way to a PBX or provider that may be in several places (RFC 3263 §4.3: one that cannot be reached is followed by the next). Over TCP and TLS
 * one kept connection (RFC 3261 §18, RFC 5923), made again when it is lost. Over TCP the PBX may connect back as well.
 */
import net from 'node:net'
import tls from 'node:tls'
import { instant } from '../base/brand.ts'
import type { Result } from '../base/result.ts'
import { makeFault, ok } from '../base/result.ts'
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
/** RFC 5626 §4.4.1: so long a pong may take. */
const PONG_MS = 10_000
/** Our port is still held by the connection of before: then another one is taken. */
const BIND_TRIES = 4

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
  /** What `#socket` speaks TLS over, or itself. */
  #raw: net.Socket | undefined
  #flow: SipFlow | undefined
  /** Which place. */
  #at = 0
  #next = -1
  /** Rounds through all places in which nobody said anything. */
  #attempts = 0
  /** Something came over this connection. */
  #heard = false
  /** Something came since the last keep-alive. */
  #answered = true
  /** It is one that answers keep-alives: Asterisk does not. */
  #pongs = false
  /** Times in a row that our port was not to be had. */
  #taken = 0
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
      this.#reset()
      return false
    }
    this.#socket.write(data)
    return true
  }
  close(): void {
    this.#closed = true
    this.#cancel()
    this.#end()
    this.#incoming?.close()
  }

  get #remote(): AddressPort {
    return this.#o.remotes[this.#at]!
  }
  #connect(): void {
    const { address: host, port } = this.#remote
    const security = this.#o.tls
    const raw = net.connect({ host, port, ...this.#ownEnd() })
    const socket = security === undefined ? raw : tls.connect({
      socket: raw, minVersion: 'TLSv1.2', ...(security.anchors === undefined ? {} : { ca: [...security.anchors] }),
      // Addresses have no place in SNI (RFC 6066 §3), but in certificates.
      ...(net.isIP(security.name) === 0 ? { servername: security.name } : {}), checkServerIdentity: (_, certificate) => tls.checkServerIdentity(security.name, certificate),
    })
    this.#raw = raw
    this.#socket = socket
    this.#cancel = this.#after(CONNECT_MS, () => this.#end())
    raw.setNoDelay(true)
    raw.setKeepAlive(true, 30_000)
    let code = ''
    raw.on('connect', () => (this.#taken = 0))
    const failed = (e: NodeJS.ErrnoException): void => {
      code = e.code ?? ''
      socket.destroy()
    }
    raw.on('error', failed)
    const stream = new SipStream()
    socket.on(security === undefined ? 'connect' : 'secureConnect', () => this.#up(socket))
    socket.on('data', (chunk: Buffer) => this.#data(stream, chunk))
    if (socket !== raw) socket.on('error', failed)
    socket.on('close', () => {
      if (code === 'EADDRINUSE' || code === 'EADDRNOTAVAIL') this.#taken++
      this.#lost(socket)
    })
  }
  /** The PBX remembers where our connection came from: one that comes again from there is the same way for it. */
  #ownEnd(): { localAddress?: string; localPort?: number } {
    const { fixed, bind } = this.#o
    if (fixed !== true || bind.port === 0) return {}
    if (this.#taken > 0 && this.#taken % BIND_TRIES === 0) {
      this.#o.report?.(makeFault('SIP_BIND', `${this.name} ${bind.address} port ${bind.port}: taken; the PBX is reached from another port, and after each loss of that connection phones have to register again`))
      return {}
    }
    return { localAddress: bind.address, localPort: bind.port }
  }
  #up(socket: net.Socket): void {
    this.#cancel()
    this.#heard = false
    this.#answered = true
    this.#pongs = false
    const own = { address: socket.localAddress ?? this.#o.bind.address, port: socket.localPort ?? 0 }
    this.#flow = { transport: this.name, local: this.#incoming?.local ?? own, remote: this.#remote, connection: this.#next-- }
    this.#keepAlive(socket)
    this.#watcher(true)
  }
  #keepAlive(socket: net.Socket): void {
    this.#cancel = this.#after(KEEP_ALIVE_MS, () => {
      this.#answered = false
      socket.write(keepAlive)
      this.#cancel = this.#after(PONG_MS, () => void this.#look(socket))
    })
  }
  /** Whether the way is dead: TCP itself would go on for a quarter of an hour. */
  async #look(socket: net.Socket): Promise<void> {
    this.#keepAlive(socket)
    const { alive } = this.#o
    const asks = !this.#answered && (alive !== undefined || this.#pongs)
    if (!asks || (await alive?.(PONG_MS)) === true || this.#answered || this.#socket !== socket) return
    this.#reset()
  }
  /** Without a FIN that nobody takes, which would hold our port. */
  #reset(): void {
    this.#raw?.resetAndDestroy()
  }
  /** Whoever ends a connection first keeps its ports for a minute (TIME-WAIT, RFC 9293 §3.6): ours has to be free for the next one. */
  #end(): void {
    if (this.#o.fixed === true && this.#raw?.connecting === false) this.#reset()
    else this.#socket?.destroy()
  }
  #data(stream: SipStream, chunk: Uint8Array): void {
    this.#heard = true
    this.#attempts = 0
    if (!this.#answered && chunk.length === 2 && chunk[0] === 13) this.#pongs = true
    this.#answered = true
    const items = stream.push(chunk)
    const flow = this.#flow
    if (!items.ok) return this.#end()
    if (flow === undefined) return
    for (const item of items.value) if (item.kind === 'message') this.#listener?.message(item.bytes, flow)
  }
  #lost(socket: net.Socket): void {
    if (this.#socket !== socket) return
    const flow = this.#flow
    this.#flow = undefined
    this.#socket = undefined
    this.#raw = undefined
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
