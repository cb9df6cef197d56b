import type { FaultEntry } from './index.ts'

export const storeFaults = {
  STORE_UNREADABLE: { what: 'A file of the data folder cannot be read', todo: 'Check its owner and permissions.' },
  STORE_UNWRITABLE: { what: 'A file of the data folder cannot be written', todo: 'Check owner and permissions of the folder, and the space left.' },
  STORE_DAMAGED: { what: 'A file of the data folder is damaged', todo: 'Restore it from a backup; take it away only when you accept that what it remembers is forgotten.' },
  BACKUP_DAMAGED: { what: 'This is no backup, or it is damaged', todo: 'Take another copy of it.' },
  BACKUP_PASSPHRASE: { what: 'The backup does not open: wrong passphrase, or it was changed', todo: 'Type the passphrase that it was made with, or take another copy.' },
} as const satisfies Record<string, FaultEntry>
