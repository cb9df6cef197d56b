/** A vault with a journal in a folder of its own. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'
import { must } from '../../src/base/result.ts'
import { JournalRecorder, type RecorderOptions } from '../../src/client/journal/recorder.ts'
import { type NumberedEntry, readAll } from '../../src/client/journal/reading.ts'
import { createNodeCrypto } from '../../src/crypto/node/index.ts'
import type { JournalEntry } from '../../src/model/journal.ts'
import type { Vault } from '../../src/vault/api/calls.ts'
import { createVault } from '../../src/vault/inside/create.ts'
import { People, REALM } from './people.ts'
import { VirtualClock } from './virtual-clock.ts'

/** Where waiting for the disk costs nothing. */
const MEMORY = '/dev/shm'

export function journalFolder(t: Pick<TestContext, 'after'>): string {
  const folder = mkdtempSync(path.join(existsSync(MEMORY) ? MEMORY : tmpdir(), 'stc-journal-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export class JournalStage {
  readonly crypto = createNodeCrypto()
  readonly clock = new VirtualClock()
  readonly people = new People(this.clock.unix(), this.crypto)
  readonly folder: string
  readonly complaints: string[] = []
  readonly ann = this.people.person('Ann')
  nowMs = 1_795_262_400_000

  constructor(t: Pick<TestContext, 'after'>) {
    this.folder = journalFolder(t)
  }
  get journal(): string {
    return path.join(this.folder, 'journal')
  }
  vault(person = this.ann): Vault {
    return must(createVault({ crypto: this.crypto, clock: this.clock }, { chain: person.chain, pkcs8: person.pkcs8.slice(), anchors: [this.people.ca.certificate], realm: REALM }))
  }
  recorder(vault: Vault, more: Partial<RecorderOptions> = {}): JournalRecorder {
    return must(JournalRecorder.open({ vault, folder: this.journal, now: () => this.nowMs, complain: (m) => void this.complaints.push(m), memory: path.join(this.folder, 'state'), ...more }))
  }
  /** One run of a client that says these words. */
  async run(words: readonly string[], more: Partial<RecorderOptions> = {}): Promise<void> {
    const vault = this.vault()
    const recorder = this.recorder(vault, more)
    for (const text of words) {
      recorder.note({ what: 'started', text })
      await recorder.settled()
    }
    await recorder.close('the client ends')
    await vault.close()
  }
  async read(vault = this.vault()): Promise<{ result: Awaited<ReturnType<typeof readAll>>; entries: NumberedEntry[] }> {
    const entries: NumberedEntry[] = []
    return { result: await readAll(vault, this.journal, (e) => void entries.push(e)), entries }
  }
  async texts(): Promise<string[]> {
    return textsOf((await this.read()).entries)
  }
}

export const textsOf = (all: readonly NumberedEntry[]): string[] => all.flatMap(({ entry }) => (entry.source === 'client' && entry.what === 'started' ? [entry.text] : []))
export const ofWhat = <W extends JournalEntry['what']>(all: readonly NumberedEntry[], what: W): Extract<JournalEntry, { what: W }>[] => all.flatMap(({ entry }) => (entry.what === what ? [entry as Extract<JournalEntry, { what: W }>] : []))
