/** RTCP from one end of a bridged call to the other (RFC 3550 §7.2), with nothing in it that is not for the other side. */
import type { Ssrc } from '../../base/brand.ts'
import { cname, type ReportBlock, type RtcpPacket, writeRtcp } from '../../protocol/rtp/rtcp.ts'

/** What of an end the translation needs. */
export interface ReportedEnd {
  /** Of the stream that goes out there. */
  readonly ssrc: Ssrc
  readonly packets: number
  readonly octets: number
  readonly translator: { readonly source: Ssrc | undefined; timestampOf(ssrc: Ssrc, timestamp: number): number | undefined }
  originOf(wireSequence: number): number | undefined
}

/**
 * `at`: where it came in. The first report is translated: SSRCs, the RTP timestamp, the counts of a
 * sender (ours: the stream may have had several sources), the highest sequence number of a receiver.
 * NTP times and LSR/DLSR pass, so that round-trip times are measured from end to end. Names (SDES) are
 * replaced by the stream's number; BYE stays here, because our stream goes on after its sources; the
 * rest was negotiated with nobody. Undefined: nothing to say.
 */
export function translateReport(packets: readonly RtcpPacket[], at: ReportedEnd, to: ReportedEnd): RtcpPacket[] | undefined {
  const report = packets[0]
  if (report?.kind !== 'sr' && report?.kind !== 'rr') return undefined
  const reports = report.reports.flatMap((b) => (b.ssrc === at.ssrc ? translateBlock(b, at) : []))
  const timestamp = report.kind === 'sr' && to.packets > 0 ? to.translator.timestampOf(report.ssrc, report.timestamp) : undefined
  if (report.kind === 'sr' && timestamp !== undefined) {
    const { packets: count, octets } = to
    return [{ kind: 'sr', ssrc: to.ssrc, ntp: report.ntp, timestamp, packets: count % 0x1_0000_0000, octets: octets % 0x1_0000_0000, reports }, anonymous(to.ssrc)]
  }
  return reports.length === 0 ? undefined : [{ kind: 'rr', ssrc: to.ssrc, reports }, anonymous(to.ssrc)]
}

function translateBlock(block: ReportBlock, at: ReportedEnd): ReportBlock[] {
  const ssrc = at.translator.source
  const highestSequence = at.originOf(block.highestSequence & 0xffff)
  return ssrc === undefined || highestSequence === undefined ? [] : [{ ...block, ssrc, highestSequence: highestSequence % 0x1_0000_0000 }]
}

/** The end of a stream of ours (RFC 3550 §6.3.7). */
export const goodbye = (ssrc: Ssrc): Uint8Array =>
  writeRtcp([{ kind: 'rr', ssrc, reports: [] }, anonymous(ssrc), { kind: 'bye', ssrcs: [ssrc], reason: new Uint8Array(0) }])

/** A canonical name that says nothing but which stream it is (RFC 7022 §4.2 asks for such). */
const anonymous = (ssrc: Ssrc): RtcpPacket => cname(ssrc, ssrc.toString(16).padStart(8, '0'))
