/** A phone's packets at the server: a plain leg towards it under SRTP, tied to the plain leg towards the PBX. */
import { ok } from '../../base/result.ts'
import type { LegId, PlainPeer, PlaneHandle } from '../../media/plane/types.ts'
import type { DescribedAudio, HopStreams, MediaLeg, RelayMedia } from '../../telephony/relay/index.ts'
import { serverMedia } from '../sip/media.ts'
import type { SsrcAllocator } from '../ssrc.ts'

export interface PhoneMediaOptions {
  readonly plane: Pick<PlaneHandle, 'openPlain' | 'negotiate' | 'bridge' | 'close'>
  readonly ssrcs: Pick<SsrcAllocator, 'next'>
}

interface Tied {
  pbx: LegId | undefined
  phone: LegId | undefined
}

/** Both halves' media of one phone: calls find each other by the numbers of their streams. */
export function phoneMedia({ plane, ssrcs }: PhoneMediaOptions): { readonly towardsPhone: RelayMedia; readonly towardsPbx: RelayMedia } {
  const calls = new Map<number, Tied>()
  // One media thread has both legs of a call.
  const home = ssrcs.next()
  const set = (call: number, end: keyof Tied, leg: LegId | undefined): void => {
    const tied = calls.get(call) ?? { pbx: undefined, phone: undefined }
    calls.set(call, tied)
    tied[end] = leg
    if (tied.pbx !== undefined && tied.phone !== undefined) plane.bridge(tied.pbx, { kind: 'plain', leg: tied.phone })
    else if (tied.pbx === undefined && tied.phone === undefined) calls.delete(call)
  }
  const towardsPbx = serverMedia({
    plane,
    streams: {
      take: () => ({ up: ssrcs.next(home), down: 0 }),
      giveBack: (streams) => set(streams.up, 'pbx', undefined),
    },
    tie: (leg, streams) => set(streams.up, 'pbx', leg),
  })
  const towardsPhone: RelayMedia = {
    open(address, ready): MediaLeg {
      let leg: LegId | undefined
      let call: number | undefined
      let closed = false
      let local: DescribedAudio | undefined
      const negotiate = (): void => {
        if (leg !== undefined && local?.srtp !== undefined) plane.negotiate(leg, peerOf(local))
      }
      const tie = (): void => {
        if (leg !== undefined && call !== undefined && !closed) set(call, 'phone', leg)
      }
      void plane.openPlain({ bind: address, beside: home }).then((opened) => {
        if (!opened.ok) return ready(opened)
        leg = opened.value.leg
        if (closed) plane.close(leg)
        tie()
        negotiate()
        ready(ok(opened.value.rtp.port))
      })
      return {
        streams: undefined,
        join: (streams: HopStreams) => {
          call = streams.up
          tie()
        },
        local: (described) => {
          local = described
          negotiate()
        },
        far: () => {},
        close: () => {
          closed = true
          if (call !== undefined && leg !== undefined) set(call, 'phone', undefined)
          if (leg !== undefined) plane.close(leg)
        },
      }
    },
  }
  return { towardsPhone, towardsPbx }
}

/** Never without keys. */
function peerOf(local: DescribedAudio): PlainPeer {
  const { address, port, rtcpPort, srtp, formats } = local
  const clockRate = formats.find((f) => f.name !== 'telephone-event')?.clockHz
  return { rtp: { address, port }, rtcp: { address, port: rtcpPort }, ...(clockRate === undefined ? {} : { clockRate }), ...(srtp === undefined ? {} : { srtp }) }
}
