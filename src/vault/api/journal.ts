/** What the vault hands out of a journal. */
import type { UnixTime } from '../../base/brand.ts'
import type { JournalEntry } from '../../model/journal.ts'

/** Records to be written behind the others, then the head, as a file of its own: only then they are confirmed. */
export interface JournalWritten {
  readonly records: Uint8Array
  readonly head: Uint8Array
  /** Number of the next record. */
  readonly next: number
}

export interface JournalPart {
  readonly entries: readonly { readonly number: number; readonly entry: JournalEntry }[]
  /** Signed: what is before such a number can be deleted. */
  readonly checkpoints: readonly { readonly number: number; readonly time: UnixTime; readonly by: string; readonly before: string }[]
  /** Number of its first record. */
  readonly first: number
  /** Where the next part has to go on. */
  readonly next: { readonly number: number; readonly hash: string }
  /** Octets of whole records; what is behind them was being written when the machine stopped. */
  readonly whole: number
}
