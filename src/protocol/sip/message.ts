/** SIP messages as plain data, and how their header fields are found. */
import type { Address } from './address.ts'
import { parseList, readAddress } from './address.ts'
import type { Uri } from './uri.ts'
import type { Via } from './via.ts'

/** Canonical name; the value unfolded and trimmed. */
export interface Header {
  readonly name: string
  readonly value: string
}

export interface CSeq {
  /** Below 2^31 (RFC 3261 §8.1.1.5). */
  readonly number: number
  readonly method: string
}

interface Common {
  /** Topmost first; at least one. */
  readonly via: readonly Via[]
  readonly from: Address
  readonly to: Address
  readonly callId: string
  readonly cseq: CSeq
  /** All others in their order, unknown ones included; without Content-Length, which `serialise` writes. */
  readonly headers: readonly Header[]
  readonly body: Uint8Array
}

export interface SipRequest extends Common {
  readonly kind: 'request'
  readonly method: string
  readonly uri: Uri
  readonly maxForwards: number
}

export interface SipResponse extends Common {
  readonly kind: 'response'
  readonly status: number
  readonly reason: string
}

export type SipMessage = SipRequest | SipResponse

/** RFC 3261 §20 and the extensions that are implemented: lower case to canonical. */
const canonical = new Map(
  [
    'Accept', 'Allow', 'Authorization', 'Call-ID', 'Contact', 'Content-Encoding', 'Content-Length', 'Content-Type', 'CSeq', 'Date', 'Event',
    'Expires', 'From', 'Max-Forwards', 'Min-Expires', 'Min-SE', 'Path', 'Proxy-Authenticate', 'Proxy-Authorization', 'Proxy-Require', 'RAck',
    'Record-Route', 'Refer-To', 'Referred-By', 'Replaces', 'Reason', 'Require', 'Retry-After', 'Route', 'RSeq', 'Server', 'Session-Expires',
    'Subject', 'Supported', 'Subscription-State', 'P-Asserted-Identity', 'Remote-Party-ID', 'Content-Disposition', 'Timestamp', 'To', 'Unsupported', 'User-Agent', 'Via', 'Warning', 'WWW-Authenticate', 'Allow-Events', 'Identity',
  ].map((name) => [name.toLowerCase(), name]),
)
/** RFC 3261 §7.3.3 and the IANA registry of compact forms. */
const compact = new Map(Object.entries({
  a: 'Accept-Contact', b: 'Referred-By', c: 'Content-Type', d: 'Request-Disposition', e: 'Content-Encoding', f: 'From', i: 'Call-ID',
  j: 'Reject-Contact', k: 'Supported', l: 'Content-Length', m: 'Contact', o: 'Event', r: 'Refer-To', s: 'Subject', t: 'To', u: 'Allow-Events',
  v: 'Via', x: 'Session-Expires', y: 'Identity',
}))

/** The full, usual spelling of a header field's name; unknown names stay as they are. */
export function canonicalName(name: string): string {
  const lower = name.toLowerCase()
  return compact.get(lower) ?? canonical.get(lower) ?? name
}

/** The first field of that canonical name. */
export function headerOf(m: { readonly headers: readonly Header[] }, name: string): string | undefined {
  const lower = name.toLowerCase()
  return m.headers.find((h) => h.name.toLowerCase() === lower)?.value
}

export function headersOf(m: { readonly headers: readonly Header[] }, name: string): readonly string[] {
  const lower = name.toLowerCase()
  return m.headers.filter((h) => h.name.toLowerCase() === lower).map((h) => h.value)
}

/** Comma-separated tokens of all fields of that name, lower case: Require, Supported, Allow, … */
export const tokensOf = (m: { readonly headers: readonly Header[] }, name: string): readonly string[] =>
  headersOf(m, name).flatMap((v) => v.split(',')).map((t) => t.trim().toLowerCase()).filter((t) => t !== '')

/** Addresses of all fields of that name; parsed messages have only valid ones. */
export function addressesOf(m: { readonly headers: readonly Header[] }, name: string): readonly Address[] {
  return headersOf(m, name).flatMap((v) => {
    const list = parseList(v, readAddress)
    return list.ok ? list.value : []
  })
}

/** The first Contact that is an address. */
export function contactOf(m: { readonly headers: readonly Header[] }): Address | undefined {
  const first = headerOf(m, 'Contact')
  return first === undefined || first === '*' ? undefined : addressesOf(m, 'Contact')[0]
}

/** `delta-seconds`, at most 2^32-1; undefined where absent or not such a number. */
export function secondsOf(text: string | undefined): number | undefined {
  if (text === undefined || !/^[0-9]{1,10}$/.test(text)) return undefined
  const value = Number(text)
  return value <= 0xffffffff ? value : undefined
}

/** The media type in lower case without parameters, '' where there is none. */
export const contentTypeOf = (m: { readonly headers: readonly Header[] }): string => (headerOf(m, 'Content-Type') ?? '').split(';')[0]!.replace(/\s/g, '').toLowerCase()

export const noBody = new Uint8Array(0)
