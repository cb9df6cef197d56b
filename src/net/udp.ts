/** The datagram port: real sockets in production, a simulated network in tests. */
import type { AddressPort } from './address.ts'

export interface UdpSocket {
  readonly local: AddressPort
  /** Best effort; `data` may be reused by the caller after the call returns. */
  send(data: Uint8Array, to: AddressPort): void
  /** One listener. `data` is valid during the call only, and the listener may write into it. */
  onMessage(listener: (data: Uint8Array, from: AddressPort) => void): void
  close(): void
}

export interface UdpPort {
  /** Port 0 picks a free one. Rejects with the system's error when the address cannot be bound. */
  bind(at: AddressPort): Promise<UdpSocket>
}
