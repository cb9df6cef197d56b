/** Datagrams over node:dgram. The class of service (DSCP) cannot be set through it. */
import type { SocketOptions } from 'node:dgram'
import { createSocket } from 'node:dgram'
import type { AddressInfo } from 'node:net'
import { isIPv6 } from 'node:net'
import { type AddressPort, isPort } from './address.ts'
import type { UdpPort, UdpSocket } from './udp.ts'

/** Room for about a second of twenty streams while the thread is busy. The system may grant less. */
const BUFFER_OCTETS = 1 << 20
const MAPPED = '::ffff:'

export interface NodeUdpOptions {
  /** Octets of the system's receive and send buffers. */
  readonly bufferOctets?: number
}

export interface NodeUdpSocket extends UdpSocket {
  /** Octets that the system keeps of what comes and goes; 0: it does not tell. */
  readonly granted: { readonly receive: number; readonly send: number }
  /** Datagrams that were not sent since no port is like that. */
  readonly refused: number
}
export interface NodeUdpPort extends UdpPort {
  bind(at: AddressPort): Promise<NodeUdpSocket>
}

export const nodeUdp = (options: NodeUdpOptions = {}): NodeUdpPort => ({ bind: (at) => bindUdp(at, options) })

function bindUdp(at: AddressPort, options: NodeUdpOptions): Promise<NodeUdpSocket> {
  const six = isIPv6(at.address)
  // All addresses are numeric: without the detour of a lookup the system call is made inside send(),
  // so that the caller may reuse its buffer.
  const lookup: NonNullable<SocketOptions['lookup']> = (host, _options, done) => done(null, host, host.includes(':') ? 6 : 4)
  const socket = createSocket({ type: six ? 'udp6' : 'udp4', ipv6Only: six && at.address !== '::', lookup })
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.bind({ address: at.address, port: at.port, exclusive: true }, () => {
      socket.off('error', reject)
      // A datagram that could not be sent is a lost datagram: media has its own ways to notice.
      socket.on('error', () => {})
      grow(socket, options.bufferOctets ?? BUFFER_OCTETS)
      resolve(wrap(socket, six))
    })
  })
}

function grow(socket: ReturnType<typeof createSocket>, octets: number): void {
  for (const set of [() => socket.setRecvBufferSize(octets), () => socket.setSendBufferSize(octets)]) {
    try {
      set()
    } catch {
      // Refused by the system's limits: its default stays in force.
    }
  }
}

/** Linux counts its book-keeping in: twice what was asked for (socket(7)). */
const BOOKS = process.platform === 'linux' ? 2 : 1

function grantedTo(socket: ReturnType<typeof createSocket>): NodeUdpSocket['granted'] {
  try {
    return { receive: socket.getRecvBufferSize() / BOOKS, send: socket.getSendBufferSize() / BOOKS }
  } catch {
    return { receive: 0, send: 0 }
  }
}

function wrap(socket: ReturnType<typeof createSocket>, six: boolean): NodeUdpSocket {
  const info: AddressInfo = socket.address()
  let closed = false
  let refused = 0
  return {
    local: { address: info.address, port: info.port },
    granted: grantedTo(socket),
    get refused() {
      return refused
    },
    send(data, to) {
      if (closed) return
      // dgram throws for these, at once and in whoever sends.
      if (!isPort(to.port)) {
        refused++
        return
      }
      // A dual-stack socket reaches IPv4 through mapped addresses (RFC 4291 §2.5.5.2).
      const address = six && !to.address.includes(':') ? MAPPED + to.address : to.address
      socket.send(data, to.port, address)
    },
    onMessage(listener) {
      socket.removeAllListeners('message')
      socket.on('message', (data, from) => {
        // A port of 0 is nobody's (RFC 768: "not used"): who would be answered there is forged.
        if (from.port === 0) return
        const address = from.address.startsWith(MAPPED) ? from.address.slice(MAPPED.length) : from.address
        // Not a Buffer: its slice() would be a view.
        listener(new Uint8Array(data.buffer, data.byteOffset, data.length), { address, port: from.port })
      })
    },
    close() {
      if (closed) return
      closed = true
      socket.close()
    },
  }
}
