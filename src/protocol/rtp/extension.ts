/**
 * Header extensions, one-byte form (RFC 8285 §4.2), and the client-to-mixer audio level (RFC 6464).
 *
 * |       0xBE    |    0xDE       |        length in words        |
 * |  ID   | len-1 |     data ...  |  ID   | len-1 | data | padding 0 |
 */
import type { RtpHeader } from './header.ts'
import { writeU16 } from './octets.ts'

const ONE_BYTE_PROFILE = 0xbede
/** RFC 8285 §4.2: reserved, stops the parsing of the element list. */
const ID_STOP = 15

/** Offset of the data of element `id` (1–14), or -1. Its length is `elementLength`. A list that is cut off ends there. */
export function findElement(packet: Uint8Array, header: RtpHeader, id: number): number {
  if (header.extensionProfile !== ONE_BYTE_PROFILE) return -1
  const end = header.extensionAt + header.extensionLength
  let at = header.extensionAt
  while (at < end) {
    const first = packet[at]!
    if (first === 0) {
      at++ // Padding between elements.
      continue
    }
    const found = first >> 4
    const next = at + 2 + (first & 0x0f)
    if (found === ID_STOP || next > end) return -1
    if (found === id && id !== 0) return at + 1
    at = next
  }
  return -1
}

/** Octets of the element whose data starts at `dataAt`. */
export const elementLength = (packet: Uint8Array, dataAt: number): number => (packet[dataAt - 1]! & 0x0f) + 1

/** RFC 6464 §3: 0 is loudest (0 dBov), 127 silence; -1 when the packet has no level. The V bit is not part of it. */
export function audioLevelOf(packet: Uint8Array, header: RtpHeader, id: number): number {
  const at = findElement(packet, header, id)
  return at < 0 || elementLength(packet, at) !== 1 ? -1 : packet[at]! & 0x7f
}

/** Octets that `writeAudioLevel` adds to a header. */
export const AUDIO_LEVEL_OCTETS = 8

/** Adds the level as the only extension behind the fixed header that ends at `at`. Gives the payload's offset. */
export function writeAudioLevel(buf: Uint8Array, at: number, id: number, level: number, voiced: boolean): number {
  buf[0]! |= 0x10
  writeU16(buf, at, ONE_BYTE_PROFILE)
  writeU16(buf, at + 2, 1)
  buf[at + 4] = id << 4
  buf[at + 5] = (voiced ? 0x80 : 0) | (level & 0x7f)
  writeU16(buf, at + 6, 0)
  return at + AUDIO_LEVEL_OCTETS
}

/** Takes a header extension out of a packet in place, whatever is in it. Gives the new length. */
export function stripExtension(packet: Uint8Array, header: RtpHeader, length: number): number {
  if (header.extensionProfile < 0) return length
  const from = header.extensionAt - 4
  packet.copyWithin(from, header.payloadAt, length)
  packet[0]! &= 0xef
  return length - (header.payloadAt - from)
}
