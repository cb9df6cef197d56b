import type { FaultEntry } from './index.ts'

export const journalFaults = {
  JOURNAL_CHANGED: { what: 'The journal was changed after it was written', todo: 'Keep the file as evidence, restore an older one from a backup, and find out who could write to the data folder.' },
  JOURNAL_TRUNCATED: { what: 'The end of the journal was cut off', todo: 'Keep the file as evidence, restore it from a backup, and find out who could write to the data folder.' },
  JOURNAL_CLOSED: { what: 'The journal is not open', todo: 'Nothing was written; start the client again.' },
  JOURNAL_ENTRY: { what: 'An entry is too large for the journal', todo: 'Please report it with the log.' },
  JOURNAL_IN_USE: { what: 'Another client writes this journal', todo: 'Give each client a data folder of its own, or end the other one.' },
  JOURNAL_GAP: { what: 'The beginning of the journal is gone, and no entry says that it was deleted', todo: 'Find out who could write to the data folder, and restore what is missing from a backup.' },
  JOURNAL_NONE: { what: 'There is no journal here', todo: 'One is begun by the first call, unless "journal: false" stands in the configuration.' },
  JOURNAL_NO_CHECKPOINT: { what: 'There is no signed checkpoint of that time', todo: 'A checkpoint is made at every start and every day; choose a later time.' },
} as const satisfies Record<string, FaultEntry>
