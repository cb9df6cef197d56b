/** Plain TCP on this machine or a trusted network: Asterisk's manager interface and FastAGI speak nothing else. */
import net from 'node:net'
import type { Result } from '../base/result.ts'
import { err, ok } from '../base/result.ts'
import { type AddressPort, showAddress } from './address.ts'

export interface TcpStream {
  readonly remote: AddressPort
  send(bytes: Uint8Array): void
  /** Nothing is called any more afterwards. */
  close(): void
}

export interface TcpEvents {
  connected?(): void
  bytes(bytes: Uint8Array): void
  /** `refused`: it never stood. */
  closed(reason: string, refused: boolean): void
}

/** Octets that may wait for a peer that does not read. */
const UNSENT_LIMIT = 1024 * 1024

export function connectTcp(to: AddressPort, events: TcpEvents): TcpStream {
  const socket = net.connect({ host: to.address, port: to.port, noDelay: true })
  return stream(socket, to, events)
}

export interface TcpServer {
  readonly local: AddressPort
  close(): void
}

/** `accept` gives the events of a connection, or undefined to refuse it. */
export function listenTcp(bind: AddressPort, connectionLimit: number, accept: (s: TcpStream) => TcpEvents | undefined): Promise<Result<TcpServer>> {
  const open = new Set<TcpStream>()
  const server = net.createServer({ noDelay: true }, (socket) => {
    const remote = { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 }
    let events: TcpEvents | undefined
    const s = stream(socket, remote, {
      bytes: (b) => events?.bytes(b),
      closed: (reason, refused) => {
        open.delete(s)
        events?.closed(reason, refused)
      },
    })
    open.add(s)
    events = accept(s)
    if (events === undefined) s.close()
  })
  server.maxConnections = connectionLimit
  return new Promise((resolve) => {
    server.once('error', (e) => resolve(err('CONFIG_LISTEN', `${showAddress(bind)} (${(e as NodeJS.ErrnoException).code ?? e.message})`)))
    server.listen(bind.port, bind.address, () => {
      const { address, port } = server.address() as net.AddressInfo
      const close = (): void => {
        server.close()
        for (const s of [...open]) s.close()
        open.clear()
      }
      resolve(ok({ local: { address, port }, close }))
    })
  })
}

function stream(socket: net.Socket, remote: AddressPort, events: TcpEvents): TcpStream {
  let over = false
  let stood = !socket.connecting
  let reason = 'closed by the other side'
  socket.once('connect', () => {
    stood = true
    events.connected?.()
  })
  socket.on('data', (b: Buffer) => events.bytes(new Uint8Array(b.buffer, b.byteOffset, b.length)))
  socket.on('error', (e) => {
    reason = (e as NodeJS.ErrnoException).code ?? e.message
  })
  socket.on('close', () => {
    if (over) return
    over = true
    events.closed(reason, !stood)
  })
  return {
    remote,
    send(bytes) {
      if (over) return
      if (socket.writableLength > UNSENT_LIMIT) socket.destroy(new Error('it does not read'))
      else socket.write(bytes)
    },
    close() {
      over = true
      // What was written last should arrive; a peer that does not read it is cut off.
      socket.destroySoon()
    },
  }
}
