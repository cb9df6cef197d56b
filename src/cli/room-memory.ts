/** What a client remembers of rooms, blocked keys and people, in its data folder. */
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { unixTime } from '../base/brand.ts'
import { type Result, err, ok } from '../base/result.ts'
import { accountDomains, type ClientConfig } from '../client/config.ts'
import type { ClientObserver } from '../client/options.ts'
import { type RoomContent, encodeRooms } from '../protocol/policy/index.ts'
import { createNodeCrypto } from '../crypto/node/index.ts'
import { AuthorityBook } from '../protocol/x509/authority-book.ts'
import type { Certificate } from '../protocol/x509/certificate.ts'
import type { EvidenceJudge } from '../protocol/x509/evidence.ts'
import { makeAnchors } from '../protocol/x509/path.ts'
import { readCertificates } from '../store/identity-file.ts'
import { besideConfig } from '../store/config.ts'
import { CallHistory } from '../store/call-history.ts'
import { EvidenceFile } from '../store/evidence-file.ts'
import { KnownPeers } from '../store/known-peers.ts'
import { readRooms, writeRooms } from '../store/room-file.ts'
import { SealedNumbers } from '../store/sealed-numbers.ts'
import type { Vault } from '../vault/api/calls.ts'

export const dataFiles = (config: ClientConfig, configFile: string) => {
  const all = config.data === undefined ? `${configFile.replace(/\.[^./\\]*$/, '')}-data` : besideConfig(configFile, config.data)
  // Several lines in one configuration: each remembers by itself.
  const folder = path.join(all, path.parse(config.identity.certificate).name)
  return { folder, rooms: path.join(folder, 'rooms.stc'), peers: path.join(folder, 'peers.json'), journals: path.join(folder, 'journal'), evidence: path.join(folder, 'evidence.stc'), numbers: path.join(folder, 'sealed-numbers.json'), passwords: path.join(folder, 'call-passwords.json'), history: path.join(folder, 'calls.json') }
}

/** Vouched for by our anchors, and by the issuers that our own certificate file names. */
function judgeOf(config: ClientConfig, configFile: string): () => EvidenceJudge {
  const read = (file: string): Certificate[] => {
    const ders = readCertificates(besideConfig(configFile, file))
    const parsed = ders.ok ? makeAnchors(ders.value) : ders
    return parsed.ok ? [...parsed.value.certificates] : []
  }
  const book = new AuthorityBook(createNodeCrypto(), config.identity.anchors.flatMap(read))
  book.meet(read(config.identity.certificate))
  return () => book.at(unixTime(Math.floor(Date.now() / 1000)))
}

/** Statements about revocation that were kept. */
export const keptEvidence = (config: ClientConfig, configFile: string): EvidenceFile => new EvidenceFile(dataFiles(config, configFile).evidence, judgeOf(config, configFile), { vouchedOnly: true })

export class ClientMemory {
  readonly peers: KnownPeers
  /** Revocation lists and answers. */
  readonly evidence: EvidenceFile
  readonly numbers: SealedNumbers
  /** Calls so far, for the page. */
  readonly history: CallHistory
  readonly #file: string
  #content: RoomContent
  #saving: Promise<void> = Promise.resolve()
  /** What could not be kept, in a sentence. */
  onFault: (message: string) => void = () => {}

  private constructor(file: string, content: RoomContent, peers: KnownPeers, evidence: EvidenceFile, numbers: SealedNumbers, history: CallHistory) {
    this.evidence = evidence
    this.#file = file
    this.#content = content
    this.peers = peers
    this.numbers = numbers
    this.history = history
    evidence.onFault = (fault) => this.onFault(fault.message)
    history.onFault = (message) => this.onFault(message)
    numbers.onFault = (message) => this.onFault(message)
    peers.onFault = (message) => this.onFault(message)
  }
  static open(config: ClientConfig, configFile: string): Result<ClientMemory> {
    const files = dataFiles(config, configFile)
    try {
      mkdirSync(files.folder, { recursive: true, mode: 0o700 })
    } catch (e) {
      return err('STORE_UNWRITABLE', `${files.folder} (${(e as NodeJS.ErrnoException).code ?? 'unknown reason'})`)
    }
    const content = readRooms(files.rooms)
    if (!content.ok) return content
    const peers = KnownPeers.open(files.peers)
    if (!peers.ok) return peers
    const numbers = SealedNumbers.open(files.numbers, accountDomains(config))
    if (!numbers.ok) return numbers
    const history = CallHistory.open(files.history)
    return history.ok ? ok(new ClientMemory(files.rooms, content.value, peers.value, keptEvidence(config, configFile), numbers.value, history.value)) : history
  }

  /** For a vault that starts now. */
  get bytes(): Uint8Array {
    return encodeRooms(this.#content)
  }
  /** Writes down what the vault knows by now. */
  async save(vault: Pick<Vault, 'call'>): Promise<Result<undefined>> {
    const rooms = await vault.call('policy.known', {})
    const notices = await vault.call('notice.known', {})
    if (!rooms.ok) return rooms
    if (!notices.ok) return notices
    this.#content = { policies: rooms.value.rooms.map((r) => r.signed), notices: notices.value.notices.map((n) => n.bytes) }
    return writeRooms(this.#file, this.#content)
  }
  /** Saves whenever a policy or a notice is news. */
  observer(vault: Pick<Vault, 'call'>): ClientObserver {
    const soon = (): void => {
      this.#saving = this.#saving.then(() => this.save(vault)).then((r) => (r.ok ? undefined : this.onFault(r.fault.message)))
    }
    return {
      onEvent: (_, e) => {
        if (e.kind === 'policy' || e.kind === 'notice') soon()
      },
      onNotice: soon,
      onProofs: (proofs) => {
        const kept = this.evidence.learn(proofs)
        if (!kept.ok) this.onFault(kept.fault.message)
      },
    }
  }
}
