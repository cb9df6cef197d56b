/** The SIP relay: one stateful proxy cut in two. */
export { Downstream, isEmergencyUri } from './downstream.ts'
export { userOf } from './extensions.ts'
export { RelayHalf } from './half.ts'
export type { AgreedKeys, KeyRules } from './keying.ts'
export type { MediaLeg, RelayMedia } from './media.ts'
export { type DescribedAudio, pointAt, readDescription } from './sdp.ts'
export type { HopStreams, TunnelMessage, TunnelSend } from './tunnel.ts'
export { type UpstreamHalf, UpstreamRelay } from './upstream.ts'
