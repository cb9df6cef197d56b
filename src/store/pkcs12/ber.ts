/** BER as some programs write PKCS#12 and PKCS#7 (indefinite lengths, strings in pieces), made into DER (X.690 §8.1.3, §8.21). */
import { concat } from '../../base/bytes.ts'

const DEPTH_LIMIT = 32
const CONSTRUCTED = 0x20

/** Undefined for what is no BER. Elements of definite length come out as they were. */
export function toDer(bytes: Uint8Array): Uint8Array | undefined {
  const read = element(bytes, 0, 0)
  return read === undefined || read.end !== bytes.length ? undefined : read.der
}

interface Read {
  readonly tag: number
  readonly body: Uint8Array
  readonly der: Uint8Array
  readonly end: number
}

function element(b: Uint8Array, at: number, depth: number): Read | undefined {
  const [tag, first] = [b[at], b[at + 1]]
  if (tag === undefined || first === undefined || depth > DEPTH_LIMIT || (tag & 0x1f) === 0x1f) return undefined
  const lengthOctets = first < 0x80 ? 0 : first & 0x7f
  const indefinite = first === 0x80
  if (lengthOctets > 4 || (indefinite && (tag & CONSTRUCTED) === 0)) return undefined
  let length = first < 0x80 ? first : 0
  for (let i = 0; i < lengthOctets; i++) length = length * 256 + (b[at + 2 + i] ?? 0)
  const start = at + 2 + (indefinite ? 0 : lengthOctets)
  const limit = indefinite ? b.length : start + length
  if (limit > b.length) return undefined
  if ((tag & CONSTRUCTED) === 0) return wrap(tag, b.subarray(start, limit), limit)
  return constructed(b, tag, start, limit, indefinite, depth)
}

function constructed(b: Uint8Array, tag: number, start: number, limit: number, indefinite: boolean, depth: number): Read | undefined {
  const parts: Read[] = []
  let at = start
  while (at < limit && !(indefinite && b[at] === 0 && b[at + 1] === 0)) {
    const part = element(b, at, depth + 1)
    if (part === undefined || part.end > limit) return undefined
    parts.push(part)
    at = part.end
  }
  if (indefinite && at >= limit) return undefined
  const end = indefinite ? at + 2 : limit
  // A string in pieces is one string: OCTET STRING, or one of the context class over octet strings.
  const pieces = tag === 0x24 || (tag === 0xa0 && parts.length > 0 && parts.every((p) => p.tag === 0x04) && parts.length > 1)
  return pieces ? wrap(tag === 0x24 ? 0x04 : 0x80, concat(...parts.map((p) => p.body)), end) : wrap(tag, concat(...parts.map((p) => p.der)), end)
}

function wrap(tag: number, body: Uint8Array, end: number): Read {
  const octets: number[] = []
  for (let n = body.length; n > 0; n = Math.floor(n / 256)) octets.unshift(n % 256)
  const head = body.length < 0x80 ? [tag, body.length] : [tag, 0x80 | octets.length, ...octets]
  return { tag, body, der: concat(Uint8Array.from(head), body), end }
}
