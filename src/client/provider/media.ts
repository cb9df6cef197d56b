/**
 * A relayed call's packets where both halves of the relay are in this client: a pair of ports towards the phone, another
 * towards the provider. The provider's half names the call, as a server names its streams; the phone's half joins it.
 */
import { type Fault, makeFault, ok, type Result } from '../../base/result.ts'
import type { MediaCommand, MediaEvent } from '../../media/api.ts'
import type { DescribedAudio, MediaLeg, RelayMedia } from '../../telephony/relay/index.ts'
import { onceAnswered, peerOf } from '../relay-media.ts'
import type { Announce } from '../speech/announcer.ts'

/** What a call's two descriptions say, as the one who watches calls sees it. */
export interface LegNews {
  readonly call: number
  readonly side: 'phone' | 'provider'
  /** What this side's party said of itself last, and what it was told of the other. */
  readonly local: DescribedAudio | undefined
  readonly far: DescribedAudio | undefined
  /** Whose answer this is: the two descriptions stand (RFC 3264 §8). Absent: something is offered, or an offer was refused. */
  readonly answeredBy?: 'local' | 'far'
}

export interface ProviderMediaOptions {
  readonly command: (c: MediaCommand) => void
  /** The number of the leg at the provider, which is the call's, and of its phone's leg. */
  readonly onTied?: (call: number, phoneLeg: number) => void
  readonly onDescribed?: (news: LegNews) => void
  /** Either party wants something that is not relayed; the call stays as it is. */
  readonly onRefused?: (call: number, fault: Fault) => void
  readonly onClosed?: (call: number) => void
  /** What phones are told about a call that stands. */
  readonly announce?: Announce
}

export class ProviderMedia {
  readonly #o: ProviderMediaOptions
  readonly #opening = new Map<number, (port: Result<number>) => void>()
  #next: number
  readonly phoneSide: RelayMedia = { open: (address, ready) => this.#open('phone', address, ready) }
  readonly providerSide: RelayMedia = { open: (address, ready) => this.#open('provider', address, ready) }

  /** `first`: of the numbers for its legs. */
  constructor(options: ProviderMediaOptions, first = 1) {
    this.#o = options
    this.#next = first
  }

  #open(side: LegNews['side'], address: string, ready: (port: Result<number>) => void): MediaLeg {
    const leg = this.#next++
    const { command } = this.#o
    let call = side === 'provider' ? leg : undefined
    let local: DescribedAudio | undefined
    let far: DescribedAudio | undefined
    const told = onceAnswered(side === 'phone' ? this.#o.announce : undefined, () => [leg, local, far])
    const described = (answeredBy?: LegNews['answeredBy']): void => {
      if (local !== undefined) command({ op: 'call.peer', call: leg, peer: peerOf(local, far) })
      if (call !== undefined) this.#o.onDescribed?.({ call, side, local, far, ...(answeredBy === undefined ? {} : { answeredBy }) })
      told.described()
    }
    this.#opening.set(leg, ready)
    command({ op: 'call.open', call: leg, bind: address })
    return {
      streams: side === 'provider' ? { up: leg, down: leg } : undefined,
      join: ({ up }) => {
        if (side === 'provider' || call === up) return
        call = up
        command({ op: 'call.tie', call: leg, to: up })
        this.#o.onTied?.(up, leg)
        described()
      },
      local: (d, role) => {
        local = d
        described(role === 'answer' ? 'local' : undefined)
      },
      far: (d, role) => {
        far = d
        described(role === 'answer' ? 'far' : undefined)
      },
      answered: told.answered,
      refused: (fault) => {
        if (call !== undefined) this.#o.onRefused?.(call, fault)
      },
      close: () => {
        told.closed()
        this.#opening.delete(leg)
        command({ op: 'call.close', call: leg })
        if (side === 'provider') this.#o.onClosed?.(leg)
      },
    }
  }

  onMedia(e: MediaEvent): void {
    if (e.op === 'call.opened') this.#ready(e.call, ok(e.rtp.port))
    else if (e.op === 'fault' && e.about.startsWith('call ')) this.#ready(Number(e.about.slice(5)), { ok: false, fault: makeFault('MEDIA_LIMIT', e.message) })
  }
  #ready(leg: number, port: Result<number>): void {
    const ready = this.#opening.get(leg)
    this.#opening.delete(leg)
    ready?.(port)
  }
}
