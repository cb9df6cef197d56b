/** What the small authority has revoked, and the list that says so. */
import { existsSync } from 'node:fs'
import { type UnixTime, unixTime } from '../base/brand.ts'
import { type Result, err, ok } from '../base/result.ts'
import { parseRevocationList } from '../protocol/x509/crl.ts'
import { encodePem } from '../protocol/x509/pem.ts'
import { appendAudit } from './audit.ts'
import { type Authority, issueRevocationList } from './authority.ts'
import { type IssuedEntry, listIssued } from './ca-directory.ts'
import { caFiles, readBlock } from './ca-files.ts'
import { appendLine, PUBLIC_MODE, readLines, replace } from './files.ts'

export interface RevokedEntry {
  readonly serial: string
  readonly when: number
}

export function listRevoked(dir: string): Result<RevokedEntry[]> {
  const file = caFiles(dir).revoked
  if (!existsSync(file)) return ok([])
  try {
    const entries = readLines(file).map((l) => JSON.parse(l) as RevokedEntry)
    return entries.every((e) => /^[0-9a-f]+$/.test(e.serial) && Number.isFinite(e.when)) ? ok(entries) : err('IDENTITY_CA_INDEX_DAMAGED', file)
  } catch {
    return err('IDENTITY_CA_INDEX_DAMAGED', file)
  }
}

/** Which certificates a serial number or a name means, of those that still count. */
export function findIssued(dir: string, which: string, all: boolean, now: UnixTime): Result<IssuedEntry[]> {
  const issued = listIssued(dir)
  if (!issued.ok) return issued
  const revoked = listRevoked(dir)
  if (!revoked.ok) return revoked
  const gone = new Set(revoked.value.map((r) => r.serial))
  const counting = issued.value.filter((e) => e.notAfter >= now && !gone.has(e.serial))
  const found = counting.filter((e) => e.serial === which.toLowerCase() || e.name === which)
  if (found.length === 0) return err('IDENTITY_SERIAL_UNKNOWN', which)
  return found.length > 1 && !all ? err('IDENTITY_NAME_AMBIGUOUS', `"${which}" has ${found.length}`) : ok(found)
}

/** Notes it, and publishes a new list. */
export function revoke(ca: Authority, dir: string, entries: readonly IssuedEntry[], now: UnixTime): Result<void> {
  for (const { serial, name } of entries) {
    const noted = appendLine(caFiles(dir).revoked, JSON.stringify({ serial, when: Math.floor(now) } satisfies RevokedEntry))
    if (!noted.ok) return noted
    const audited = appendAudit(ca.crypto, caFiles(dir).audit, { what: 'revoke', serial, name }, now)
    if (!audited.ok) return audited
  }
  return publishList(ca, dir, now)
}

/** Writes `list.crl` anew. Its number is the time, which grows. */
export function publishList(ca: Authority, dir: string, now: UnixTime): Result<void> {
  const revoked = listRevoked(dir)
  if (!revoked.ok) return revoked
  const issued = listIssued(dir)
  if (!issued.ok) return issued
  // What has expired needs no entry any more (RFC 5280 §3.3: one list beyond the end).
  const ended = new Set(issued.value.filter((e) => e.notAfter < now - 30 * 86_400).map((e) => e.serial))
  const der = issueRevocationList(ca, revoked.value.filter((r) => !ended.has(r.serial)).map((r) => ({ serial: r.serial, when: unixTime(r.when) })), Math.floor(now), now)
  return replace(caFiles(dir).list, encodePem('X509 CRL', der), PUBLIC_MODE)
}

/** The list as it stands, made anew when it is missing, not this authority's, or has lived for half its time. */
export function currentList(ca: Authority, dir: string, now: UnixTime): Result<Uint8Array> {
  const block = readBlock(caFiles(dir).list, 'X509 CRL')
  const parsed = block.ok ? parseRevocationList(block.value) : block
  if (parsed.ok && now < (parsed.value.thisUpdate + parsed.value.nextUpdate) / 2 && now >= parsed.value.thisUpdate) return ok(parsed.value.der)
  const made = publishList(ca, dir, now)
  return made.ok ? readBlock(caFiles(dir).list, 'X509 CRL') : made
}
