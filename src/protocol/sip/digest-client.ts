/** Digest access authentication, the side that is asked (RFC 3261 §22, RFC 7616, RFC 8760). MD5 and SHA-256; qop=auth, or none as in RFC 2069. */
import { fromUtf8, toHex } from '../../base/bytes.ts'
import type { Secret } from '../../base/secret.ts'
import { type DigestAlgorithm, digestAlgorithms, type DigestCrypto, digestHa1, digestResponse, parseDigest } from './digest.ts'
import { type Header, headersOf, type SipRequest, type SipResponse } from './message.ts'
import { quote } from './scanner.ts'

export interface DigestAccount {
  readonly user: string
  /** UTF-8. */
  readonly password: Secret
  readonly crypto: DigestCrypto
}

interface Challenge {
  /** Of the answer's header field. */
  readonly name: 'Authorization' | 'Proxy-Authorization'
  readonly realm: string
  readonly nonce: string
  readonly opaque: string | undefined
  /** As it was named; undefined: none was, which is MD5. */
  readonly named: string | undefined
  readonly algorithm: DigestAlgorithm
  readonly qop: boolean
  uses: number
}

export class DigestClient {
  readonly #account: DigestAccount
  #challenge: Challenge | undefined

  constructor(account: DigestAccount) {
    this.#account = account
  }

  /**
   * Takes the challenge of a 401 or 407. False: it cannot be answered (another scheme, algorithm or protection), or the password was wrong:
   * the same request with the same account was refused before, and not because its nonce was old. Trying again would only help a guesser's count.
   */
  challenged(response: SipResponse, tried: boolean): boolean {
    const name = response.status === 407 ? 'Proxy-Authorization' : 'Authorization'
    const offers = headersOf(response, response.status === 407 ? 'Proxy-Authenticate' : 'WWW-Authenticate').flatMap((value) => challengeOf(name, value))
    // The strongest that we know (RFC 8760 §2.4), whatever their order.
    const best = digestAlgorithms.flatMap((a) => offers.filter((o) => o.challenge.algorithm === a))[0]
    if (best === undefined || (tried && !best.stale)) {
      // The next request asks anew, and does not show the wrong password for nothing.
      if (tried) this.#challenge = undefined
      return false
    }
    this.#challenge = best.challenge
    return true
  }

  /** The header field that answers the newest challenge, with the next count; also for requests that nobody challenged yet. */
  authorization(request: Pick<SipRequest, 'method' | 'uri'>): Header | undefined {
    const c = this.#challenge
    if (c === undefined) return undefined
    const { user, password, crypto } = this.#account
    const { realm, nonce, algorithm } = c
    const uri = request.uri.text
    const nc = (++c.uses).toString(16).padStart(8, '0')
    const cnonce = toHex(crypto.bytes(8))
    const ha1 = digestHa1(crypto, algorithm, user, realm, fromUtf8(password.reveal()) ?? '')
    const response = digestResponse(crypto, { algorithm, ha1, method: request.method, uri, nonce, ...(c.qop ? { nc, cnonce } : {}) })
    const fields = [
      `username=${quote(user)}`, `realm=${quote(realm)}`, `nonce=${quote(nonce)}`, `uri=${quote(uri)}`, `response="${response}"`,
      ...(c.named === undefined ? [] : [`algorithm=${c.named}`]), ...(c.opaque === undefined ? [] : [`opaque=${quote(c.opaque)}`]), ...(c.qop ? ['qop=auth', `nc=${nc}`, `cnonce="${cnonce}"`] : []),
    ]
    return { name: c.name, value: `Digest ${fields.join(', ')}` }
  }
}

function challengeOf(name: Challenge['name'], value: string): { readonly challenge: Challenge; readonly stale: boolean }[] {
  const parsed = parseDigest(value)
  if (!parsed.ok) return []
  const f = parsed.value
  const [realm, nonce, named, qop] = [f.get('realm'), f.get('nonce'), f.get('algorithm'), f.get('qop')]
  const algorithm = digestAlgorithms.find((a) => a === (named ?? 'MD5').toUpperCase())
  const qops = qop?.split(',').map((q) => q.trim().toLowerCase())
  if (realm === undefined || nonce === undefined || algorithm === undefined || (qops !== undefined && !qops.includes('auth'))) return []
  return [{ challenge: { name, realm, nonce, opaque: f.get('opaque'), named, algorithm, qop: qops !== undefined, uses: 0 }, stale: f.get('stale')?.toLowerCase() === 'true' }]
}
