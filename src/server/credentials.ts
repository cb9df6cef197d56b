/** The server's certificate and key, and whom it trusts. */
import { toHex } from '../base/bytes.ts'
import type { UnixTime } from '../base/brand.ts'
import type { Result } from '../base/result.ts'
import { ok } from '../base/result.ts'
import type { CryptoPort } from '../crypto/port.ts'
import type { Anchors } from '../protocol/x509/path.ts'
import { encodePem } from '../protocol/x509/pem.ts'
import { readAnchors, readIdentity } from '../store/identity-file.ts'
import type { ServerConfig } from './config.ts'

export interface Credentials {
  /** PEM, with intermediates. */
  readonly certificate: string
  readonly key: string
  readonly anchors: Anchors
  /** Keys of the authorities, as of `Identity.keyId`. */
  readonly authorities: readonly string[]
}

export function readCredentials(config: ServerConfig, crypto: CryptoPort, now: UnixTime): Result<Credentials> {
  const { certificate, key, passphrase, anchors } = config.identity
  const own = readIdentity(crypto, { certificateFile: certificate, keyFile: key, ...(passphrase === undefined ? {} : { passphrase }) }, now)
  if (!own.ok) return own
  using identity = own.value
  const trusted = readAnchors(anchors)
  if (!trusted.ok) return trusted
  return ok({ certificate: identity.chain.map((der) => encodePem('CERTIFICATE', der)).join(''), key: encodePem('PRIVATE KEY', identity.pkcs8.reveal()), anchors: trusted.value, authorities: trusted.value.certificates.map((c) => toHex(crypto.hash('sha256', c.spki))) })
}

