/** A TLS connection as far as hop keys need it, and what one side of the agreement keeps meanwhile. */
import type { HopOfferState } from '../../protocol/hop/agreement.ts'

export interface HopConnection {
  /** TLS-Exporter (RFC 8446 §7.5). Undefined until the server is verified, and after the end. */
  exporter(label: string, context: Uint8Array, length: number): Uint8Array | undefined
  /** The offer that waits for its answer. */
  offer: HopOfferState | undefined
  /** Newest generation offered; none is used twice on a connection. */
  generation: number
  /** Something was revoked: ends when the server's certificate was. */
  recheck(): void
  end(): void
}
