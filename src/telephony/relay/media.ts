/** What the relay needs of whatever moves a call's packets. */
import type { Fault, Result } from '../../base/result.ts'
import type { DescribedAudio } from './sdp.ts'
import type { HopStreams } from './tunnel.ts'

/** What a description is in the exchange of RFC 3264. */
export type Role = 'offer' | 'answer'
/** `refused`: an offer was not taken, and this is what stood before it. */
export type ToldRole = Role | 'refused'

/** The media of one call at one half: a port pair towards the local party, two streams on the way to the other half. */
export interface MediaLeg {
  /** What the other half has to know; only where we are the ones who name streams. */
  readonly streams: HopStreams | undefined
  /** The streams as the other half named them. */
  join(streams: HopStreams): void
  /** What the local party said of itself last. Undefined: it takes nothing. */
  local(described: DescribedAudio | undefined, role: ToldRole): void
  /** What the other party said of itself last: what the local party will get. */
  far(described: DescribedAudio | undefined, role: Role): void
  /** The call stands; not told of one for help. */
  answered?(): void
  /** A description of the local party was refused for this reason. */
  refused?(fault: Fault): void
  close(): void
}

export interface RelayMedia {
  /** Opens a pair of ports, RTP even and RTCP above, on `address`, which is ours towards the local party; `ready` is called once, maybe at once. */
  open(address: string, ready: (port: Result<number>) => void): MediaLeg
}
