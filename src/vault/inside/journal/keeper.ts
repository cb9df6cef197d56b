/**
 * The journal as the vault keeps it: its key, where it goes on, and what has not been handed out yet. The vault has no files: the
 * records that it builds are written by its client, who can keep them from the disk, but not change or invent what the vault saw.
 */
import { concat, fromHex, toHex } from '../../../base/bytes.ts'
import { type Result, err, ok } from '../../../base/result.ts'
import { Secret } from '../../../base/secret.ts'
import type { Clock } from '../../../base/ports.ts'
import type { CryptoPort, Signer } from '../../../crypto/port.ts'
import type { ClientNote, JournalEntry, JournalFact, VaultFact } from '../../../model/journal.ts'
import { ENTRY_LIMIT, frameRecord, journalKeyFor, readJournal, type ReadJournal, SALT, sealEntry, sealHead, sectionKey, signCheckpoint, START, type Tip } from '../../../protocol/journal/index.ts'
import { keyIdOf } from '../../../protocol/policy/envelope.ts'
import { decodeCbor, encodeCbor } from '../../../protocol/wire/cbor.ts'
import type { JournalPart, JournalWritten } from '../../api/journal.ts'
import { privatePart } from './secret.ts'

/** Facts that wait to be fetched. */
const FACTS_LIMIT = 512

export interface JournalWorld {
  readonly crypto: CryptoPort
  readonly clock: Clock
  readonly signer: Signer
  readonly realm: string
}

export class JournalKeeper implements Disposable {
  readonly #world: JournalWorld
  readonly #key: Secret
  #section: Secret | undefined
  #tip: Tip = START
  #facts: JournalEntry[] = []
  #lost = 0

  constructor(world: JournalWorld, pkcs8: Uint8Array) {
    this.#world = world
    this.#key = new Secret(journalKeyFor(world.crypto, privatePart(pkcs8), world.realm))
  }

  get isOpen(): boolean {
    return this.#section !== undefined
  }
  /** Of the vault's own; kept until the client fetches it. Nothing while no journal is open. */
  note(fact: VaultFact): void {
    if (!this.isOpen) return
    if (this.#facts.length >= FACTS_LIMIT) this.#lost++
    else this.#facts.push({ time: this.#world.clock.unix(), source: 'vault', ...fact })
  }

  /** One more fact that is not kept, only counted. */
  leaveOut(): void {
    if (this.isOpen) this.#lost++
  }

  /** Goes on behind these parts, the last one or two; a fault where they are not as they were written. */
  open(parts: readonly Uint8Array[], head: Uint8Array | undefined): Result<{ readonly wholes: readonly number[]; readonly first: number } & JournalWritten> {
    let before: ReadJournal | undefined
    const wholes: number[] = []
    if (parts.length === 0 && head !== undefined) return err('JOURNAL_TRUNCATED', 'all of it')
    for (const [i, part] of parts.entries()) {
      const read = this.#read(part, i === parts.length - 1 ? head : undefined, before?.tip)
      if (!read.ok) return read
      before = read.value
      wholes.push(before.whole)
    }
    // Records that nobody confirmed were all there was.
    this.#tip = before?.tip ?? START
    const first = this.#tip.number
    return ok({ wholes, first, ...this.#begin() })
  }

  /** For a new part: a checkpoint that vouches for all before, and a fresh section. */
  checkpoint(): Result<JournalWritten> {
    return this.isOpen ? ok(this.#begin()) : err('JOURNAL_CLOSED')
  }

  /** All that waits, then these, as records. */
  append(notes: readonly ClientNote[]): Result<JournalWritten> {
    const section = this.#section
    if (section === undefined) return err('JOURNAL_CLOSED')
    const time = this.#world.clock.unix()
    const said = notes.map((n) => encodeCbor({ ...n, time, source: 'client' } satisfies JournalEntry))
    if (said.some((e) => e.length > ENTRY_LIMIT)) return err('JOURNAL_ENTRY')
    const seen = this.#facts.map((e) => encodeCbor(e))
    const fitting = seen.filter((e) => e.length <= ENTRY_LIMIT)
    const facts = this.#lost + seen.length - fitting.length
    const lost = facts === 0 ? [] : [encodeCbor({ time, source: 'vault', what: 'lost', facts } satisfies JournalEntry)]
    const encoded = [...fitting, ...lost, ...said]
    this.#facts = []
    this.#lost = 0
    return ok(this.#write(encoded.map((e) => (tip) => ['entry', sealEntry(this.#world.crypto, section.reveal(), tip, e)] as const)))
  }

  /** One part in the clear. `from`: where the one before ended; `head` with the last one. */
  read(bytes: Uint8Array, head: Uint8Array | undefined, from: { readonly number: number; readonly hash: string } | undefined): Result<JournalPart> {
    const read = this.#read(bytes, head, from === undefined ? undefined : { number: from.number, before: fromHex(from.hash) ?? new Uint8Array(0) })
    if (!read.ok) return read
    const { entries, checkpoints, tip, whole } = read.value
    const decoded: JournalPart['entries'][number][] = []
    for (const { number, bytes: octets } of entries) {
      const value = decodeCbor(octets)
      if (!value.ok) return err('JOURNAL_CHANGED', `entry ${number}`)
      // Sealed by us: nobody else could have written it.
      decoded.push({ number, entry: plain(value.value) as JournalFact as JournalEntry })
    }
    return ok({ entries: decoded, checkpoints, first: read.value.from.number, next: { number: tip.number, hash: toHex(tip.before) }, whole })
  }

  [Symbol.dispose](): void {
    this.#key[Symbol.dispose]()
    this.#section?.[Symbol.dispose]()
    this.#section = undefined
    this.#facts = []
  }

  #read(bytes: Uint8Array, head: Uint8Array | undefined, from: Tip | undefined): Result<ReadJournal> {
    const { crypto, signer } = this.#world
    const read = readJournal(crypto, this.#key.reveal(), bytes, head, from)
    if (!read.ok) return read
    const own = keyIdOf(crypto, signer.spki)
    const foreign = read.value.checkpoints.find((c) => c.by !== own)
    return foreign === undefined ? read : err('JOURNAL_CHANGED', `checkpoint ${foreign.number} is signed by key ${foreign.by.slice(0, 16)}`)
  }

  #begin(): JournalWritten {
    const { crypto, clock, signer, realm } = this.#world
    const salt = crypto.bytes(SALT)
    this.#section?.[Symbol.dispose]()
    this.#section = new Secret(sectionKey(crypto, this.#key.reveal(), salt))
    const checkpoint = (tip: Tip) => ['checkpoint', signCheckpoint(crypto, tip, realm, clock.unix(), signer)] as const
    return this.#write([...(this.#tip.number === START.number ? [] : [checkpoint]), () => ['opening', salt] as const])
  }
  #write(all: readonly ((tip: Tip) => readonly ['opening' | 'entry' | 'checkpoint', Uint8Array])[]): JournalWritten {
    const { crypto } = this.#world
    const records: Uint8Array[] = []
    for (const make of all) {
      const [kind, payload] = make(this.#tip)
      const { bytes, next } = frameRecord(crypto, kind, this.#tip, payload)
      records.push(bytes)
      this.#tip = next
    }
    return { records: concat(...records), head: sealHead(crypto, this.#key.reveal(), this.#tip), next: this.#tip.number }
  }
}

/** Maps without a prototype do not cross threads as what they are. */
function plain(v: unknown): unknown {
  if (Array.isArray(v)) return v.map(plain)
  if (typeof v !== 'object' || v === null || v instanceof Uint8Array) return v
  return Object.fromEntries(Object.entries(v).map(([k, x]) => [k, plain(x)]))
}
