import type { FaultEntry } from './index.ts'

export const storeFaults = {
  STORE_UNREADABLE: { what: 'A file of the data folder cannot be read', todo: 'Check its owner and permissions.' },
  STORE_UNWRITABLE: { what: 'A file of the data folder cannot be written', todo: 'Check owner and permissions of the folder, and the space left.' },
  STORE_DAMAGED: { what: 'A file of the data folder is damaged', todo: 'Restore it from a backup; take it away only when you accept that what it remembers is forgotten.' },
} as const satisfies Record<string, FaultEntry>
