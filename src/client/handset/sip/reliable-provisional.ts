/** 180 Ringing, reliably where the phone requires it (RFC 3262). */
import type { Scheduler, Stop } from '../../../base/ports.ts'
import type { SipResponse } from '../../../protocol/sip/index.ts'
import { tokensOf } from '../../../protocol/sip/index.ts'
import type { Incoming } from '../../../telephony/endpoint.ts'
import { repeatUntilStopped } from './repeater.ts'

export class ReliableProvisional {
  readonly #scheduler: Scheduler
  readonly #invite: Incoming
  readonly #giveUp: () => void
  readonly #required: boolean
  /** 0: none sent. The first may be any; ours is always 1, for there is one invitation and one 180. */
  #rseq = 0
  #stop: Stop | undefined
  #outstanding = false

  /** @param giveUp nobody sent PRACK in 64·T1: the INVITE is to be refused (§3). */
  constructor(scheduler: Scheduler, invite: Incoming, giveUp: () => void) {
    this.#scheduler = scheduler
    this.#invite = invite
    this.#giveUp = giveUp
    this.#required = tokensOf(invite.request, 'Require').includes('100rel')
  }

  /** Not again while one waits for its PRACK (§3). */
  send(response: SipResponse): void {
    if (!this.#required) {
      this.#invite.respond(response)
      return
    }
    if (this.#outstanding) return
    this.#outstanding = true
    this.#rseq++
    const reliable = { ...response, headers: [...response.headers, { name: 'Require', value: '100rel' }, { name: 'RSeq', value: String(this.#rseq) }] }
    this.#stop = repeatUntilStopped(this.#scheduler, () => this.#invite.respond(reliable), this.#giveUp, Number.POSITIVE_INFINITY)
  }

  /** True when the RAck of a PRACK names what was sent (§7.2). */
  acknowledge(rack: string | undefined): boolean {
    const { number, method } = this.#invite.request.cseq
    if (!this.#outstanding || (rack ?? '').split(/[ \t]+/).join(' ') !== `${this.#rseq} ${number} ${method}`) return false
    this.#outstanding = false
    this.stop()
    return true
  }

  /** After a final response nothing is repeated, but a PRACK on its way is still answered (§3). */
  stop(): void {
    this.#stop?.()
  }
}
