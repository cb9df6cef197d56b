/** Why SRTP refused a packet. Numbers, because the packet path allocates nothing; `srtpFault` names them. */
import type { FaultCode } from '../../base/faults/index.ts'

export const SRTP_MALFORMED = -1
/** The buffer has no room for the tag. */
export const SRTP_NO_ROOM = -2
export const SRTP_REPLAYED = -3
/** Too far behind the newest to know whether it is a replay. */
export const SRTP_TOO_OLD = -4
export const SRTP_FORGED = -5
/** The master key has protected as much as it may (RFC 3711 §9.2). */
export const SRTP_EXPIRED = -6
/** A sender's sequence number does not advance: its IV could be one that was used. */
export const SRTP_REWOUND = -7
/** More streams than one key may carry. */
export const SRTP_STREAMS = -8
/** RTCP that its sender left unencrypted (E = 0). */
export const SRTP_UNENCRYPTED = -9

const FAULTS: Readonly<Record<number, FaultCode>> = {
  [SRTP_MALFORMED]: 'SRTP_MALFORMED',
  [SRTP_NO_ROOM]: 'SRTP_NO_ROOM',
  [SRTP_REPLAYED]: 'SRTP_REPLAYED',
  [SRTP_TOO_OLD]: 'SRTP_TOO_OLD',
  [SRTP_FORGED]: 'SRTP_FORGED',
  [SRTP_EXPIRED]: 'SRTP_EXPIRED',
  [SRTP_REWOUND]: 'SRTP_REWOUND',
  [SRTP_STREAMS]: 'SRTP_STREAMS',
  [SRTP_UNENCRYPTED]: 'SRTP_UNENCRYPTED',
}

export function srtpFault(refusal: number): FaultCode {
  const code = FAULTS[refusal]
  if (code === undefined) throw new RangeError(`${refusal} is no refusal of SRTP`)
  return code
}

/** What one master key may carry. Smaller in tests. */
export interface SrtpLimits {
  /** RTP packets in all, and the first index refused (RFC 3711 §9.2). */
  readonly packets: number
  readonly rtcpPackets: number
  /** Streams (SSRCs). They are never forgotten while the key lives: that would forget their IVs and replays. */
  readonly streams: number
}

export const SRTP_LIMITS: SrtpLimits = { packets: 2 ** 48, rtcpPackets: 2 ** 31, streams: 4096 }
