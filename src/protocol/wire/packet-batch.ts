/** Media over TLS: the SRTP and SRTCP packets of one tick in one message, each after its length (2 octets). */
import { ByteReader, ByteWriter } from '../../base/bytes.ts'
import type { Result } from '../../base/result.ts'
import { err, ok } from '../../base/result.ts'

export const MEDIA_PROTOCOL = 'stc.media.v1'
/** One packet; no SRTP packet of ours comes near. */
export const PACKET_LIMIT = 2048
export const BATCH_PACKETS = 512
export const BATCH_OCTETS = 256 * 1024
/** What is older than this is not worth sending any more. */
export const BATCH_QUEUE_MS = 60
/** Packets of one tick go together. */
export const BATCH_TICK_MS = 2

export function encodeBatch(packets: readonly Uint8Array[]): Uint8Array {
  const w = new ByteWriter(2048)
  for (const p of packets) w.vec16(p)
  return w.finish()
}

/** Views of the message. */
export function decodeBatch(message: Uint8Array): Result<Uint8Array[]> {
  if (message.length > BATCH_OCTETS) return err('CHANNEL_TOO_LONG', `${message.length} octets of media`)
  const r = new ByteReader(message)
  const packets: Uint8Array[] = []
  while (!r.failed && r.left > 0) {
    const p = r.vec16()
    if (p.length === 0 || p.length > PACKET_LIMIT || packets.length === BATCH_PACKETS) return err('CHANNEL_BAD_MESSAGE', 'media packets of a wrong size or number')
    packets.push(p)
  }
  return r.failed ? err('CHANNEL_BAD_MESSAGE', 'a media packet ends early') : ok(packets)
}
