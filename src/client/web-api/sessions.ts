/**
 * Who may use the page's interface. The secret of this start stands in the fragment of the page's address, which browsers
 * send nowhere. The page trades it for a session: a strict same-site cookie and a token. Cookies do not know ports: what
 * else runs on this machine's loopback may be shown the cookie, so it is worth nothing without the token, which the page
 * keeps in storage of its own origin, and the token nothing without the cookie, which scripts cannot read.
 */
import { instant } from '../../base/brand.ts'
import { toHex, utf8 } from '../../base/bytes.ts'
import type { Clock } from '../../base/ports.ts'
import { equalConstantTime, Secret } from '../../base/secret.ts'
import type { CryptoPort } from '../../crypto/port.ts'

const OCTETS = 32
/** Windows and browsers of one user, with room to spare; the oldest goes. */
const SESSIONS_LIMIT = 32
const LIFETIME_S = 7 * 24 * 3600
/** Wrong secrets before everybody waits. */
const TRIES = 10
const WAIT_MS = 60_000

export interface PageSession {
  readonly cookie: string
  readonly token: string
}

/** SHA-256 of both halves, hex: what is kept opens nothing. */
export interface StoredSession {
  readonly cookie: string
  readonly token: string
  /** Unix time. */
  readonly until: number
}

/** Lets windows that are open come back by themselves after the client was started anew. */
export interface SessionStore {
  read(): readonly StoredSession[]
  write(sessions: readonly StoredSession[]): void
}

export class Sessions {
  readonly #crypto: CryptoPort
  readonly #clock: Clock
  readonly #secret: Secret
  readonly #store: SessionStore | undefined
  #kept: readonly StoredSession[]
  #wrong = 0
  #closedUntil = instant(0)

  constructor(crypto: CryptoPort, clock: Clock, store?: SessionStore) {
    this.#crypto = crypto
    this.#clock = clock
    this.#store = store
    this.#kept = (store?.read() ?? []).slice(-SESSIONS_LIMIT)
    this.#secret = new Secret(utf8(toHex(crypto.bytes(OCTETS))))
  }
  /** For the fragment of the address that is shown to the user, and nowhere else. */
  get key(): string {
    return new TextDecoder().decode(this.#secret.reveal())
  }

  /** Undefined: the secret is wrong, or too many wrong ones came. */
  open(key: string): PageSession | undefined {
    const now = this.#clock.now()
    if (now < this.#closedUntil) return undefined
    if (!this.#same(utf8(key), this.#secret.reveal())) {
      if (++this.#wrong >= TRIES) {
        this.#wrong = 0
        this.#closedUntil = instant(now + WAIT_MS)
      }
      return undefined
    }
    this.#wrong = 0
    const session = { cookie: toHex(this.#crypto.bytes(OCTETS)), token: toHex(this.#crypto.bytes(OCTETS)) }
    const unix = this.#clock.unix()
    const kept = { cookie: this.#digest(session.cookie), token: this.#digest(session.token), until: unix + LIFETIME_S }
    this.#kept = [...this.#kept.filter((k) => k.until > unix), kept].slice(-SESSIONS_LIMIT)
    this.#store?.write(this.#kept)
    return session
  }
  /** Both halves, of one session. */
  knows(cookie: string | undefined, token: string | undefined): boolean {
    if (cookie === undefined || token === undefined) return false
    const [c, t, unix] = [this.#digest(cookie), this.#digest(token), this.#clock.unix()]
    let known = false
    for (const k of this.#kept) if (sameText(k.cookie, c) && sameText(k.token, t) && k.until > unix) known = true
    return known
  }

  /** What is given may have any length. */
  #same(a: Uint8Array, b: Uint8Array): boolean {
    return equalConstantTime(this.#crypto.hash('sha256', a), this.#crypto.hash('sha256', b))
  }
  #digest(text: string): string {
    return toHex(this.#crypto.hash('sha256', utf8(text)))
  }
}

const sameText = (a: string, b: string): boolean => equalConstantTime(utf8(a), utf8(b))
