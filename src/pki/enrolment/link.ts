/**
 * An invitation's link (docs/protocol/enrolment.md §1): `https://HOST:PORT/join#1.SECRET.FINGERPRINT`. What stands after the # is
 * sent to nobody; keys for both directions come from the secret.
 */
import { sameBytes, toHex, utf8 } from '../../base/bytes.ts'
import { type Result, err, ok } from '../../base/result.ts'
import type { CryptoPort } from '../../crypto/port.ts'

const SECRET_OCTETS = 16
const VERSION = '1'

export interface Invitation {
  /** Where the authority's door is. */
  readonly host: string
  readonly port: number
  readonly secret: Uint8Array
  /** SHA-256 of the root certificate. */
  readonly fingerprint: Uint8Array
}

export interface InvitationKeys {
  /** Hex: names the invitation to the authority without giving the secret away. */
  readonly id: string
  /** HMAC-SHA256 keys, one per direction. */
  readonly request: Uint8Array
  readonly reply: Uint8Array
}

export const newSecret = (crypto: CryptoPort): Uint8Array => crypto.bytes(SECRET_OCTETS)

export function formatLink({ host, port, secret, fingerprint }: Invitation): string {
  const shown = host.includes(':') ? `[${host}]` : host
  return `https://${shown}:${port}/join#${VERSION}.${Buffer.from(secret).toString('base64url')}.${Buffer.from(fingerprint).toString('base64url')}`
}

export function parseLink(text: string): Result<Invitation> {
  const malformed = (why: string) => err('IDENTITY_LINK_MALFORMED', why)
  const m = /^https:\/\/(\[[0-9a-f:.]+\]|[a-z0-9.-]{1,253}):(\d{1,5})\/join#(\d+)\.([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{43})$/i.exec(text.trim())
  if (m === null) return malformed(text.includes('#') ? 'it is cut or altered' : 'the part after the # is missing (quote the link: \'…\')')
  const [, host = '', port = '', version, secret = '', fingerprint = ''] = m
  if (version !== VERSION) return malformed(`version ${version}`)
  if (Number(port) < 1 || Number(port) > 65_535) return malformed('the port')
  return ok({ host: host.replace(/^\[|\]$/g, ''), port: Number(port), secret: new Uint8Array(Buffer.from(secret, 'base64url')), fingerprint: new Uint8Array(Buffer.from(fingerprint, 'base64url')) })
}

export function invitationKeys(crypto: CryptoPort, secret: Uint8Array): InvitationKeys {
  const prk = crypto.hkdfExtract('sha256', utf8('stc invitation v1'), secret)
  const part = (what: string, length: number) => crypto.hkdfExpand('sha256', prk, utf8(`stc invitation ${what}`), length)
  return { id: toHex(part('id', 16)), request: part('request', 32), reply: part('reply', 32) }
}

/** HMAC over a purpose and a message. */
export const tagOf = (crypto: CryptoPort, key: Uint8Array, purpose: string, message: Uint8Array): Uint8Array => crypto.hmac('sha256', key, utf8(purpose), Uint8Array.of(0), message)

/** What two people read to each other: ten digits of the new key. */
export function keyCode(crypto: CryptoPort, spki: Uint8Array): string {
  const digits = (BigInt(`0x${toHex(crypto.hash('sha256', utf8('stc enrolment code v1'), spki).subarray(0, 8))}`) % 10_000_000_000n).toString().padStart(10, '0')
  return `${digits.slice(0, 5)} ${digits.slice(5)}`
}

export const isFingerprintOf = (crypto: CryptoPort, fingerprint: Uint8Array, der: Uint8Array): boolean => sameBytes(fingerprint, crypto.hash('sha256', der))
