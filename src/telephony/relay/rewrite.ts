/** The hop-by-hop parts of messages: taken off before they cross to the other half, put on before they go to our side. */
import type { Address, Header, SipRequest, SipResponse, Uri } from '../../protocol/sip/index.ts'
import { addressesOf, makeAddress, makeVia } from '../../protocol/sip/index.ts'
import { parseAddress, parseList, readAddress } from '../../protocol/sip/address.ts'
import type { SipUri } from '../../protocol/sip/uri.ts'

export interface Rewriter {
  /** Our address in place of a contact of the other side. */
  present(uri: SipUri): SipUri
  /** The contact behind one of our addresses; undefined where it is none of ours. */
  restore(uri: Uri): SipUri | undefined
  /** A Route or Record-Route entry that names us. */
  isUs(uri: Uri): boolean
  /** Our side is the one that says who a caller is: the PBX. */
  readonly assertsIdentity: boolean
  /** Our own Record-Route entry on this flow. */
  readonly recordRoute: Address
}

/** Messages need a Via; between the halves it says nothing. */
export const placeholderVia = makeVia('TLS', 'stc.invalid', undefined, [{ name: 'branch', value: 'z9hG4bKstc' }])

/** RFC 3325 §5: who somebody is, is said by those whom the PBX trusts, not by a phone about itself. */
const claims = new Set(['P-Asserted-Identity', 'Remote-Party-ID'])

/** A request of our side, for the other half. Max-Forwards is one less (RFC 3261 §16.6). */
export function requestOut(request: SipRequest, r: Rewriter): SipRequest {
  const headers = request.headers.flatMap((h): Header[] => {
    if (h.name === 'Route') return keepRoutes(h, r)
    if (h.name === 'Refer-To') return [restoreReferTo(h, r)]
    return claims.has(h.name) && !r.assertsIdentity && !sameUser(h, request.from) ? [] : [h]
  })
  return { ...request, uri: r.restore(request.uri) ?? request.uri, maxForwards: Math.max(0, request.maxForwards - 1), via: [placeholderVia], headers }
}

/** A response of our side, for the other half. The Contact of a registration is given back as it was. */
export function responseOut(response: SipResponse, r: Rewriter): SipResponse {
  const headers = response.headers.flatMap((h): Header[] => {
    if (h.name === 'Record-Route') return keepRoutes(h, r)
    return h.name === 'Contact' ? [mapAddresses(h, (uri) => r.restore(uri) ?? uri)] : [h]
  })
  return { ...response, via: [placeholderVia], headers }
}

/** A request of the other half, for our side. A route set gets us as its first element. */
export function requestIn(request: SipRequest, r: Rewriter): SipRequest {
  const headers = request.headers.map((h) => (h.name === 'Contact' ? presented(h, r) : h))
  const first = headers.findIndex((h) => h.name === 'Record-Route')
  return { ...request, via: [], headers: first < 0 ? headers : [...headers.slice(0, first), ours(r), ...headers.slice(first)] }
}

/** A response of the other half, for our side: the caller reads Record-Route backwards (§12.1.2). */
export function responseIn(response: SipResponse, r: Rewriter): SipResponse {
  const headers = response.headers.map((h) => (h.name === 'Contact' && response.cseq.method !== 'REGISTER' ? presented(h, r) : h))
  const last = headers.findLastIndex((h) => h.name === 'Record-Route')
  return { ...response, headers: last < 0 ? headers : [...headers.slice(0, last + 1), ours(r), ...headers.slice(last + 1)] }
}

const ours = (r: Rewriter): Header => ({ name: 'Record-Route', value: r.recordRoute.text })
const presented = (h: Header, r: Rewriter): Header => mapAddresses(h, (uri) => r.present(uri))

/** Every SIP URI of a Contact; `*` and other schemes stay. */
function mapAddresses(h: Header, change: (uri: SipUri) => SipUri): Header {
  const list = parseList(h.value, readAddress)
  if (!list.ok) return h
  return { name: h.name, value: list.value.map((a) => (a.uri.kind === 'sip' ? makeAddress(change(a.uri), a.params, a.display).text : a.text)).join(', ') }
}

function keepRoutes(h: Header, r: Rewriter): Header[] {
  const kept = addressesOf({ headers: [h] }, h.name).filter((a) => !r.isUs(a.uri))
  return kept.length === 0 ? [] : [{ name: h.name, value: kept.map((a) => a.text).join(', ') }]
}

/** An attended transfer names the third party by the contact that its dialog showed (RFC 3891): the real one goes on, `Replaces` as it is. */
function restoreReferTo(h: Header, r: Rewriter): Header {
  const to = parseAddress(h.value)
  const uri = to.ok ? r.restore(to.value.uri) : undefined
  if (!to.ok || uri === undefined || to.value.uri.kind !== 'sip') return h
  const at = to.value.uri.text.indexOf('?')
  const tail = at < 0 ? '' : to.value.uri.text.slice(at)
  return { name: h.name, value: makeAddress({ ...uri, text: uri.text + tail }, to.value.params, to.value.display).text }
}

function sameUser(h: Header, from: Address): boolean {
  const users = addressesOf({ headers: [h] }, h.name).map((a) => (a.uri.kind === 'sip' ? a.uri.user : a.uri.text))
  return users.length > 0 && users.every((u) => from.uri.kind === 'sip' && u === from.uri.user)
}
