/** What an authority did, in order: one JSON line each, chained by hashes, so that a line taken out or changed shows. */
import type { UnixTime } from '../base/brand.ts'
import { toHex, utf8 } from '../base/bytes.ts'
import { type Result, err, ok } from '../base/result.ts'
import type { CryptoPort } from '../crypto/port.ts'
import { appendLine, readLines } from './files.ts'

export type AuditEvent = Readonly<Record<string, string | number | readonly string[]>> & { readonly what: string }

export interface AuditLine {
  readonly n: number
  /** Seconds since 1970. */
  readonly at: number
  readonly what: string
  /** SHA-256 of the line before, hex; of nothing for the first. */
  readonly before: string
}

const hashOf = (crypto: CryptoPort, line: string): string => toHex(crypto.hash('sha256', utf8(line)))

export function appendAudit(crypto: CryptoPort, file: string, event: AuditEvent, now: UnixTime): Result<void> {
  return appendLine(file, (lines) => JSON.stringify({ n: lines.length + 1, at: Math.floor(now), ...event, before: hashOf(crypto, lines.at(-1) ?? '') }))
}

/** All lines, or the number of the first that does not follow from the one before. */
export function readAudit(crypto: CryptoPort, file: string): Result<readonly (AuditLine & AuditEvent)[]> {
  const lines = readLines(file)
  const entries: (AuditLine & AuditEvent)[] = []
  for (const [i, line] of lines.entries()) {
    try {
      const entry = JSON.parse(line) as AuditLine & AuditEvent
      if (entry.n !== i + 1 || entry.before !== hashOf(crypto, lines[i - 1] ?? '')) return err('IDENTITY_AUDIT_BROKEN', `line ${i + 1} of ${file}`)
      entries.push(entry)
    } catch {
      return err('IDENTITY_AUDIT_BROKEN', `line ${i + 1} of ${file}`)
    }
  }
  return ok(entries)
}
