/** Where the small authority keeps what it has, and how it is set up. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { type Result, err, ok } from '../base/result.ts'
import { decodePem } from '../protocol/x509/pem.ts'
import { PUBLIC_MODE, replace } from './files.ts'

/**
 * `ca.pem` (root certificate: hand it to everybody), `root.key` (take it away from the machine), `issuing.pem` and `issuing.key` (sign day by
 * day), `index.jsonl` (what was issued), `revoked.jsonl`, `list.crl` (the list now), `audit.jsonl`, `settings.json`, `invitations/`.
 */
export const caFiles = (dir: string) => ({
  certificate: path.join(dir, 'ca.pem'), rootKey: path.join(dir, 'root.key'), issuing: path.join(dir, 'issuing.pem'), issuingKey: path.join(dir, 'issuing.key'),
  index: path.join(dir, 'index.jsonl'), revoked: path.join(dir, 'revoked.jsonl'), list: path.join(dir, 'list.crl'), audit: path.join(dir, 'audit.jsonl'),
  settings: path.join(dir, 'settings.json'), invitations: path.join(dir, 'invitations'),
})

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
  try {
    const bytes = decodePem(readFileSync(file, 'latin1')).find((b) => b.label === label)?.bytes
    return bytes === undefined ? err('IDENTITY_FILE_DAMAGED', file) : ok(bytes)
  } catch (e) {
    const { code } = e as NodeJS.ErrnoException
    return code === 'ENOENT' || code === 'ENOTDIR' ? err('IDENTITY_CA_MISSING', path.resolve(path.dirname(file))) : err('IDENTITY_FILE_UNREADABLE', `${file} (${code ?? 'unknown reason'})`)
  }
}
