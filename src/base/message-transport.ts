/** A connection that carries whole messages in order, whatever is below it. */
export interface MessageTransport {
  send(octets: Uint8Array): void
  /** Octets handed in and not yet taken by the network. */
  readonly waiting: number
  /** One listener. What came before it was set is kept for it. */
  onMessage(listener: (octets: Uint8Array) => void): void
  /** One listener, called once; also when set after the end. Code and reason of the WebSocket (RFC 6455 §7.4). */
  onClose(listener: (code: number, reason: string) => void): void
  /** Harmless when called again. */
  close(code?: number, reason?: string): void
}
