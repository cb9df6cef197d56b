/** Calling people (docs/protocol/channel.md): towards clients with the capability `ring`. Part of the list in `messages.ts`. */
import type { RingEnd } from '../../model/ring.ts'

export const RING_CAPABILITY = 'ring'

/** Client → server. */
export interface RingClientWire {
  /** Rings wherever a certificate with this key or mail address is connected. `id` is the one in `ring`, signed; `chain` is the caller's, own certificate first. */
  ring: { id: string; to: string; ring: Uint8Array; chain: Uint8Array[] }
  /** The caller gives up (`cancelled`), or who is called answers, declines or is busy. */
  'ring-end': { id: string; reason: RingEnd }
}

/** Server → client. */
export interface RingServerWire {
  /** Somebody calls. */
  ring: { id: string; ring: Uint8Array; chain: Uint8Array[] }
  /** To the caller: it rings somewhere. */
  'ring-rings': { id: string }
  /** To both sides: it does not ring any more. */
  'ring-end': { id: string; reason: RingEnd }
}
