export { MAGIC, type ReadJournal, readJournal } from './reading.ts'
export { type Checkpoint, ENTRY_LIMIT, frameRecord, journalKeyFor, openEntry, readCheckpoint, readRecord, SALT, sealEntry, sealHead, sectionKey, signCheckpoint, START, type Tip } from './record.ts'
