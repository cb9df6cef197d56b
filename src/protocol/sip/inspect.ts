/** What a user agent server or registrar checks before it acts on a request (RFC 3261 §8.2, §10.3). */
import { headerOf, tokensOf, contentTypeOf } from './message.ts'
import type { Header, SipRequest } from './message.ts'
import { knownMethods } from './header-rules.ts'

export interface Served {
  readonly methods: readonly string[]
  /** Option tags in lower case. */
  readonly extensions: readonly string[]
  /** Media types of bodies by method; a method that is absent takes none. */
  readonly bodies: Readonly<Record<string, readonly string[]>>
}

/** How to refuse. */
export interface Refusal {
  readonly status: number
  readonly reason?: string
  readonly headers: readonly Header[]
}

/** Undefined: go on. Not for ACK and CANCEL, which have rules of their own. */
export function inspectRequest(request: SipRequest, served: Served): Refusal | undefined {
  return inspectMethod(request, served) ?? inspectAddresses(request) ?? inspectExtensions(request, served) ?? inspectContent(request, served)
}

function inspectMethod(request: SipRequest, served: Served): Refusal | undefined {
  if (served.methods.includes(request.method)) return undefined
  const headers = [{ name: 'Allow', value: served.methods.join(', ') }]
  return { status: knownMethods.has(request.method) ? 405 : 501, headers }
}

function inspectAddresses(request: SipRequest): Refusal | undefined {
  if (request.uri.kind !== 'sip') return { status: 416, headers: [] }
  // The address-of-record is a SIP or SIPS URI (§10.3; RFC 4475 §3.3.4).
  if (request.method === 'REGISTER' && request.to.uri.kind !== 'sip') return { status: 400, reason: 'To must be a SIP URI', headers: [] }
  return undefined
}

function inspectExtensions(request: SipRequest, served: Served): Refusal | undefined {
  const unknown = tokensOf(request, 'Require').filter((t) => !served.extensions.includes(t))
  return unknown.length === 0 ? undefined : { status: 420, headers: [{ name: 'Unsupported', value: unknown.join(', ') }] }
}

function inspectContent(request: SipRequest, served: Served): Refusal | undefined {
  const types = served.bodies[request.method] ?? []
  const accept = types.length === 0 ? [] : [{ name: 'Accept', value: types.join(', ') }]
  if (request.body.length > 0) {
    const encoding = headerOf(request, 'Content-Encoding')
    if (encoding !== undefined && encoding.toLowerCase() !== 'identity') return { status: 415, headers: [{ name: 'Accept-Encoding', value: 'identity' }] }
    const optional = /handling\s*=\s*optional/i.test(headerOf(request, 'Content-Disposition') ?? '')
    if (!types.includes(contentTypeOf(request)) && !optional) return { status: 415, headers: accept }
  }
  // An answer to an INVITE is SDP: an Accept without it cannot be met (RFC 4475 §3.3.15).
  if (request.method === 'INVITE' && !acceptsSdp(request)) return { status: 406, headers: accept }
  return undefined
}

function acceptsSdp(request: SipRequest): boolean {
  const ranges = tokensOf(request, 'Accept').map((t) => t.split(';')[0]!.replace(/\s/g, ''))
  return ranges.length === 0 || ranges.some((r) => r === 'application/sdp' || r === 'application/*' || r === '*/*')
}
