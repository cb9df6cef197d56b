/** Digest access authentication (RFC 7616, RFC 8760), the side that asks for it. MD5 and SHA-256, qop=auth. */
import { fromHex, toHex, utf8 } from '../../base/bytes.ts'
import type { UnixTime } from '../../base/brand.ts'
import type { Result } from '../../base/result.ts'
import { err, ok } from '../../base/result.ts'
import { equalConstantTime } from '../../base/secret.ts'
import type { CryptoPort } from '../../crypto/port.ts'
import type { Header, SipRequest } from './message.ts'
import { headersOf } from './message.ts'
import { quote, Scanner, unquote } from './scanner.ts'
import { parseUri, sameUri } from './uri.ts'

export type DigestAlgorithm = 'SHA-256' | 'MD5'
/** Strongest first: a client takes the first that it knows (RFC 8760 §2.3). */
export const digestAlgorithms: readonly DigestAlgorithm[] = ['SHA-256', 'MD5']
export type DigestCrypto = Pick<CryptoPort, 'hash' | 'hmac' | 'bytes'>

const hex = (crypto: DigestCrypto, algorithm: DigestAlgorithm, text: string): string => toHex(crypto.hash(algorithm === 'MD5' ? 'md5' : 'sha256', utf8(text)))

/** H(username:realm:password), lower-case hex (RFC 7616 §3.4.2). As secret as the password. */
export const digestHa1 = (crypto: DigestCrypto, algorithm: DigestAlgorithm, user: string, realm: string, password: string): string =>
  hex(crypto, algorithm, `${user}:${realm}:${password}`)

export interface DigestInputs {
  readonly algorithm: DigestAlgorithm
  readonly ha1: string
  readonly method: string
  readonly uri: string
  readonly nonce: string
  /** Eight hex digits. Both are left out where the challenge names no qop. */
  readonly nc?: string
  readonly cnonce?: string
}

/** The `response` value for qop=auth (RFC 7616 §3.4.1), or for no qop at all (RFC 2069 §2.1.2). */
export function digestResponse(crypto: DigestCrypto, d: DigestInputs): string {
  const ha2 = hex(crypto, d.algorithm, `${d.method}:${d.uri}`)
  return hex(crypto, d.algorithm, d.nc === undefined ? `${d.ha1}:${d.nonce}:${ha2}` : `${d.ha1}:${d.nonce}:${d.nc}:${d.cnonce}:auth:${ha2}`)
}

/** `Digest name=value, …` as a map, names in lower case, values unquoted. */
export function parseDigest(value: string): Result<ReadonlyMap<string, string>> {
  const scan = new Scanner(value)
  if (scan.token()?.toLowerCase() !== 'digest' || !scan.space()) return err('SIP_BAD_DIGEST', 'another scheme than Digest')
  const fields = new Map<string, string>()
  do {
    const name = scan.token()?.toLowerCase()
    if (name === undefined || !scan.separator('=') || fields.has(name) || fields.size >= 20) return err('SIP_BAD_DIGEST')
    const field = scan.quoted() ?? scan.token()
    if (field === undefined) return err('SIP_BAD_DIGEST', name)
    fields.set(name, unquote(field))
  } while (scan.separator(','))
  return scan.ended() ? ok(fields) : err('SIP_BAD_DIGEST')
}

/** Why a request is not let in; `stale`: right password, old nonce, so that the phone does not ask its user again. */
export type DigestVerdict = { readonly ok: true; readonly user: string } | { readonly ok: false; readonly stale: boolean }

export interface DigestServerOptions {
  readonly realm: string
  readonly crypto: DigestCrypto
  /** The digest of a user's password, or undefined where the user or that algorithm is unknown. */
  readonly ha1Of: (user: string, algorithm: DigestAlgorithm) => string | undefined
  /** Nonces whose count is remembered; default 4096. */
  readonly remembered?: number
}

const nonceLifeSeconds = 300
const macOctets = 16

/**
 * Makes nonces that it recognises without storing them (time ‖ HMAC), so that a flood of requests costs no memory.
 * Only nonces that were used with the right password are remembered, for their count.
 */
export class DigestServer {
  readonly #options: DigestServerOptions
  readonly #key: Uint8Array
  /** Nonce to highest nonce count accepted. Insertion order is age. */
  readonly #counts = new Map<string, number>()
  /** Nonces of this second or older are stale: the count of one of them was forgotten. */
  #floor = 0
  #serial = 0

  constructor(options: DigestServerOptions) {
    this.#options = options
    this.#key = options.crypto.bytes(32)
  }

  /** WWW-Authenticate fields for a 401, one for each algorithm. */
  challenges(now: UnixTime, stale: boolean, algorithms = digestAlgorithms): readonly Header[] {
    const nonce = this.#nonce(now, this.#serial++ >>> 0)
    const flag = stale ? ', stale=true' : ''
    return algorithms.map((algorithm) => ({
      name: 'WWW-Authenticate',
      value: `Digest realm=${quote(this.#options.realm)}, nonce="${nonce}", algorithm=${algorithm}, qop="auth"${flag}`,
    }))
  }

  verify(request: SipRequest, now: UnixTime): DigestVerdict {
    for (const value of headersOf(request, 'Authorization')) {
      const fields = parseDigest(value)
      if (!fields.ok || fields.value.get('realm') !== this.#options.realm) continue
      return this.#verifyOne(request, fields.value, now)
    }
    return { ok: false, stale: false }
  }

  #verifyOne(request: SipRequest, fields: ReadonlyMap<string, string>, now: UnixTime): DigestVerdict {
    const refused = { ok: false, stale: false } as const
    const of = (name: string): string => fields.get(name) ?? ''
    const algorithm = digestAlgorithms.find((a) => a === (fields.get('algorithm') ?? 'MD5').toUpperCase())
    if (algorithm === undefined || of('qop').toLowerCase() !== 'auth' || !/^[0-9a-f]{8}$/i.test(of('nc')) || of('cnonce') === '') return refused
    const uri = parseUri(of('uri'))
    if (!uri.ok || !sameUri(uri.value, request.uri)) return refused
    const made = this.#madeAt(of('nonce'))
    if (made === undefined) return refused
    const user = of('username')
    const { crypto, ha1Of } = this.#options
    const ha1 = ha1Of(user, algorithm)
    // The same work for unknown users: the time must not tell who exists.
    const expected = digestResponse(crypto, { algorithm, ha1: ha1 ?? '', method: request.method, uri: of('uri'), nonce: of('nonce'), nc: of('nc'), cnonce: of('cnonce') })
    if (!equalConstantTime(utf8(expected), utf8(of('response').toLowerCase())) || ha1 === undefined) return refused
    return this.#count(of('nonce'), Number.parseInt(of('nc'), 16), made, now) ? { ok: true, user } : { ok: false, stale: true }
  }

  /** Each count once and rising (RFC 7616 §3.4): a replay, even of a right response, is stale. */
  #count(nonce: string, nc: number, made: number, now: UnixTime): boolean {
    if (made <= this.#floor || now - made > nonceLifeSeconds || nc <= (this.#counts.get(nonce) ?? 0)) return false
    this.#counts.set(nonce, nc)
    if (this.#counts.size > (this.#options.remembered ?? 4096)) {
      const [oldest] = this.#counts.keys()
      this.#floor = Math.max(this.#floor, this.#madeAt(oldest!) ?? 0)
      this.#counts.delete(oldest!)
    }
    return true
  }

  /** 12 hex digits of time, 8 of a serial number, then the MAC. */
  #nonce(now: number, serial: number): string {
    const head = Math.trunc(now).toString(16).padStart(12, '0') + serial.toString(16).padStart(8, '0')
    return head + toHex(this.#mac(head))
  }
  #mac(head: string): Uint8Array {
    return this.#options.crypto.hmac('sha256', this.#key, utf8(head)).slice(0, macOctets)
  }
  /** Seconds since 1970, or undefined where the nonce is not ours. */
  #madeAt(nonce: string): number | undefined {
    const mac = nonce.length === 20 + 2 * macOctets ? fromHex(nonce.slice(20)) : undefined
    return mac !== undefined && equalConstantTime(mac, this.#mac(nonce.slice(0, 20))) ? Number.parseInt(nonce.slice(0, 12), 16) : undefined
  }
}
