export { MAGIC, readJournal } from './reading.ts'
export { ENTRY_LIMIT, frameRecord, openEntry, readCheckpoint, readRecord, SALT, sealEntry, sealHead, sectionKey, signCheckpoint, type Tip } from './record.ts'
