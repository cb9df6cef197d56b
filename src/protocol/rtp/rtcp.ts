/** RTCP compound packets (RFC 3550 §6): the packet types, and writing them. Reading: rtcp-parse.ts. */
import type { Ssrc } from '../../base/brand.ts'
import { ByteWriter, concat, utf8 } from '../../base/bytes.ts'

/** RFC 3550 §12.1. */
export const RTCP_TYPE = { sr: 200, rr: 201, sdes: 202, bye: 203, app: 204 } as const
/** RFC 3550 §6.5. */
export const SDES_CNAME = 1

export interface ReportBlock {
  readonly ssrc: Ssrc
  /** Lost since the previous report, in 1/256. */
  readonly fractionLost: number
  /** Since the beginning, 24 bits signed. */
  readonly lost: number
  /** Rollovers (16 bits) and highest sequence number (16 bits). */
  readonly highestSequence: number
  /** In timestamp units. */
  readonly jitter: number
  /** Middle 32 bits of the last sender report's NTP time, 0 for none. */
  readonly lastReport: number
  /** In 1/65536 s. */
  readonly delaySinceLastReport: number
}

export interface SdesItem {
  readonly type: number
  readonly text: Uint8Array
}

export type RtcpPacket =
  | { readonly kind: 'sr'; readonly ssrc: Ssrc; readonly ntp: bigint; readonly timestamp: number; readonly packets: number; readonly octets: number; readonly reports: readonly ReportBlock[] }
  | { readonly kind: 'rr'; readonly ssrc: Ssrc; readonly reports: readonly ReportBlock[] }
  | { readonly kind: 'sdes'; readonly chunks: readonly { readonly ssrc: Ssrc; readonly items: readonly SdesItem[] }[] }
  | { readonly kind: 'bye'; readonly ssrcs: readonly Ssrc[]; readonly reason: Uint8Array }
  | { readonly kind: 'app'; readonly subtype: number; readonly ssrc: Ssrc; readonly name: Uint8Array; readonly data: Uint8Array }
  /** A type that we do not read, e.g. feedback (RFC 4585). */
  | { readonly kind: 'other'; readonly type: number; readonly count: number; readonly body: Uint8Array }

/** The whole compound. Throws a RangeError where a count or text does not fit its field: our bug. */
export const writeRtcp = (packets: readonly RtcpPacket[]): Uint8Array => concat(...packets.map(writePacket))

/** The sender's canonical name, which every compound has to carry (RFC 3550 §6.1). */
export const cname = (ssrc: Ssrc, name: string): RtcpPacket => ({ kind: 'sdes', chunks: [{ ssrc, items: [{ type: SDES_CNAME, text: utf8(name) }] }] })

function writePacket(p: RtcpPacket): Uint8Array {
  const w = new ByteWriter(64)
  switch (p.kind) {
    case 'sr':
      w.u32(p.ssrc).u64(p.ntp).u32(p.timestamp).u32(p.packets).u32(p.octets)
      writeReports(w, p.reports)
      return framed(RTCP_TYPE.sr, p.reports.length, w.finish())
    case 'rr':
      writeReports(w.u32(p.ssrc), p.reports)
      return framed(RTCP_TYPE.rr, p.reports.length, w.finish())
    case 'sdes':
      for (const chunk of p.chunks) writeChunk(w, chunk.ssrc, chunk.items)
      return framed(RTCP_TYPE.sdes, p.chunks.length, w.finish())
    case 'bye':
      for (const s of p.ssrcs) w.u32(s)
      if (p.reason.length > 0) pad(w.u8(octet(p.reason.length)).put(p.reason))
      return framed(RTCP_TYPE.bye, p.ssrcs.length, w.finish())
    case 'app':
      if (p.name.length !== 4) throw new RangeError('an APP name has four octets')
      return framed(RTCP_TYPE.app, p.subtype, w.u32(p.ssrc).put(p.name).put(p.data).finish())
    case 'other':
      return framed(p.type, p.count, p.body)
  }
}

function writeReports(w: ByteWriter, reports: readonly ReportBlock[]): void {
  for (const r of reports) {
    w.u32(r.ssrc).u8(r.fractionLost).u8(r.lost >> 16).u16(r.lost & 0xffff)
    w.u32(r.highestSequence).u32(r.jitter).u32(r.lastReport).u32(r.delaySinceLastReport)
  }
}

/** RFC 3550 §6.5: items, then at least one zero octet up to the next word. */
function writeChunk(w: ByteWriter, ssrc: Ssrc, items: readonly SdesItem[]): void {
  w.u32(ssrc)
  for (const item of items) w.u8(item.type).u8(octet(item.text.length)).put(item.text)
  pad(w.u8(0))
}

function pad(w: ByteWriter): void {
  while (w.length % 4 !== 0) w.u8(0)
}

function octet(n: number): number {
  if (n > 255) throw new RangeError('RTCP text longer than 255 octets')
  return n
}

/** RFC 3550 §6.4.1: version, count, type, length in words minus one. */
function framed(type: number, count: number, body: Uint8Array): Uint8Array {
  if (count > 31 || body.length % 4 !== 0 || body.length > 0xffff * 4) throw new RangeError('RTCP packet does not fit its header')
  return new ByteWriter(4 + body.length).u8(0x80 | count).u8(type).u16(body.length / 4).put(body).finish()
}
