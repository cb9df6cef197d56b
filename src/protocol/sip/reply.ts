/** Responses to requests (RFC 3261 §8.2.6), also to such that could not be parsed, and what a fault answers. */
import { utf8 } from '../../base/bytes.ts'
import type { FaultCode } from '../../base/faults/index.ts'
import { tagOf, withTag } from './address.ts'
import { noBody } from './message.ts'
import type { Header, SipRequest, SipResponse } from './message.ts'
import { readRaw } from './parse.ts'
import { isToken } from './scanner.ts'

const reasons: Readonly<Record<number, string>> = {
  100: 'Trying', 180: 'Ringing', 183: 'Session Progress', 200: 'OK', 202: 'Accepted', 400: 'Bad Request', 401: 'Unauthorized', 403: 'Forbidden',
  404: 'Not Found', 405: 'Method Not Allowed', 406: 'Not Acceptable', 408: 'Request Timeout', 413: 'Request Entity Too Large', 414: 'Request-URI Too Long',
  415: 'Unsupported Media Type', 416: 'Unsupported URI Scheme', 420: 'Bad Extension', 421: 'Extension Required', 422: 'Session Interval Too Small',
  423: 'Interval Too Brief', 480: 'Temporarily Unavailable', 481: 'Call/Transaction Does Not Exist', 482: 'Loop Detected', 483: 'Too Many Hops',
  484: 'Address Incomplete', 486: 'Busy Here', 487: 'Request Terminated', 488: 'Not Acceptable Here', 491: 'Request Pending', 500: 'Server Internal Error',
  501: 'Not Implemented', 503: 'Service Unavailable', 504: 'Server Time-out', 505: 'Version Not Supported', 513: 'Message Too Large', 603: 'Decline',
}
export const reasonOf = (status: number): string => reasons[status] ?? 'Unknown'

/** A reason phrase as the grammar has it: control characters become spaces. */
export const cleanReason = (text: string): string => text.replace(/[\x00-\x1f\x7f]+/g, ' ').trim().slice(0, 200)

/** Response codes for requests that the parser refuses. Faults of responses have none: those are dropped. */
const statusByFault: Partial<Record<FaultCode, number>> = {
  SIP_TOO_LARGE: 513, SIP_NOT_UTF8: 400, SIP_BAD_START_LINE: 400, SIP_BAD_VERSION: 505, SIP_BAD_URI: 400, SIP_URI_TOO_LONG: 414,
  SIP_BAD_HEADER: 400, SIP_MISSING_HEADER: 400, SIP_REPEATED_HEADER: 400, SIP_TOO_MANY_HEADERS: 513, SIP_BAD_LENGTH: 400, SIP_CSEQ_MISMATCH: 400,
  SIP_UNKNOWN_METHOD: 501, SIP_CSEQ_ORDER: 500, SIP_BAD_DIGEST: 400, SIP_TOO_BUSY: 503, SDP_MALFORMED: 400, SDP_NO_AUDIO: 488, SDP_SRTP_REFUSED: 488, SDP_SRTP_REQUIRED: 488,
}

/** The response code that a request with this fault is answered with; undefined: drop it. */
export const statusOf = (code: FaultCode): number | undefined => statusByFault[code]

/** `tag` goes into To where the request has none; 100 has no tag (§8.2.6.2). */
export function makeReply(request: SipRequest, status: number, options: { readonly tag?: string; readonly reason?: string; readonly headers?: readonly Header[]; readonly body?: Uint8Array } = {}): SipResponse {
  const tagged = options.tag !== undefined && status > 100 && tagOf(request.to) === ''
  return {
    kind: 'response',
    status,
    reason: cleanReason(options.reason ?? reasonOf(status)),
    via: request.via,
    from: request.from,
    to: tagged ? withTag(request.to, options.tag!) : request.to,
    callId: request.callId,
    cseq: request.cseq,
    headers: [...request.headers.filter((h) => isCopied(h, status)), ...(options.headers ?? [])],
    body: options.body ?? noBody,
  }
}

/** Timestamp goes into 100 (§8.2.6.1), Record-Route into responses that may make a dialog (§12.1.1). */
const isCopied = (h: Header, status: number): boolean => (status === 100 ? h.name === 'Timestamp' : status < 300 && h.name === 'Record-Route')

/** Fields without which nobody can tell which request is meant. */
const needed = ['Via', 'Call-ID', 'CSeq']

/**
 * An answer to a request that did not parse, its identifying fields copied as they came. Undefined where it is no
 * request, an ACK (never answered, §17.1.1.3), or too broken to be answered. Never much longer than the request.
 */
export function refuseRaw(bytes: Uint8Array, status: number, detail: string): Uint8Array | undefined {
  const raw = readRaw(bytes)
  if (!raw.ok) return undefined
  const method = raw.value.startLine.split(' ')[0] ?? ''
  if (!isToken(method) || /^SIP\//i.test(raw.value.startLine) || method === 'ACK') return undefined
  const of = (name: string): Header[] => raw.value.headers.filter((h) => h.name === name)
  if (needed.some((name) => of(name).length === 0)) return undefined
  // One of each but Via: a response that repeats the fault of the request helps nobody.
  const copied = [...of('Via'), ...['From', 'To', 'Call-ID', 'CSeq'].flatMap((name) => of(name).slice(0, 1))]
  const lines = [`SIP/2.0 ${status} ${cleanReason(detail)}`, ...copied.map((h) => `${h.name}: ${h.value}`), 'Content-Length: 0']
  return utf8(`${lines.join('\r\n')}\r\n\r\n`)
}
