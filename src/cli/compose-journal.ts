/** Where a client's journal is, and who writes it. */
import path from 'node:path'
import { type Result, ok } from '../base/result.ts'
import type { ClientConfig } from '../client/config.ts'
import { JournalRecorder } from '../client/journal/recorder.ts'
import type { Vault } from '../vault/api/calls.ts'
import { dataFiles } from './room-memory.ts'

/** One for each key: nobody else's opens it. */
export async function journalFolder(config: ClientConfig, configFile: string, vault: Pick<Vault, 'call'>): Promise<Result<string>> {
  const shown = await vault.call('identity.show', {})
  return shown.ok ? ok(path.join(dataFiles(config, configFile).journals, shown.value.identity.keyId.slice(0, 16))) : shown
}

/** Undefined: the configuration says that there is none. */
export async function openJournal(config: ClientConfig, configFile: string, vault: Pick<Vault, 'call'>, complain: (message: string) => void): Promise<Result<JournalRecorder> | undefined> {
  if (config.journal === false) return undefined
  const folder = await journalFolder(config, configFile, vault)
  if (!folder.ok) return folder
  const keepDays = config.journal === true ? undefined : config.journal.keepDays
  const opened = JournalRecorder.open({ vault, folder: folder.value, now: () => Date.now(), complain, ...(keepDays === undefined ? {} : { keepDays }) })
  if (opened.ok) opened.value.note({ what: 'started', text: config.server === undefined ? 'without a server' : `a client of ${config.server.host}` })
  return opened
}
