/** What the small authority has revoked, and the list that says so. */
import { existsSync } from 'node:fs'
import { type UnixTime, unixTime } from '../base/brand.ts'
import { sameBytes, toHex } from '../base/bytes.ts'
import { type Result, err, ok } from '../base/result.ts'
import { parseRevocationList } from '../protocol/x509/crl.ts'
import { encodePem } from '../protocol/x509/pem.ts'
import { appendAudit } from './audit.ts'
import { type Authority, issueRevocationList, openCa } from './authority.ts'
import { type IssuedEntry, listIssued } from './ca-directory.ts'
import { caFiles, readBlock, readBlocks, readEarlier } from './ca-files.ts'
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
  const entries = revoked.value.filter((r) => !ended.has(r.serial)).map((r) => ({ serial: r.serial, when: unixTime(r.when) }))
  const root = existsSync(caFiles(dir).rootList) ? readBlock(caFiles(dir).rootList, 'X509 CRL') : undefined
  if (root?.ok === false) return root
  const ders = [issueRevocationList(ca, entries, Math.floor(now), now), ...earlierLists(ca, dir, entries, now)]
  return writeLists(dir, ders, root?.value)
}

/** The root's list second: whoever takes a number of lists at most has it, and this authority's own. */
function writeLists(dir: string, [own, ...others]: readonly Uint8Array[], root: Uint8Array | undefined): Result<void> {
  const ders = [own, root, ...others].filter((der) => der !== undefined)
  return replace(caFiles(dir).list, ders.map((der) => encodePem('X509 CRL', der)).join(''), PUBLIC_MODE)
}

/** Certificates of the issuing authorities before this one hold to their end, by lists of their own. Serial numbers are random: what another issued is no harm in them. */
function earlierLists({ crypto }: Authority, dir: string, entries: Parameters<typeof issueRevocationList>[1], now: UnixTime): Uint8Array[] {
  return readEarlier(dir).flatMap(({ certificate, key }) => {
    const opened = key === undefined ? undefined : openCa(crypto, certificate, key)
    if (opened?.ok !== true) return []
    using earlier = opened.value
    return earlier.notAfter < now ? [] : [issueRevocationList(earlier, entries, Math.floor(now), now)]
  })
}

/**
 * This authority's list, then the root's and those of the issuing authorities before it: as they stand, made anew when they are missing, not
 * this authority's, without what the root revoked, or have lived for half their time.
 */
export function currentLists(ca: Authority, dir: string, now: UnixTime): Result<readonly Uint8Array[]> {
  const { list, rootList } = caFiles(dir)
  const there = readBlocks(list, 'X509 CRL')
  const parsed = there.ok ? parseRevocationList(there.value[0]!) : there
  const root = existsSync(rootList) ? readBlock(rootList, 'X509 CRL') : undefined
  const whole = root === undefined || (root.ok && there.ok && there.value.some((der) => sameBytes(der, root.value)))
  const good = whole && parsed.ok && parsed.value.authorityKeyId?.keyId === toHex(ca.keyId) && now < (parsed.value.thisUpdate + parsed.value.nextUpdate) / 2 && now >= parsed.value.thisUpdate
  const made = good ? ok(undefined) : publishList(ca, dir, now)
  return made.ok ? readBlocks(list, 'X509 CRL') : made
}

/**
 * The root's list: all that it revoked before, and these. It holds as long as the root: nobody signs with it meanwhile. It is handed out
 * from here on, beside the lists as they stand.
 */
export function revokeIssuing(root: Authority, dir: string, serials: readonly string[], now: UnixTime): Result<void> {
  const file = caFiles(dir).rootList
  const block = existsSync(file) ? readBlock(file, 'X509 CRL') : undefined
  const before = block?.ok === true ? parseRevocationList(block.value) : block
  if (before?.ok === false) return before
  const revoked = [...(before?.value.revoked ?? [])].map(([known, when]) => ({ serial: known, when }))
  for (const serial of serials) if (!revoked.some((r) => r.serial === serial)) revoked.push({ serial, when: now })
  const der = issueRevocationList(root, revoked, Math.floor(now), now, Math.max(1, (root.notAfter - now) / 86_400))
  const kept = replace(file, encodePem('X509 CRL', der), PUBLIC_MODE)
  if (!kept.ok) return kept
  const there = readBlocks(caFiles(dir).list, 'X509 CRL')
  const others = there.ok ? there.value.filter((other) => block?.ok !== true || !sameBytes(other, block.value)) : []
  return writeLists(dir, others, der)
}
