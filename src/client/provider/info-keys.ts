/**
 * Key presses that a phone sends as INFO in calls that a kind of call has its hand on: read here, as those in the sound are (`media/session/sealed-call`),
 * and kept from the provider where nothing else may pass in clear either. In every other call INFO goes on as it is.
 */
import type { SealedMedia } from '../../media/api.ts'
import { contentTypeOf, makeReply, serialise, type SipRequest } from '../../protocol/sip/index.ts'
import type { TunnelMessage } from '../../telephony/relay/index.ts'
import { digitOfInfo } from '../handset/sip/dtmf.ts'
import { requestIn } from './tunnel-request.ts'

export interface InfoKeysOptions {
  /** Calls through providers of this Call-ID. */
  readonly callsOf: (callId: string) => readonly number[]
  /** Whether it belongs to a call of a phone of ours, by its tags: a Call-ID alone says nothing of who speaks. */
  readonly knows: (request: SipRequest) => boolean
  readonly onDigit: (call: number, digit: string) => void
}

/** Of whatever maker: what cannot be read may still be a key. */
const KEYS = /dtmf|digits|telephone-event/
/** Known to hold nothing that a person pressed or said (RFC 5168). */
const HARMLESS = new Set(['application/media_control+xml'])

export class InfoKeys {
  readonly #o: InfoKeysOptions
  /** Nothing of the phone's may go to the provider as it is. */
  readonly #shut = new Set<number>()

  constructor(options: InfoKeysOptions) {
    this.#o = options
  }
  gate(call: number, sealed: SealedMedia | undefined): void {
    if (sealed !== undefined && (sealed.sealed || sealed.up !== 'pass')) this.#shut.add(call)
    else this.#shut.delete(call)
  }
  closed(call: number): void {
    this.#shut.delete(call)
  }

  /** The answer to what a phone said, where that is for us alone. */
  answer(m: TunnelMessage): TunnelMessage | undefined {
    const request = m.k === 'sip-request' ? requestIn(m, 'INFO') : undefined
    if (m.k !== 'sip-request' || request === undefined) return undefined
    const type = contentTypeOf(request)
    if (request.body.length === 0 || HARMLESS.has(type)) return undefined
    const calls = this.#o.callsOf(request.callId)
    // As it is now: the key that opens a call is ours to its end.
    const shut = calls.some((c) => this.#shut.has(c))
    const [ours, key] = [this.#o.knows(request), KEYS.test(type)]
    const digit = ours && key ? digitOfInfo(type, request.body) : undefined
    if (digit !== undefined) for (const c of calls) this.#o.onDigit(c, digit)
    return shut ? { k: 'sip-response', id: m.id, message: serialise(makeReply(request, !ours ? 481 : key ? 200 : 415)) } : undefined
  }
}
