/** Where the small authority keeps what it has, and how it is set up. */
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import type { Der } from '../base/brand.ts'
import { type Result, err, ok } from '../base/result.ts'
import { decodePem, encodePem } from '../protocol/x509/pem.ts'
import { PRIVATE_MODE, PUBLIC_MODE, replace, unwritable, writeNew } from './files.ts'

/**
 * `ca.pem` (root certificate: hand it to everybody), `root.key` (take it away from the machine), `issuing.pem` and `issuing.key` (sign day by
 * day), `index.jsonl` (what was issued), `revoked.jsonl`, `list.crl` (the lists now), `root.crl` (what the root revoked, once it did),
 * `earlier/` (issuing authorities before this one), `audit.jsonl`, `settings.json`, `invitations/`.
 */
export const caFiles = (dir: string) => ({
  certificate: path.join(dir, 'ca.pem'), rootKey: path.join(dir, 'root.key'), issuing: path.join(dir, 'issuing.pem'), issuingKey: path.join(dir, 'issuing.key'),
  index: path.join(dir, 'index.jsonl'), revoked: path.join(dir, 'revoked.jsonl'), list: path.join(dir, 'list.crl'), rootList: path.join(dir, 'root.crl'), earlier: path.join(dir, 'earlier'), audit: path.join(dir, 'audit.jsonl'),
  settings: path.join(dir, 'settings.json'), invitations: path.join(dir, 'invitations'),
})

/** One of the issuing authorities before this one. */
export function earlierFiles(dir: string, id: string) {
  const folder = caFiles(dir).earlier
  return { dir: folder, certificate: path.join(folder, `${id}.pem`), key: path.join(folder, `${id}.key`) }
}

/** What is there already stays: a try before this one was stopped. `key`: where it is still there. */
export function writeEarlier(at: ReturnType<typeof earlierFiles>, certificate: Der, key: Uint8Array | undefined): Result<void> {
  try {
    mkdirSync(at.dir, { recursive: true, mode: 0o700 })
  } catch (e) {
    return unwritable(at.dir, e)
  }
  const kept = key === undefined ? ok(undefined) : writeNew(at.key, encodePem('PRIVATE KEY', key), PRIVATE_MODE)
  // Asked of the file: another's draft is in the way under the same fault.
  if (!kept.ok && !existsSync(at.key)) return kept
  const written = writeNew(at.certificate, encodePem('CERTIFICATE', certificate), PUBLIC_MODE)
  return written.ok || existsSync(at.certificate) ? ok(undefined) : written
}

/** In place of the one that is there. A key without its certificate is noticed, and the next try goes on from there. */
export function writeIssuing(dir: string, certificate: Der, key: Uint8Array): Result<void> {
  const kept = replace(caFiles(dir).issuingKey, encodePem('PRIVATE KEY', key), PRIVATE_MODE)
  return kept.ok ? replace(caFiles(dir).issuing, encodePem('CERTIFICATE', certificate), PUBLIC_MODE) : kept
}

/** Issuing authorities before this one; without a key: it was stolen, and deleted. */
export function readEarlier(dir: string): { readonly certificate: Der; readonly key: Uint8Array | undefined }[] {
  const folder = caFiles(dir).earlier
  const ids = existsSync(folder) ? readdirSync(folder).filter((f) => f.endsWith('.pem')).map((f) => f.slice(0, -4)).sort() : []
  return ids.flatMap((id) => {
    const files = earlierFiles(dir, id)
    const [certificate, key] = [readBlock(files.certificate, 'CERTIFICATE'), readBlock(files.key, 'PRIVATE KEY')]
    return certificate.ok ? [{ certificate: certificate.value as Der, key: key.ok ? key.value : undefined }] : []
  })
}

export interface AuthoritySettings {
  /** Where its door is reached: what links and certificates name. */
  readonly host?: string
  readonly port?: number
  /** What new members put into their configuration. */
  readonly server?: string
  readonly serverPort?: number
  readonly realm?: string
  /** The group keeps no journals; absent: everybody's client does. */
  readonly journal?: false
}

export function readSettings(dir: string): Result<AuthoritySettings> {
  const file = caFiles(dir).settings
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'))
    return typeof value === 'object' && value !== null ? ok(value as AuthoritySettings) : err('IDENTITY_FILE_DAMAGED', file)
  } catch (e) {
    return (e as NodeJS.ErrnoException).code === 'ENOENT' ? ok({}) : err('IDENTITY_FILE_DAMAGED', file)
  }
}

export const writeSettings = (dir: string, settings: AuthoritySettings): Result<void> => replace(caFiles(dir).settings, `${JSON.stringify(settings, null, 2)}\n`, PUBLIC_MODE)

/** Where the authority's door hands out its list: it stands in every certificate that it issues. */
export const listAddress = ({ host, port }: AuthoritySettings): string | undefined =>
  host === undefined || port === undefined ? undefined : `https://${host.includes(':') ? `[${host}]` : host}:${port}/list.crl`

/** The first PEM block of that kind. */
export function readBlock(file: string, label: string): Result<Uint8Array> {
  const all = readBlocks(file, label)
  return all.ok ? ok(all.value[0]!) : all
}

/** All of that kind, one at least. */
export function readBlocks(file: string, label: string): Result<readonly Uint8Array[]> {
  try {
    const found = decodePem(readFileSync(file, 'latin1')).filter((b) => b.label === label).flatMap((b) => (b.bytes === undefined ? [] : [b.bytes]))
    return found.length === 0 ? err('IDENTITY_FILE_DAMAGED', file) : ok(found)
  } catch (e) {
    const { code } = e as NodeJS.ErrnoException
    return code === 'ENOENT' || code === 'ENOTDIR' ? err('IDENTITY_CA_MISSING', path.resolve(path.dirname(file))) : err('IDENTITY_FILE_UNREADABLE', `${file} (${code ?? 'unknown reason'})`)
  }
}
