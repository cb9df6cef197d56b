/** Dialogs (RFC 3261 §12) as plain data: what both ends remember, how requests inside are made and judged. */
import type { Result } from '../../base/result.ts'
import { err, ok } from '../../base/result.ts'
import type { Address } from './address.ts'
import { tagOf, withTag } from './address.ts'
import type { Header, SipMessage, SipRequest, SipResponse } from './message.ts'
import { addressesOf, contactOf, noBody } from './message.ts'
import { paramOf } from './scanner.ts'
import type { Uri } from './uri.ts'
import { sipUri } from './uri.ts'

export interface Dialog {
  readonly callId: string
  /** With our tag. */
  readonly local: Address
  /** With the peer's tag, if it has one. */
  readonly remote: Address
  readonly remoteTarget: Uri
  /** In the order in which requests travel. */
  readonly routeSet: readonly Address[]
  /** CSeq of our latest request. */
  readonly localSeq: number
  /** CSeq of the peer's latest request; undefined before the first. */
  readonly remoteSeq: number | undefined
}

/** Finds the dialog of a message: `local` and `remote` as seen by the one who looks. */
export const dialogKey = (callId: string, localTag: string, remoteTag: string): string => `${callId}|${localTag}|${remoteTag}`
export const keyOfDialog = (d: Dialog): string => dialogKey(d.callId, tagOf(d.local), tagOf(d.remote))
/** The key of the dialog that a request which came to us names. */
export const keyOfRequest = (r: SipRequest): string => dialogKey(r.callId, tagOf(r.to), tagOf(r.from))

/** At the callee (§12.1.1). */
export function dialogOfCallee(invite: SipRequest, localTag: string): Result<Dialog> {
  const contact = contactOf(invite)
  if (contact === undefined) return err('SIP_MISSING_HEADER', 'Contact')
  return ok({
    callId: invite.callId,
    local: withTag(invite.to, localTag),
    remote: invite.from,
    remoteTarget: contact.uri,
    routeSet: addressesOf(invite, 'Record-Route'),
    localSeq: 0,
    remoteSeq: invite.cseq.number,
  })
}

/** At the caller, from a response with a To tag (§12.1.2). */
export function dialogOfCaller(invite: SipRequest, response: SipResponse): Result<Dialog> {
  const contact = contactOf(response)
  if (contact === undefined) return err('SIP_MISSING_HEADER', 'Contact')
  return ok({
    callId: invite.callId,
    local: invite.from,
    remote: response.to,
    remoteTarget: contact.uri,
    routeSet: [...addressesOf(response, 'Record-Route')].reverse(),
    localSeq: invite.cseq.number,
    remoteSeq: undefined,
  })
}

/** A request of the peer: its CSeq must rise (§12.2.2, else 500). ACK and CANCEL have the number of their INVITE. */
export function receiveInDialog(d: Dialog, request: SipRequest): Result<Dialog> {
  if (request.method === 'ACK' || request.method === 'CANCEL') return ok(d)
  if (d.remoteSeq !== undefined && request.cseq.number <= d.remoteSeq) return err('SIP_CSEQ_ORDER', `${request.cseq.number} after ${d.remoteSeq}`)
  return ok({ ...d, remoteSeq: request.cseq.number })
}

/** INVITE and UPDATE, and their 2xx, may move the peer (§12.2.1.2, §12.2.2). */
export function refreshTarget(d: Dialog, m: SipMessage): Dialog {
  const contact = contactOf(m)
  return contact === undefined ? d : { ...d, remoteTarget: contact.uri }
}

/** The next request of ours; Via is the transport's to add. `cseq` only for ACK: that of its INVITE. */
export function requestInDialog(d: Dialog, method: string, options: { readonly headers?: readonly Header[]; readonly body?: Uint8Array; readonly cseq?: number } = {}): { readonly request: SipRequest; readonly dialog: Dialog } {
  const number = options.cseq ?? d.localSeq + 1
  const { uri, route } = routeOf(d)
  const request: SipRequest = {
    kind: 'request',
    method,
    uri,
    maxForwards: 70,
    via: [],
    from: d.local,
    to: d.remote,
    callId: d.callId,
    cseq: { number, method },
    headers: [...route.map((text) => ({ name: 'Route', value: text })), ...(options.headers ?? [])],
    body: options.body ?? noBody,
  }
  return { request, dialog: options.cseq === undefined ? { ...d, localSeq: number } : d }
}

/** Loose routing, or strict where the first hop lacks `lr` (§12.2.1.1). */
function routeOf(d: Dialog): { uri: Uri; route: readonly string[] } {
  const [first, ...rest] = d.routeSet
  if (first === undefined) return { uri: d.remoteTarget, route: [] }
  if (first.uri.kind !== 'sip' || paramOf(first.uri.params, 'lr') !== undefined) return { uri: d.remoteTarget, route: d.routeSet.map((a) => a.text) }
  const { kind: _kind, text: _text, headers: _headers, ...parts } = first.uri
  return { uri: sipUri(parts), route: [...rest.map((a) => a.text), `<${d.remoteTarget.text}>`] }
}
