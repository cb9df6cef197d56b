/** Session descriptions and audio negotiation as user agents see them. */
export type { AudioChoice, AudioPolicy, CodecName, LocalAudio } from './negotiate.ts'
export { acceptAnswer, buildAnswer, buildOffer, chooseAudio, isHeld, isSilent, maySend } from './negotiate.ts'
export { parseSdp } from './parse.ts'
export type { SdesKey, SdesSuite } from './sdes.ts'
export { sdesKeysOf, sdesLengths, sdesSuites, sdesValue } from './sdes.ts'
export { serialiseSdp } from './serialise.ts'
export type { MediaDescription, RtpFormat, SessionDescription } from './session.ts'
export { attributeOf, directionOf, rtpFormatsOf } from './session.ts'
