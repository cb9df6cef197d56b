/** A journal on disk, read and verified part by part. */
import { type Fault, type Result, err, makeFault, ok } from '../../base/result.ts'
import type { JournalEntry } from '../../model/journal.ts'
import { journalParts, readHead, readPart } from '../../store/journal-files.ts'
import type { Vault } from '../../vault/api/calls.ts'
import type { JournalPart } from '../../vault/api/journal.ts'

export interface NumberedEntry {
  readonly number: number
  readonly entry: JournalEntry
}

export interface JournalSummary {
  readonly entries: number
  /** Number of the first record that is there; above 1 where the beginning was deleted. */
  readonly first: number
  readonly last: number
  readonly checkpoints: JournalPart['checkpoints']
  /** Octets behind the last whole record: it was being written when the machine stopped. */
  readonly torn: number
}

/** `each` sees every entry whose part verified, in order. The first fault ends it; `part` names the file. */
export async function readAll(vault: Pick<Vault, 'call'>, folder: string, each: (e: NumberedEntry) => void): Promise<Result<JournalSummary>> {
  const parts = journalParts(folder)
  const head = readHead(folder)
  if (!parts.ok) return parts
  if (!head.ok) return head
  if (parts.value.length === 0) return head.value === undefined ? err('JOURNAL_NONE', folder) : err('JOURNAL_TRUNCATED', `no part is left in ${folder}`)
  let from: JournalPart['next'] | undefined
  let first = 0
  let torn = 0
  let entries = 0
  let deletedUpTo = 0
  const checkpoints: JournalPart['checkpoints'][number][] = []
  for (const [i, part] of parts.value.entries()) {
    const bytes = readPart(part)
    if (!bytes.ok) return bytes
    const isLast = i === parts.value.length - 1
    const read = await vault.call('journal.read', { part: bytes.value, ...(isLast && head.value !== undefined ? { head: head.value } : {}), ...(from === undefined ? {} : { from }) })
    if (!read.ok) return { ok: false, fault: inFile(read.fault, part.file) }
    if (isLast && head.value === undefined && read.value.next.number > 2) return err('JOURNAL_TRUNCATED', `the file that says how far it went is missing in ${folder}`)
    if (i === 0) first = read.value.first
    for (const e of read.value.entries) {
      if (e.entry.source === 'client' && e.entry.what === 'deleted') deletedUpTo = Math.max(deletedUpTo, e.entry.upTo)
      each(e)
    }
    entries += read.value.entries.length
    checkpoints.push(...read.value.checkpoints)
    torn = part.octets - read.value.whole
    from = read.value.next
  }
  if (first > 1 && deletedUpTo < first - 1) return err('JOURNAL_GAP', `it begins with record ${first}`)
  return ok({ entries, first, last: from!.number - 1, checkpoints, torn: Math.max(0, torn) })
}

const inFile = (fault: Fault, file: string): Fault => (fault.code === 'JOURNAL_CHANGED' || fault.code === 'JOURNAL_TRUNCATED' ? makeFault(fault.code, file, fault) : fault)
