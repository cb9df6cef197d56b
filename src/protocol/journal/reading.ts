/** A journal, or a part of one, read and verified record by record. */
import { ByteReader, sameBytes, utf8 } from '../../base/bytes.ts'
import { type Result, err, ok } from '../../base/result.ts'
import type { CryptoPort } from '../../crypto/port.ts'
import { type Checkpoint, type JournalRecord, type Tip, HASH, SALT, START, openEntry, openHead, readCheckpoint, readRecord, sectionKey } from './record.ts'

export const MAGIC = utf8('stc journal 1\n')

export interface ReadJournal {
  /** Its first record, or where that would stand. */
  readonly from: Tip
  readonly entries: readonly { readonly number: number; readonly bytes: Uint8Array }[]
  readonly checkpoints: readonly Checkpoint[]
  /** Where the next record goes. */
  readonly tip: Tip
  /** Octets that hold whole records; what is behind them was being written when the machine stopped. */
  readonly whole: number
}

/**
 * `head`: the file beside it; undefined where there is none, which only an empty journal may have, and for parts that are not the
 * last. A torn last record is no fault as long as the head does not know it: nobody was told that it stands. `from`: where the
 * part before ended; without, it may begin at a checkpoint.
 */
export function readJournal(crypto: CryptoPort, journalKey: Uint8Array, bytes: Uint8Array, head: Uint8Array | undefined, from?: Tip): Result<ReadJournal> {
  const r = new ByteReader(bytes)
  const known = head === undefined ? undefined : openHead(crypto, journalKey, head)
  if (head !== undefined && known === undefined) return err('JOURNAL_CHANGED', 'the file that says how far it went')
  // The machine stopped while the file was being made.
  const begin = from ?? START
  if (bytes.length < MAGIC.length && (known === undefined || atTip(begin, known))) return ok({ entries: [], checkpoints: [], from: begin, tip: begin, whole: 0 })
  if (!sameBytes(r.take(MAGIC.length), MAGIC)) return err('JOURNAL_CHANGED', 'its beginning')
  const entries: { number: number; bytes: Uint8Array }[] = []
  const checkpoints: Checkpoint[] = []
  let tip: Tip | undefined = from
  let first: Tip | undefined = from
  let key: Uint8Array | undefined
  let whole = r.at
  let reached = known === undefined || atTip(begin, known)
  for (;;) {
    const record = readRecord(crypto, r)
    if (record === undefined) break
    const fits = tip === undefined ? mayBegin(record) : record.number === tip.number && sameBytes(record.before, tip.before)
    if (!fits) return err('JOURNAL_CHANGED', `record ${record.number} does not follow`)
    first ??= { number: record.number, before: record.before }
    if (known !== undefined && atTip(first, known)) reached = true
    if (record.kind === 'opening') {
      if (record.payload.length !== SALT) return err('JOURNAL_CHANGED', `record ${record.number}`)
      key = sectionKey(crypto, journalKey, record.payload)
    } else if (record.kind === 'checkpoint') {
      const checkpoint = readCheckpoint(crypto, record)
      if (!checkpoint.ok) return checkpoint
      checkpoints.push(checkpoint.value)
    } else {
      const opened = key === undefined ? undefined : openEntry(crypto, key, record)
      if (opened === undefined) return err('JOURNAL_CHANGED', `entry ${record.number}`)
      entries.push({ number: record.number, bytes: opened })
    }
    tip = { number: record.number + 1, before: record.hash }
    whole += record.octets
    if (known !== undefined && atTip(tip, known)) reached = true
  }
  if (!reached) return err('JOURNAL_TRUNCATED', `${(tip?.number ?? 1) - 1} records, there were ${known!.number - 1}`)
  return ok({ entries, checkpoints, from: first ?? START, tip: tip ?? START, whole })
}

const atTip = (a: Tip, b: Tip): boolean => a.number === b.number && sameBytes(a.before, b.before)

/** The first of all, or a checkpoint that stands for what was deleted before it. */
const mayBegin = (r: JournalRecord): boolean => r.kind === 'checkpoint' || (r.kind === 'opening' && r.number === START.number && sameBytes(r.before, new Uint8Array(HASH)))
