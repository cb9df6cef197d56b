/** A way for whole SRTP packets that is not UDP: media over the second TLS connection. */
import type { MessagePortLike } from './api.ts'

export interface PacketPath {
  /** `data` may be reused by the caller after the call returns. */
  send(data: Uint8Array): void
  /** One listener, which may write into `data`. */
  onPacket(listener: (data: Uint8Array) => void): void
  close(): void
}

/** What a `MessagePort` of Node or of a browser gives us on the receiving side. */
export interface ListeningPort extends MessagePortLike {
  on(event: 'message', listener: (m: unknown) => void): unknown
}

/** One message is one packet; anything that is not a `Uint8Array` is dropped. */
export function portPath(port: ListeningPort): PacketPath {
  return {
    send: (data) => port.postMessage(data.slice()),
    onPacket: (listener) => void port.on('message', (m) => m instanceof Uint8Array && listener(m)),
    close: () => port.close(),
  }
}
