/** Reads RTCP compound packets (RFC 3550 §6, validity by A.2). */
import type { Ssrc } from '../../base/brand.ts'
import { ByteReader } from '../../base/bytes.ts'
import type { Result } from '../../base/result.ts'
import { err, ok } from '../../base/result.ts'
import type { ReportBlock, RtcpPacket, SdesItem } from './rtcp.ts'
import { RTCP_TYPE } from './rtcp.ts'

/** Larger than any compound that fits a datagram of a telephone: bounds the work for one. */
const MAX_PACKETS = 32

/**
 * The packets of one compound, views into `bytes`. It must begin with a report (RFC 3550 §6.1; reduced
 * size, RFC 5506, is never negotiated), be filled exactly, and carry padding in its last packet only.
 */
export function parseRtcp(bytes: Uint8Array): Result<RtcpPacket[]> {
  const packets: RtcpPacket[] = []
  const r = new ByteReader(bytes)
  while (r.left > 0) {
    if (packets.length === MAX_PACKETS) return malformed('too many packets in one compound')
    const first = r.u8()
    const type = r.u8()
    const length = 4 * r.u16()
    let body = r.take(length)
    if (r.failed) return malformed('cut off')
    if (first >> 6 !== 2) return malformed('version is not 2')
    if (packets.length === 0 && type !== RTCP_TYPE.sr && type !== RTCP_TYPE.rr) return malformed('does not begin with a report')
    if ((first & 0x20) !== 0) {
      const padding = body[body.length - 1] ?? 0
      if (r.left > 0 || padding === 0 || padding % 4 !== 0 || padding > body.length) return malformed('padding')
      body = body.subarray(0, body.length - padding)
    }
    const packet = parsePacket(type, first & 0x1f, body)
    if (packet === undefined) return malformed(`body of packet type ${type}`)
    packets.push(packet)
  }
  return packets.length === 0 ? malformed('empty') : ok(packets)
}

const malformed = (detail: string) => err('RTCP_MALFORMED', detail)

function parsePacket(type: number, count: number, body: Uint8Array): RtcpPacket | undefined {
  const r = new ByteReader(body)
  switch (type) {
    case RTCP_TYPE.sr: {
      const sr = { kind: 'sr', ssrc: u32(r), ntp: r.u64(), timestamp: r.u32(), packets: r.u32(), octets: r.u32(), reports: parseReports(r, count) } as const
      return r.failed ? undefined : sr // What follows is a profile's extension (RFC 3550 §6.4.3).
    }
    case RTCP_TYPE.rr: {
      const rr = { kind: 'rr', ssrc: u32(r), reports: parseReports(r, count) } as const
      return r.failed ? undefined : rr
    }
    case RTCP_TYPE.sdes:
      return parseSdes(r, count)
    case RTCP_TYPE.bye: {
      const ssrcs = Array.from({ length: count }, () => u32(r))
      const reason = r.left > 0 ? r.take(r.u8()) : new Uint8Array(0)
      return r.failed ? undefined : { kind: 'bye', ssrcs, reason }
    }
    case RTCP_TYPE.app: {
      const app = { kind: 'app', subtype: count, ssrc: u32(r), name: r.take(4), data: r.rest() } as const
      return r.failed ? undefined : app
    }
    default:
      return { kind: 'other', type, count, body }
  }
}

const u32 = (r: ByteReader): Ssrc => r.u32() as Ssrc

function parseReports(r: ByteReader, count: number): ReportBlock[] {
  return Array.from({ length: count }, () => ({
    ssrc: u32(r),
    fractionLost: r.u8(),
    lost: (r.u24() << 8) >> 8,
    highestSequence: r.u32(),
    jitter: r.u32(),
    lastReport: r.u32(),
    delaySinceLastReport: r.u32(),
  }))
}

function parseSdes(r: ByteReader, count: number): RtcpPacket | undefined {
  const chunks: { ssrc: Ssrc; items: SdesItem[] }[] = []
  for (let i = 0; i < count; i++) {
    const ssrc = u32(r)
    const items: SdesItem[] = []
    for (let type = r.u8(); type !== 0; type = r.u8()) items.push({ type, text: r.take(r.u8()) })
    while (r.at % 4 !== 0 && !r.failed) r.u8()
    chunks.push({ ssrc, items })
  }
  return r.done ? { kind: 'sdes', chunks } : undefined
}
