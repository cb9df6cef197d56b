/**
 * A SIP message as text for a trace, its secrets taken out. What is shown is a list of what is known to be harmless, so that a
 * header that nobody thought of stays hidden: passwords and what they can be guessed from (digest responses, nonces), tokens,
 * keys of SRTP and ICE, and bodies other than session descriptions (messages, digits that are typed: PINs among them).
 */

const OUT = '…'
const LONGEST = 16 * 1024

const SHOWN = new Set([
  'accept', 'accept-encoding', 'accept-language', 'alert-info', 'allow', 'allow-events', 'call-id', 'i', 'contact', 'm', 'content-encoding', 'e', 'content-length', 'l', 'content-type', 'c', 'cseq', 'date',
  'diversion', 'event', 'o', 'expires', 'from', 'f', 'in-reply-to', 'max-forwards', 'mime-version', 'min-expires', 'min-se', 'p-asserted-identity', 'p-preferred-identity', 'path', 'priority',
  'privacy', 'proxy-require', 'rack', 'reason', 'record-route', 'refer-to', 'r', 'referred-by', 'b', 'replaces', 'require', 'retry-after', 'route', 'rseq', 'server', 'service-route', 'session-expires', 'x',
  'subscription-state', 'supported', 'k', 'timestamp', 'to', 't', 'unsupported', 'user-agent', 'via', 'v', 'warning',
])
/** Of a challenge or an answer to one: who, and by which method. */
const DIGEST_SHOWN = new Set(['username', 'realm', 'uri', 'algorithm', 'qop', 'stale'])
const DIGEST_HEADERS = new Set(['authorization', 'proxy-authorization', 'www-authenticate', 'proxy-authenticate'])

/** `octets` as they came or went; also of what is no SIP message at all. */
export function redactSip(octets: Uint8Array): string {
  const text = new TextDecoder('utf-8', { fatal: false }).decode(octets.subarray(0, LONGEST)).replace(/\r\n?/g, '\n')
  const end = text.indexOf('\n\n')
  const [head, body] = end < 0 ? [text, ''] : [text.slice(0, end), text.slice(end + 2)]
  // A line that goes on in the next one is one line (RFC 3261 §7.3.1).
  const [first = '', ...lines] = head.replace(/\n[ \t]+/g, ' ').split('\n')
  if (!/^(SIP\/2\.0 \d{3} |[A-Z]{1,32} \S+ SIP\/2\.0$)/.test(first)) return `(${octets.length} octets that are no SIP message)`
  const headers = lines.map(redactHeader)
  return [noPasswords(first), ...headers, ...redactBody(body, lines)].map(printable).join('\n')
}

function redactHeader(line: string): string {
  const colon = line.indexOf(':')
  if (colon < 0) return OUT
  const name = line.slice(0, colon).trim()
  const value = line.slice(colon + 1).trim()
  const low = name.toLowerCase()
  if (DIGEST_HEADERS.has(low)) return `${printName(name)}: ${redactDigest(value)}`
  return SHOWN.has(low) ? `${name}: ${noPasswords(value)}` : `${printName(name)}: ${OUT}`
}

function redactDigest(value: string): string {
  if (!/^digest\s/i.test(value)) return OUT
  const parameters = [...value.slice('digest'.length).matchAll(/([\w-]{1,32})\s*=\s*("(?:[^"\\]|\\.)*"|[^\s,]+)/g)]
  return `Digest ${parameters.map(([, key, v]) => `${key}=${DIGEST_SHOWN.has(key!.toLowerCase()) ? noPasswords(v!) : OUT}`).join(', ')}`
}

function redactBody(body: string, lines: readonly string[]): string[] {
  if (body === '') return []
  const type = lines.map((l) => /^(?:content-type|c)\s*:\s*([^;\s]+)/i.exec(l)?.[1]).find((t) => t !== undefined)?.toLowerCase()
  if (type !== 'application/sdp') return ['', `(body of ${new TextEncoder().encode(body).length} octets taken out)`]
  return ['', ...body.split('\n').filter((l) => l !== '').map(redactSdp)]
}

/** RFC 4568 keys, RFC 8839 passwords, and the key of RFC 4566 that nobody should use. */
function redactSdp(line: string): string {
  if (/^k=/i.test(line)) return `k=${OUT}`
  const crypto = /^(a=crypto:\s*\d+\s+\S+)\s/i.exec(line)
  if (crypto !== null) return `${crypto[1]} ${OUT}`
  const [, attribute] = /^a=([^:\s]+)/i.exec(line) ?? []
  if (attribute !== undefined && /pwd|key|secret|token|crypto|password/i.test(attribute)) return `a=${attribute}:${OUT}`
  return /^[a-z]=/.test(line) ? line : OUT
}

/** `sip:user:password@host`; parameters that are called like secrets. */
const noPasswords = (text: string): string => text.replace(/(sips?:[^:@\s<>"]*):[^@\s<>"]*@/gi, `$1:${OUT}@`).replace(/\b(token|password|passwd|secret|key|access_token|sig)=[^;&,>\s"]+/gi, `$1=${OUT}`)
const printName = (name: string): string => (/^[\w.!%*+`'~-]{1,64}$/.test(name) ? name : OUT)
const printable = (line: string): string => line.replace(/[\p{Cc}\p{Cf}]/gu, '·').slice(0, 2000)
