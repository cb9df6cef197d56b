/** Calls that begin while there is no room for them: refused before anybody rings. Emergency calls are not counted, nor asked. */
import type { Fault } from '../../base/result.ts'
import { tagOf } from '../../protocol/sip/index.ts'
import { isEmergencyUri, type TunnelMessage } from '../../telephony/relay/index.ts'
import { requestIn } from './tunnel-request.ts'

export interface Refusal {
  readonly status: number
  readonly fault: Fault
}

export interface CallDoorOptions {
  readonly isEmergency: (number: string) => boolean
  /** Why no other call may begin now; undefined: it may. */
  readonly refusal: (callId: string) => Refusal | undefined
}

export class CallDoor {
  readonly #o: CallDoorOptions

  constructor(options: CallDoorOptions) {
    this.#o = options
  }

  /** What is said to whom the message came from, in place of passing it on. */
  answer(m: TunnelMessage): Extract<TunnelMessage, { k: 'sip-refused' }> | undefined {
    if (m.k !== 'sip-request') return undefined
    const invite = requestIn(m, 'INVITE')
    // In a call that runs everything goes on as it was (RFC 3261 §12.2: a tag of the other side).
    if (invite === undefined || tagOf(invite.to) !== '') return undefined
    if (isEmergencyUri(invite.uri, this.#o.isEmergency)) return undefined
    const refusal = this.#o.refusal(invite.callId)
    if (refusal === undefined) return undefined
    const { status, fault } = refusal
    return { k: 'sip-refused', id: m.id, status, code: fault.code, reason: fault.message.slice(0, 300) }
  }
}
