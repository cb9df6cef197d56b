/** Which bodies cross the relay, and how those that describe media are changed. */
import type { Result } from '../../base/result.ts'
import { err, makeFault, ok } from '../../base/result.ts'
import type { SipRequest, SipResponse } from '../../protocol/sip/index.ts'
import { contentTypeOf, headerOf } from '../../protocol/sip/index.ts'
import type { SipFlow } from '../transport.ts'
import type { Leg } from './leg.ts'
import type { Role } from './media.ts'
import { nowhere, pointAt, type ReadAudio, readDescription } from './sdp.ts'
import type { LocalSide } from './side.ts'

type Message = SipRequest | SipResponse

type ReadBody =
  | { readonly kind: 'other' }
  /** `described` undefined: all streams are refused. */
  | { readonly kind: 'sdp'; readonly described: ReadAudio | undefined }

/** Wherever a description stands it is read: none passes unseen. */
function readBody(m: Message, keyed: boolean): Result<ReadBody> {
  if (m.body.length === 0) return ok({ kind: 'other' })
  const encoding = headerOf(m, 'Content-Encoding')
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') return err('RELAY_BODY', 'Content-Encoding')
  const type = contentTypeOf(m)
  if (type.startsWith('multipart/') || type === 'application/sdp-fragment' || type === 'application/trickle-ice-sdpfrag') return err('RELAY_BODY', type.slice(0, 60))
  if (type !== 'application/sdp') return ok({ kind: 'other' })
  const described = readDescription(m.body, keyed)
  return described.ok ? ok({ kind: 'sdp', described: described.value }) : described
}

/** Where keys cannot be used the phone hears why. */
const barred = (body: Result<ReadBody>, leg: Leg | undefined): Result<ReadBody> =>
  !body.ok && body.fault.code === 'RELAY_SRTP' && typeof leg?.keyed === 'string' ? err('SDP_SRTP_REFUSED', leg.keyed) : body

export class Bodies {
  readonly #side: LocalSide

  constructor(side: LocalSide) {
    this.#side = side
  }

  /** Of a message of our side, for the other half: descriptions without our side's address. */
  out<M extends Message>(message: M, leg: Leg | undefined, flow: SipFlow, role: Role): Result<M> {
    const keyed = leg?.keyed === true
    const body = barred(readBody(message, keyed), leg)
    if (!body.ok) leg?.cannot(body.fault)
    if (!body.ok) return body
    if (body.value.kind === 'other') return ok(message)
    if (leg === undefined) return err('RELAY_MISMATCH', 'a session description outside a call')
    const { described } = body.value
    const placed = described === undefined ? undefined : this.#side.placed(described, flow)
    if (described !== undefined && placed === undefined) return err('RELAY_MEDIA_ELSEWHERE', described.address)
    const taken = leg.local(placed, role, message.callId)
    return taken.ok ? ok({ ...message, body: pointAt(message.body, nowhere, { keyed }) }) : taken
  }

  /** Of a message of the other half, for our side: descriptions with our address, once there is a port. */
  in<M extends Message>(message: M, leg: Leg | undefined, flow: SipFlow, role: Role, done: (m: Result<M>) => void): void {
    const body = readBody(message, false)
    if (!body.ok) return done(body)
    if (leg === undefined) return done(body.value.kind === 'other' ? ok(message) : err('RELAY_MISMATCH', 'a session description outside a call'))
    const description = body.value
    if (description.kind === 'sdp') leg.far(description.described, role)
    // A description that refuses everything needs no port.
    const needsPort = description.kind === 'sdp' && description.described !== undefined
    leg.run(needsPort, (port) => {
      if (description.kind === 'other') return done(ok(message))
      if (needsPort && port?.ok !== true) return done({ ok: false, fault: port?.ok === false ? port.fault : makeFault('RELAY_INTERNAL', 'no port') })
      const keys = needsPort ? leg.keysFor(role) : ok(undefined)
      if (!keys.ok) return done(keys)
      const at = { address: this.#side.mediaAddress(flow), port: port?.ok === true ? port.value : nowhere.port }
      done(ok({ ...message, body: pointAt(message.body, at, keys.value === undefined ? {} : { keys: keys.value }) }))
    })
  }
}
