/** An even port for RTP with the odd one above it for RTCP (RFC 3550 §11). */
import type { Result } from '../../base/result.ts'
import { err, ok } from '../../base/result.ts'
import type { UdpPort, UdpSocket } from '../../net/udp.ts'

const TRIES = 64

export interface RtpPair {
  readonly rtp: UdpSocket
  readonly rtcp: UdpSocket
}

export async function bindRtpPair(udp: UdpPort, address: string): Promise<Result<RtpPair>> {
  let last = 'no even port with a free neighbour'
  for (let i = 0; i < TRIES; i++) {
    let first: UdpSocket
    try {
      first = await udp.bind({ address, port: 0 })
    } catch (e) {
      return err('NET_BIND', e instanceof Error ? e.message : String(e))
    }
    const { port } = first.local
    try {
      // An odd port found first is the RTCP half.
      const second = await udp.bind({ address, port: port % 2 === 0 ? port + 1 : port - 1 })
      return ok(port % 2 === 0 ? { rtp: first, rtcp: second } : { rtp: second, rtcp: first })
    } catch (e) {
      last = e instanceof Error ? e.message : String(e)
      first.close()
    }
  }
  return err('NET_BIND', last)
}
