/** Text to session descriptions (RFC 8866 §5, §9), strict about order and form. */
import { fromUtf8 } from '../../base/bytes.ts'
import type { Result } from '../../base/result.ts'
import { err, ok } from '../../base/result.ts'
import { isHost, isIpv4, isIpv6, isToken } from '../sip/scanner.ts'
import type { Attribute, MediaDescription, Origin, SessionDescription } from './session.ts'

const limits = { octets: 16384, lines: 500, media: 16, formats: 64 }

const sessionOrder = 'vosiuepcbtrzka'
const mediaOrder = 'micbka'
/** Line types that may be there more than once at their place; `t` and `r` alternate. */
const repeatable = 'epbtra'

interface Line {
  readonly type: string
  readonly value: string
}

export function parseSdp(bytes: Uint8Array): Result<SessionDescription> {
  if (bytes.length > limits.octets) return err('SDP_MALFORMED', `${bytes.length} octets`)
  const text = fromUtf8(bytes)
  if (text === undefined) return err('SDP_MALFORMED', 'not UTF-8')
  const lines = splitLines(text)
  if (!lines.ok) return lines
  const firstMedia = lines.value.findIndex((l) => l.type === 'm')
  const head = lines.value.slice(0, firstMedia < 0 ? undefined : firstMedia)
  const session = parseHead(head)
  if (!session.ok) return session
  const media = parseAllMedia(firstMedia < 0 ? [] : lines.value.slice(firstMedia))
  if (!media.ok) return media
  // §5.7: an address for the session, or one for every stream in use.
  if (session.value.connection === undefined && media.value.some((m) => m.connection === undefined && m.port !== 0)) return err('SDP_MALFORMED', 'a stream without c=')
  return ok({ ...session.value, media: media.value })
}

/** CRLF, or LF alone (§5: parsers should take it). */
function splitLines(text: string): Result<readonly Line[]> {
  const raw = text.split(/\r?\n/)
  while (raw.at(-1) === '') raw.pop()
  if (raw.length > limits.lines) return err('SDP_MALFORMED', 'too many lines')
  const lines: Line[] = []
  for (const line of raw) {
    if (!/^[a-z]=[^\0\r]*$/.test(line)) return err('SDP_MALFORMED', 'a line that is not type=value')
    lines.push({ type: line[0]!, value: line.slice(2) })
  }
  return ok(lines)
}

/** Types come in the fixed order of §5; unknown types are refused (§5: must be ignored only by future parsers). */
function inOrder(lines: readonly Line[], order: string): boolean {
  let at = 0
  for (const [i, { type }] of lines.entries()) {
    const place = order.indexOf(type)
    const back = type === 't' && lines[i - 1]?.type === 'r'
    if (place < 0 || (place < at && !back) || (i > 0 && type === lines[i - 1]!.type && !repeatable.includes(type))) return false
    at = place
  }
  return true
}

function parseHead(lines: readonly Line[]): Result<Omit<SessionDescription, 'media'>> {
  if (!inOrder(lines, sessionOrder)) return err('SDP_MALFORMED', 'order of lines')
  const one = (type: string): string | undefined => lines.find((l) => l.type === type)?.value
  if (one('v') !== '0') return err('SDP_MALFORMED', 'v=')
  if (one('s') === undefined || !/^[0-9]+ [0-9]+$/.test(one('t') ?? '')) return err('SDP_MALFORMED', 's= or t=')
  const origin = parseOrigin(one('o') ?? '')
  if (origin === undefined) return err('SDP_MALFORMED', 'o=')
  const connection = parseConnection(one('c'))
  if (!connection.ok) return connection
  const attributes = parseAttributes(lines)
  return attributes.ok ? ok({ origin, ...connection.value, attributes: attributes.value }) : attributes
}

function parseOrigin(value: string): Origin | undefined {
  const parts = /^(\S+) ([0-9]{1,20}) ([0-9]{1,20}) IN IP[46] (\S+)$/.exec(value)
  return parts === null ? undefined : { user: parts[1]!, sessionId: parts[2]!, version: parts[3]!, address: parts[4]! }
}

/** Multicast (`/ttl`) has no place in a telephone call and is refused. */
function parseConnection(value: string | undefined): Result<{ connection?: string }> {
  if (value === undefined) return ok({})
  const parts = /^IN (IP4|IP6) (\S+)$/.exec(value)
  const address = parts?.[2] ?? ''
  const good = parts?.[1] === 'IP6' ? isIpv6(address) || isName(address) : isIpv4(address) || isName(address)
  return parts !== null && good ? ok({ connection: address }) : err('SDP_MALFORMED', 'c=')
}
const isName = (address: string): boolean => !address.startsWith('[') && !/^[0-9.]+$/.test(address) && isHost(address)

function parseAttributes(lines: readonly Line[]): Result<readonly Attribute[]> {
  const attributes: Attribute[] = []
  for (const line of lines) {
    if (line.type !== 'a') continue
    const colon = line.value.indexOf(':')
    const name = colon < 0 ? line.value : line.value.slice(0, colon)
    if (!isToken(name)) return err('SDP_MALFORMED', 'a=')
    attributes.push(colon < 0 ? { name } : { name, value: line.value.slice(colon + 1) })
  }
  return ok(attributes)
}

function parseAllMedia(lines: readonly Line[]): Result<readonly MediaDescription[]> {
  const starts = lines.flatMap((l, i) => (l.type === 'm' ? [i] : []))
  if (starts.length > limits.media) return err('SDP_MALFORMED', 'too many streams')
  const media: MediaDescription[] = []
  for (const [i, start] of starts.entries()) {
    const one = parseMedia(lines.slice(start, starts[i + 1]))
    if (!one.ok) return one
    media.push(one.value)
  }
  return ok(media)
}

function parseMedia(lines: readonly Line[]): Result<MediaDescription> {
  if (!inOrder(lines, mediaOrder)) return err('SDP_MALFORMED', 'order of lines of a stream')
  const parts = /^(\S+) ([0-9]{1,5})(?:\/1)? ([A-Za-z0-9/.-]+)((?: \S+)+)$/.exec(lines[0]!.value.trimEnd())
  if (parts === null || !isToken(parts[1]!) || Number(parts[2]) > 65535) return err('SDP_MALFORMED', 'm=')
  const formats = parts[4]!.trim().split(' ')
  if (formats.length > limits.formats) return err('SDP_MALFORMED', 'too many formats')
  const connection = parseConnection(lines.find((l) => l.type === 'c')?.value)
  if (!connection.ok) return connection
  const attributes = parseAttributes(lines)
  if (!attributes.ok) return attributes
  return ok({ kind: parts[1]!, port: Number(parts[2]), protocol: parts[3]!, formats, ...connection.value, attributes: attributes.value })
}
