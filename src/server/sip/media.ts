/** A relayed call's packets at the server: a plain leg towards the PBX, tied to whatever leads to the phone. */
import { ssrc } from '../../base/brand.ts'
import { type Fault, makeFault, ok } from '../../base/result.ts'
import { silence } from '../../media/plain/silence.ts'
import type { LegId, PlainPeer, PlaneHandle } from '../../media/plane/types.ts'
import type { DescribedAudio, HopStreams, MediaLeg, RelayMedia } from '../../telephony/relay/index.ts'

export interface ServerMediaOptions {
  readonly plane: Pick<PlaneHandle, 'openPlain' | 'negotiate' | 'close'>
  /** The names of a call's two streams. */
  readonly streams: { take(): HopStreams; giveBack(streams: HopStreams): void }
  /** The leg towards the PBX is open. */
  readonly tie: (leg: LegId, streams: HopStreams) => void
}

/** To the client's hop. `hop`: its leg; undefined while it has no media yet. */
export const tieToHop = (plane: Pick<PlaneHandle, 'bridge'>, hop: () => LegId | undefined, report: (fault: Fault) => void): ServerMediaOptions['tie'] => (leg, streams) => {
  const to = hop()
  if (to === undefined) report(makeFault('MEDIA_HOP_UNKNOWN'))
  else plane.bridge(leg, { kind: 'hop', leg: to, receive: ssrc(streams.up), send: ssrc(streams.down) })
}

export const serverMedia = (o: ServerMediaOptions): RelayMedia => ({
  open(address, ready): MediaLeg {
    const streams = o.streams.take()
    let leg: LegId | undefined
    let closed = false
    let local: DescribedAudio | undefined
    let far: DescribedAudio | undefined
    const negotiate = (): void => {
      if (leg !== undefined && local !== undefined) o.plane.negotiate(leg, peerOf(local, far))
    }
    void o.plane.openPlain({ bind: address, beside: ssrc(streams.up) }).then((opened) => {
      if (!opened.ok) return ready(opened)
      leg = opened.value.leg
      if (closed) o.plane.close(leg)
      else o.tie(leg, streams)
      negotiate()
      ready(ok(opened.value.rtp.port))
    })
    return {
      streams,
      // The client names no streams.
      join: () => {},
      local: (described) => {
        local = described
        negotiate()
      },
      far: (described) => {
        far = described
        negotiate()
      },
      close: () => {
        closed = true
        if (leg !== undefined) o.plane.close(leg)
        o.streams.giveBack(streams)
      },
    }
  },
})

/**
 * A PBX hangs up on silence (`rtp_timeout`): a phone that is muted or holds sends none, so it is filled in, in the first
 * format of the PBX that the phone knows too.
 */
function peerOf(local: DescribedAudio, far: DescribedAudio | undefined): PlainPeer {
  const common = local.formats.find((f) => f.name !== 'telephone-event' && f.name !== 'cn' && (far === undefined || far.formats.some((g) => g.name === f.name && g.clockHz === f.clockHz)))
  const noise = local.formats.find((f) => f.name === 'cn')?.payloadType
  const filling = common === undefined ? undefined : silence(common.name, common.payloadType, noise)
  return {
    rtp: { address: local.address, port: local.port }, rtcp: { address: local.address, port: local.rtcpPort },
    ...(common === undefined ? {} : { clockRate: common.clockHz }), ...(filling === undefined ? {} : { filling }),
  }
}
