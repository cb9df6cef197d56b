/** Octets to messages (RFC 3261 §7, §25). A message is accepted whole or refused with a fault. */
import { fromUtf8 } from '../../base/bytes.ts'
import type { Result } from '../../base/result.ts'
import { err, ok } from '../../base/result.ts'
import { parseAddress, parseList } from './address.ts'
import { checkHeader, knownMethods, singleValued } from './header-rules.ts'
import { limits } from './limits.ts'
import type { CSeq, Header, SipMessage } from './message.ts'
import { canonicalName } from './message.ts'
import { isToken, Scanner } from './scanner.ts'
import type { Uri } from './uri.ts'
import { parseUri } from './uri.ts'
import { readVia } from './via.ts'

export interface ParseOptions {
  /** Over TCP and TLS Content-Length is needed and exact; in a datagram what follows the body is ignored (§18.3). */
  readonly stream: boolean
}

/** A copy is taken of everything that is kept. */
export function parseMessage(bytes: Uint8Array, options: ParseOptions = { stream: false }): Result<SipMessage> {
  const raw = readRaw(bytes)
  if (!raw.ok) return raw
  const start = parseStartLine(raw.value.startLine)
  if (!start.ok) return start
  const fields = checkFields(raw.value.headers)
  if (!fields.ok) return fields
  const core = readCore(raw.value.headers)
  if (!core.ok) return core
  const body = readBody(bytes, raw.value, options)
  if (!body.ok) return body
  const rest = raw.value.headers.filter((h) => !coreNames.has(h.name))
  const { maxForwards, ...common } = core.value
  if (start.value.kind === 'response') return ok({ ...start.value, ...common, headers: rest, body: body.value })
  if (common.cseq.method !== start.value.method) {
    // RFC 4475 §3.1.2.18: for a method that we do not know, 501 lasts longer than 400.
    return err(knownMethods.has(start.value.method) ? 'SIP_CSEQ_MISMATCH' : 'SIP_UNKNOWN_METHOD', common.cseq.method)
  }
  return ok({ ...start.value, maxForwards, ...common, headers: rest, body: body.value })
}

/** Header section as lines, before any of them is understood. */
export interface RawMessage {
  readonly startLine: string
  /** Canonical names, unfolded values. */
  readonly headers: readonly Header[]
  /** Offset of the body. */
  readonly bodyAt: number
}

export function readRaw(bytes: Uint8Array): Result<RawMessage> {
  if (bytes.length > limits.message) return err('SIP_TOO_LARGE', `${bytes.length} octets`)
  let from = 0
  // Empty lines before the start line are ignored (§7.5).
  while (bytes[from] === 13 && bytes[from + 1] === 10) from += 2
  const end = endOfHead(bytes, from)
  if (end < 0) return err('SIP_TRUNCATED')
  if (end - from > limits.head) return err('SIP_TOO_LARGE', 'header section')
  const text = fromUtf8(bytes.subarray(from, end))
  if (text === undefined) return err('SIP_NOT_UTF8')
  const [startLine = '', ...lines] = text.split('\r\n')
  if (/[\r\n]/.test(startLine)) return err('SIP_BAD_START_LINE', 'CR or LF alone')
  const headers = unfold(lines)
  return headers.ok ? ok({ startLine, headers: headers.value, bodyAt: end + 4 }) : headers
}

/** Offset of the CRLF CRLF that ends the header section, or -1. */
export function endOfHead(bytes: Uint8Array, from: number): number {
  for (let i = bytes.indexOf(13, from); i >= 0 && i + 3 < bytes.length; i = bytes.indexOf(13, i + 1)) {
    if (bytes[i + 1] === 10 && bytes[i + 2] === 13 && bytes[i + 3] === 10) return i
  }
  return -1
}

function unfold(lines: readonly string[]): Result<readonly Header[]> {
  const folded: string[] = []
  for (const line of lines) {
    if (/[\r\n]/.test(line)) return err('SIP_BAD_HEADER', 'CR or LF alone')
    // §7.3.1: a line that begins with white space goes on with the one before.
    if (/^[ \t]/.test(line)) {
      if (folded.length === 0) return err('SIP_BAD_HEADER', 'white space before the first field')
      folded.push(`${folded.pop()!.trimEnd()} ${line.trimStart()}`)
    } else folded.push(line)
  }
  if (folded.length > limits.headerFields) return err('SIP_TOO_MANY_HEADERS', String(folded.length))
  const headers: Header[] = []
  for (const line of folded) {
    const colon = line.indexOf(':')
    const name = line.slice(0, Math.max(colon, 0)).trimEnd()
    if (!isToken(name)) return err('SIP_BAD_HEADER', 'a line without a field name')
    headers.push({ name: canonicalName(name), value: line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, '') })
  }
  return ok(headers)
}

type StartLine = { kind: 'request'; method: string; uri: Uri } | { kind: 'response'; status: number; reason: string }

function parseStartLine(line: string): Result<StartLine> {
  if (/^SIP\//i.test(line)) return parseStatusLine(line)
  const parts = /^([^ ]+) ([^ \t]+) (SIP\/[0-9]+\.[0-9]+)$/i.exec(line)
  if (parts === null || !isToken(parts[1]!)) return err('SIP_BAD_START_LINE')
  if (parts[3]!.toUpperCase() !== 'SIP/2.0') return err('SIP_BAD_VERSION', parts[3])
  const uri = parseUri(parts[2]!)
  if (!uri.ok) return uri
  // §19.1.1 table 1: header parts are not allowed in a Request-URI.
  if (uri.value.kind === 'sip' && uri.value.headers.length > 0) return err('SIP_BAD_URI', 'header part in a Request-URI')
  return ok({ kind: 'request', method: parts[1]!, uri: uri.value })
}

function parseStatusLine(line: string): Result<StartLine> {
  const parts = /^SIP\/2\.0 ([1-6][0-9]{2}) ([^\x00-\x08\x0a-\x1f\x7f]*)$/i.exec(line)
  return parts === null ? err('SIP_BAD_STATUS_LINE') : ok({ kind: 'response', status: Number(parts[1]), reason: parts[2]! })
}

const coreNames = new Set(['Via', 'From', 'To', 'Call-ID', 'CSeq', 'Max-Forwards', 'Content-Length'])

function checkFields(headers: readonly Header[]): Result<void> {
  const seen = new Set<string>()
  for (const h of headers) {
    if (singleValued.has(h.name) && seen.has(h.name)) return err('SIP_REPEATED_HEADER', h.name)
    seen.add(h.name)
    const checked = checkHeader(h)
    if (!checked.ok) return checked
  }
  // `*` stands alone (§10.2.2).
  const contacts = headers.filter((h) => h.name === 'Contact')
  return contacts.length > 1 && contacts.some((h) => h.value === '*') ? err('SIP_BAD_HEADER', 'Contact: * with others') : ok(undefined)
}

function readCore(headers: readonly Header[]) {
  const one = (name: string): string | undefined => headers.find((h) => h.name === name)?.value
  const vias = headers.filter((h) => h.name === 'Via').map((h) => h.value)
  const missing = ['Via', 'From', 'To', 'Call-ID', 'CSeq'].find((name) => one(name) === undefined)
  if (missing !== undefined) return err('SIP_MISSING_HEADER', missing)
  const via = parseList(vias.join(','), readVia)
  if (!via.ok) return via
  const from = parseAddress(one('From')!)
  if (!from.ok) return from
  const to = parseAddress(one('To')!)
  if (!to.ok) return to
  const callId = one('Call-ID')!
  // callid = word [ "@" word ], §25.1
  if (!/^[A-Za-z0-9\-.!%*_+`'~()<>:\\"/[\]?{}]+(?:@[A-Za-z0-9\-.!%*_+`'~()<>:\\"/[\]?{}]+)?$/.test(callId)) return err('SIP_BAD_HEADER', 'Call-ID')
  const cseq = parseCSeq(one('CSeq')!)
  if (!cseq.ok) return cseq
  return ok({ via: via.value, from: from.value, to: to.value, callId, cseq: cseq.value, maxForwards: maxForwards(one('Max-Forwards')) })
}

function parseCSeq(text: string): Result<CSeq> {
  const scan = new Scanner(text)
  const digits = scan.digits()
  const number = digits === undefined || digits.length > 16 ? Number.NaN : Number(digits)
  if (!(number < 0x80000000) || !scan.space()) return err('SIP_BAD_HEADER', 'CSeq')
  const method = scan.token()
  return method !== undefined && scan.done ? ok({ number, method }) : err('SIP_BAD_HEADER', 'CSeq')
}

/** Absent or beyond 255: as if it were 70 (§8.1.1.6, RFC 4475 §3.1.2.4). */
function maxForwards(text: string | undefined): number {
  const value = text === undefined ? 70 : Number(text)
  return value <= 255 ? value : 70
}

function readBody(bytes: Uint8Array, raw: RawMessage, options: ParseOptions): Result<Uint8Array> {
  const text = raw.headers.find((h) => h.name === 'Content-Length')?.value
  const there = bytes.length - raw.bodyAt
  if (text === undefined) return options.stream ? err('SIP_MISSING_HEADER', 'Content-Length') : ok(copy(bytes, raw.bodyAt, bytes.length))
  const length = Number(text)
  if (length > there || (options.stream && length < there)) return err('SIP_BAD_LENGTH', `${text} octets announced, ${there} there`)
  return ok(copy(bytes, raw.bodyAt, raw.bodyAt + length))
}

/** A real copy: `slice` of a Buffer, which sockets give, is a view. */
const copy = (bytes: Uint8Array, from: number, to: number): Uint8Array => new Uint8Array(bytes.subarray(from, to))
