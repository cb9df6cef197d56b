/** The datagram port: real sockets in production, a simulated network in tests. */
import type { AddressPort } from './address.ts'

export interface UdpSocket {
  readonly local: AddressPort
  /** Best effort; `data` may be reused by the caller after the call returns. */
  send(data: Uint8Array, to: AddressPort): void
  /** One listener. `data` and `from` are valid during the call only, and the listener may write into `data`. */
  onMessage(listener: (data: Uint8Array, from: AddressPort) => void): void
  close(): void
}

/** A socket that has datagrams built where it sends them from. */
export interface BuildingSocket extends UdpSocket {
  /** Room for the next datagram, 1600 octets; the same until it is sent. */
  slot(): Uint8Array
  /** Sends the first `length` octets of the slot. */
  sendSlot(length: number, to: AddressPort): void
  /** The same socket for datagrams that may wait for so long, ms, so that several for one receiver go down as one piece; left out: it cannot. */
  held?(ms: number): BuildingSocket
}

const SLOT_OCTETS = 1600

/**
 * `length` octets of one buffer into another, without the view that `set` would need. Some fifteen instructions for each: a whole
 * packet is better given to `set`.
 */
export function copyOctets(from: Uint8Array, length: number, to: Uint8Array, fromAt = 0, toAt = 0): void {
  for (let i = 0; i < length; i++) to[toAt + i] = from[fromAt + i]!
}

/** The same over any socket. */
export function buildingSocket(socket: UdpSocket): BuildingSocket {
  if ('sendSlot' in socket) return socket as BuildingSocket
  const slot = new Uint8Array(SLOT_OCTETS)
  return {
    local: socket.local,
    send: (data, to) => socket.send(data, to),
    onMessage: (listener) => socket.onMessage(listener),
    close: () => socket.close(),
    slot: () => slot,
    sendSlot: (length, to) => socket.send(slot.subarray(0, length), to),
  }
}

/** Sends the first `length` octets of `buf`, which may be the socket's own slot: then nothing is copied. */
export function sendFrom(socket: BuildingSocket, buf: Uint8Array, length: number, to: AddressPort): void {
  if (buf === socket.slot()) socket.sendSlot(length, to)
  else socket.send(buf.subarray(0, length), to)
}

export interface UdpPort {
  /** Port 0 picks a free one. Rejects with the system's error when the address cannot be bound. */
  bind(at: AddressPort): Promise<UdpSocket>
}
