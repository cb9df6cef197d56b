/**
 * A new issuing authority below the same root: before the old one ends, or because its key was stolen. Members anchor the root, so nothing
 * changes for them; certificates of the old one hold to their end, unless its key is `compromised`: then a list of the root's revokes it.
 */
import { existsSync } from 'node:fs'
import type { Der, UnixTime } from '../base/brand.ts'
import { toHex } from '../base/bytes.ts'
import { ok, type Result } from '../base/result.ts'
import type { CryptoPort } from '../crypto/port.ts'
import { parseCertificate } from '../protocol/x509/certificate.ts'
import { ATTRIBUTE, attributeOf } from '../protocol/x509/name.ts'
import { appendAudit } from './audit.ts'
import { type Authority, createSubordinate, openCa } from './authority.ts'
import { readRoot } from './ca-directory.ts'
import { caFiles, earlierFiles, listAddress, readBlock, readEarlier, readSettings, writeEarlier, writeIssuing } from './ca-files.ts'
import { publishList, revokeIssuing } from './revoked.ts'

/** The authority's own end is told of so long before. */
const SOON_S = 365 * 86_400

/** When the authority that issues ends, if that is within a year: whatever it issues ends then at the latest. */
export const endsSoon = ({ notAfter }: Pick<Authority, 'notAfter'>, now: UnixTime): UnixTime | undefined => (notAfter - now < SOON_S ? notAfter : undefined)

export interface RenewIssuing {
  /** PKCS #8. */
  readonly rootKey: Uint8Array
  readonly compromised: boolean
  readonly now: UnixTime
}

/** Gives the new one. Stopped in the middle, it is called again. */
export function renewIssuing(crypto: CryptoPort, dir: string, { rootKey, compromised, now }: RenewIssuing): Result<Authority> {
  const files = caFiles(dir)
  const certificate = readRoot(dir)
  if (!certificate.ok) return certificate
  const opened = openCa(crypto, certificate.value, rootKey)
  if (!opened.ok) return opened
  using root = opened.value
  const settings = readSettings(dir)
  if (!settings.ok) return settings
  const old = readBlock(files.issuing, 'CERTIFICATE')
  if (!old.ok) return old
  const before = parseCertificate(old.value)
  if (!before.ok) return before
  const parsedRoot = parseCertificate(root.certificate)
  if (!parsedRoot.ok) return parsedRoot
  // First what protects: whoever has the stolen key is out even if nothing else is written. With it lay the keys of those before it.
  const barred = compromised ? revokeIssuing(root, dir, [before.value.serial, ...serialsOf(readEarlier(dir).map((e) => e.certificate))], now) : ok(undefined)
  if (!barred.ok) return barred
  const kept = keepEarlier(crypto, dir, old.value as Der, compromised)
  if (!kept.ok) return kept
  const organisation = attributeOf(parsedRoot.value.subject, ATTRIBUTE.organisation)
  const name = [...(attributeOf(parsedRoot.value.subject, ATTRIBUTE.commonName) ?? 'stc authority')].slice(0, 50).join('')
  const address = listAddress(settings.value)
  const ca = createSubordinate(root, {
    name: `${name} (issuing ${readEarlier(dir).length + 1})`, now, pathLength: 0, ...(organisation === undefined ? {} : { organisation }), ...(address === undefined ? {} : { listAddress: address }),
  })
  const written = writeIssuing(dir, ca.certificate, ca.pkcs8)
  if (!written.ok) return written
  const published = publishList(ca, dir, now)
  if (!published.ok) return published
  const noted = appendAudit(crypto, files.audit, { what: compromised ? 'renew issuing, the old one revoked' : 'renew issuing', old: before.value.serial, fingerprint: toHex(crypto.hash('sha256', ca.certificate)), until: ca.notAfter }, now)
  return noted.ok ? ok(ca) : noted
}

const serialsOf = (certificates: readonly Der[]): string[] => certificates.map(parseCertificate).flatMap((c) => (c.ok ? [c.value.serial] : []))

/** Its certificate, and its key for its lists: also a stolen one's, so that nobody misses them (whoever stole it can sign them as well, and the root's list stands above). */
function keepEarlier(crypto: CryptoPort, dir: string, certificate: Der, compromised: boolean): Result<void> {
  const key = readBlock(caFiles(dir).issuingKey, 'PRIVATE KEY')
  const at = earlierFiles(dir, toHex(crypto.hash('sha256', certificate)).slice(0, 16))
  const own = key.ok ? openCa(crypto, certificate, key.value) : key
  if (own.ok) own.value[Symbol.dispose]()
  // Gone or replaced: a try before this one was stopped, or whoever answers a theft has deleted it.
  if (!own.ok && !compromised && !existsSync(at.key)) return own
  return writeEarlier(at, certificate, own.ok && key.ok ? key.value : undefined)
}
