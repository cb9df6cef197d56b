/** A relayed call's packets at the client: a pair of ports towards the phone, two streams of the hop to the server. */
import { ssrc } from '../base/brand.ts'
import { makeFault, ok, type Result } from '../base/result.ts'
import type { MediaCommand, MediaEvent, PlainPeer } from '../media/api.ts'
import type { Announce } from './speech/announcer.ts'
import type { DescribedAudio, MediaLeg, RelayMedia } from '../telephony/relay/index.ts'

export type { Announce }

export class ClientRelayMedia implements RelayMedia {
  readonly #command: (c: MediaCommand) => void
  readonly #hop: number
  readonly #opening = new Map<number, (port: Result<number>) => void>()
  #next = 1

  readonly #announce: Announce | undefined

  /** `announce`: what phones are told about a call that stands. */
  constructor(command: (c: MediaCommand) => void, hop: number, announce?: Announce) {
    this.#announce = announce
    this.#command = command
    this.#hop = hop
  }

  open(address: string, ready: (port: Result<number>) => void): MediaLeg {
    const call = this.#next++
    let local: DescribedAudio | undefined
    let far: DescribedAudio | undefined
    const told = onceAnswered(this.#announce, () => [call, local, far])
    const peer = (): void => {
      if (local !== undefined) this.#command({ op: 'call.peer', call, peer: peerOf(local, far) })
      told.described()
    }
    this.#opening.set(call, ready)
    this.#command({ op: 'call.open', call, bind: address })
    return {
      // The server names them.
      streams: undefined,
      join: (s) => this.#command({ op: 'call.streams', call, streams: { hop: this.#hop, send: ssrc(s.up), receive: ssrc(s.down) } }),
      local: (described) => {
        local = described
        peer()
      },
      far: (described) => {
        far = described
        peer()
      },
      answered: told.answered,
      close: () => {
        told.closed()
        this.#opening.delete(call)
        this.#command({ op: 'call.close', call })
      },
    }
  }

  onMedia(e: MediaEvent): void {
    if (e.op === 'call.opened') this.#ready(e.call, ok(e.rtp.port))
    else if (e.op === 'fault' && e.about.startsWith('call ')) this.#ready(Number(e.about.slice(5)), { ok: false, fault: makeFault('MEDIA_LIMIT', e.message) })
  }
  #ready(call: number, port: Result<number>): void {
    const ready = this.#opening.get(call)
    this.#opening.delete(call)
    ready?.(port)
  }
}

/** Under the phone's own keys where it has some. A phone needs no filling: what the PBX does not send is silence there too. */
export function peerOf(local: DescribedAudio, far: DescribedAudio | undefined): PlainPeer {
  const common = local.formats.find((f) => f.name !== 'telephone-event' && (far === undefined || far.formats.some((g) => g.name === f.name)))
  return { rtp: { address: local.address, port: local.port }, rtcp: { address: local.address, port: local.rtcpPort }, ...(common === undefined ? {} : { clockRate: common.clockHz }), ...(local.srtp === undefined ? {} : { srtp: local.srtp }) }
}

/** Told once, when the call stands and both have said what they take: an offer in the 2xx is answered after it (RFC 3261 §13.2.1). */
export function onceAnswered(announce: Announce | undefined, now: () => readonly [call: number, local: DescribedAudio | undefined, far: DescribedAudio | undefined]): { answered(): void; described(): void; closed(): void } {
  let state: 'early' | 'answered' | 'told' | 'closed' = 'early'
  const described = (): void => {
    const [call, local, far] = now()
    if (state !== 'answered' || local === undefined || far === undefined) return
    state = 'told'
    announce?.(call, local, far, () => state === 'told')
  }
  return {
    described,
    closed: () => void (state = 'closed'),
    answered: () => {
      if (state === 'early') state = 'answered'
      described()
    },
  }
}
