/**
 * Path messages between client and server: RTCP APP packets named "stcp" (RFC 3550 §6.7), alone in
 * their packet (RFC 5506), always protected by SRTCP. All have one size, so an answer is never
 * longer than its question.
 *
 *    0                   1                   2                   3
 *   |V=2|0| subtype |   PT = 204    |          length = 5           |
 *   |                             SSRC                              |
 *   |                    "s"  "t"  "c"  "p"                         |
 *   |                       token (8 octets)                        |
 *   |     flags     |                   zero                        |
 */
import type { Ssrc } from '../../base/brand.ts'
import { ByteReader } from '../../base/bytes.ts'
import type { Result } from '../../base/result.ts'
import { err, ok } from '../../base/result.ts'

/** Client: are you there? Answered by an echo with the same token on the same path. */
export const PROBE = 0
export const ECHO = 1
/** Server: prove that you receive here. Answered by a response with the same token. */
export const CHALLENGE = 2
export const RESPONSE = 3
export type PathSubtype = typeof PROBE | typeof ECHO | typeof CHALLENGE | typeof RESPONSE

export const PATH_MESSAGE_OCTETS = 24
const APP = 204
const NAME = 0x73746370
/** In probes: send my media by this path from now on. */
const USE = 0x01

export interface PathMessage {
  readonly subtype: PathSubtype
  readonly ssrc: Ssrc
  /** 8 octets, chosen by who asks. */
  readonly token: Uint8Array
  readonly use: boolean
}

/** Writes the message at the start of `buf`; gives its length. */
export function writePathMessage(buf: Uint8Array, m: PathMessage): number {
  const view = new DataView(buf.buffer, buf.byteOffset, PATH_MESSAGE_OCTETS)
  view.setUint8(0, 0x80 | m.subtype)
  view.setUint8(1, APP)
  view.setUint16(2, PATH_MESSAGE_OCTETS / 4 - 1)
  view.setUint32(4, m.ssrc)
  view.setUint32(8, NAME)
  buf.set(m.token.subarray(0, 8), 12)
  view.setUint32(20, m.use ? USE << 24 : 0)
  return PATH_MESSAGE_OCTETS
}

/** `token` is a copy. Unknown flags are ignored; anything else unexpected is refused. */
export function readPathMessage(packet: Uint8Array): Result<PathMessage> {
  const r = new ByteReader(packet)
  const first = r.u8()
  const type = r.u8()
  const words = r.u16()
  const from = r.u32()
  const name = r.u32()
  const token = r.take(8).slice()
  const flags = r.u8()
  r.u24()
  if (!r.done) return err('MEDIA_PATH_MESSAGE', `${packet.length} octets`)
  if (first >>> 5 !== 0b100 || type !== APP || words !== PATH_MESSAGE_OCTETS / 4 - 1) return err('MEDIA_PATH_MESSAGE', 'not an APP packet')
  if (name !== NAME) return err('MEDIA_PATH_MESSAGE', 'another name')
  const subtype = first & 0x1f
  if (subtype > RESPONSE) return err('MEDIA_PATH_MESSAGE', `subtype ${subtype}`)
  return ok({ subtype: subtype as PathSubtype, ssrc: from as Ssrc, token, use: (flags & USE) !== 0 })
}
