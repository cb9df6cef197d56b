/** What the control part says to whoever seals and opens frames: keys, and whose they are. */
import type { Instant, Ssrc, UnixTime } from '../../base/brand.ts'
import type { RoomCodecName } from '../../model/policy.ts'
import type { SFrameSuite } from '../../protocol/sframe/key.ts'
import type { CallFrameCommand } from './call-engine.ts'

/** Leaf and stream of those who announced theirs. */
export type Streams = readonly (readonly [leaf: number, ssrc: Ssrc])[]

/** Leaf and last second in which its certificate and delegation hold. */
export type Holders = readonly (readonly [leaf: number, until: UnixTime])[]

export type FrameCommand =
  | { readonly op: 'begin'; readonly session: number; readonly codec: RoomCodecName }
  /** Frames of this epoch can be opened, none sealed yet. */
  | { readonly op: 'epoch'; readonly session: number; readonly epoch: bigint; readonly baseKey: Uint8Array; readonly leaves: readonly number[]; readonly ownLeaf: number; readonly removed: readonly number[] }
  | { readonly op: 'confirm'; readonly session: number; readonly epoch: bigint; readonly ownLeaf: number; readonly streams: Streams }
  | { readonly op: 'settle'; readonly session: number; readonly epoch: bigint }
  | { readonly op: 'abandon'; readonly session: number; readonly epoch: bigint }
  | { readonly op: 'stream'; readonly session: number; readonly leaf: number; readonly ssrc: Ssrc }
  /** Until when the certificates behind the leaves hold; replaces what was said before. */
  | { readonly op: 'holders'; readonly session: number; readonly until: Holders }
  /** Leaves whose frames are not opened; nothing is sealed after `until` either. Replaces what was said before. */
  | { readonly op: 'guard'; readonly session: number; readonly leaves: readonly number[]; readonly until?: Instant }
  | CallFrameCommand
  | { readonly op: 'end'; readonly session: number }

export const SFRAME_SUITE: SFrameSuite = 'AES_128_GCM_SHA256_128'
