/** Frames cross the vault's border in batches, one batch a tick: the hot path of every call. */
import type { Ssrc } from '../../base/brand.ts'

export interface Frame {
  readonly ssrc: Ssrc
  /** RTP timestamp; authenticated, so the server cannot move a frame in time. */
  readonly timestamp: number
  /** Plaintext frame to seal, or SFrame payload to open; after the call, the other one. */
  readonly data: Uint8Array
  /** A code of the fault registry: this frame was refused, `data` is empty. */
  readonly fault?: string
  /** On open: the leaf index that the key belongs to. */
  readonly leaf?: number
  /** On open, in a sealed call: what came besides sound (call-news.ts). */
  readonly news?: Uint8Array
}

/**
 * Low eight bits of the epoch that an SFrame payload was sealed under: those of its key id (RFC 9605 §4.3, §5.2).
 * In clear, and true only of what the vault has opened, which covers the header.
 */
export function epochBitsOf(sealed: Uint8Array): number {
  const field = (sealed[0] ?? 0) >> 4
  return field < 8 ? field : (sealed[1 + (field & 7)] ?? 0)
}

export interface FrameBatch {
  readonly op: 'seal' | 'open'
  /** The vault's number for the group, from `room.create` or `room.request`, or for the call, from `call.begin`. */
  readonly session: number
  readonly frames: readonly Frame[]
}

export interface FrameVault {
  /** Same order, same length. Never rejects: a dead vault gives a fault per frame. */
  frames(batch: FrameBatch): Promise<FrameBatch>
}
