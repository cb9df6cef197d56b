/**
 * Several planes on one port, each in a thread of its own. Who handles a packet is decided by its SSRC, so replay windows
 * and send counters, which belong to (key, SSRC), are never shared. What the planes of one client do tell each other: from where
 * it was heard, so that one of them, its *home*, can ask it there and write down where it is (whereabouts.ts); and under which keys.
 */
import { looksLikeRtcp } from '../../protocol/rtp/header.ts'
import { readU32 } from '../../protocol/rtp/octets.ts'
import type { PlaneLink } from './types.ts'

export const workerOf = (ssrc: number, workers: number): number => ssrc % workers

/** Whose packet this is, as the system steers datagrams (`steeringProgram`). */
export function workerOfPacket(packet: Uint8Array, workers: number): number {
  const at = looksLikeRtcp(packet, packet.length) ? 4 : 8
  return packet.length < at + 4 ? 0 : workerOf(readU32(packet, at), workers)
}

/** The one plane of a port. */
export const alone: PlaneLink = { worker: 0, workers: 1, send() {}, onMessage() {}, close() {} }
