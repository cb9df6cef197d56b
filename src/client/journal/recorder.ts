/**
 * Writes the journal of one client: asks the vault for the records of what happened, puts them on the disk, in order, one batch at a
 * time. A journal that cannot be written keeps nobody from calling: it is said, and tried again.
 */
import type { Result } from '../../base/result.ts'
import type { ClientNote } from '../../model/journal.ts'
import type { CallEvent } from '../../model/roster.ts'
import { JournalFiles, journalParts, type PartFile, readHead, readPart } from '../../store/journal-files.ts'
import { rememberGeneration, seenGeneration } from '../../store/key-memory.ts'
import type { Vault } from '../../vault/api/calls.ts'
import type { JournalWritten } from '../../vault/api/journal.ts'
import type { RunningCall } from '../calls.ts'
import type { ClientObserver } from '../options.ts'
import { cutName, cutText, isRepeated, noteOf, placeOf } from './notes.ts'

/** A part may be deleted as a whole: one for each day, or less. */
const PART_OCTETS = 512 * 1024
const DAY_MS = 86_400_000
const BATCH = 100
const QUEUE_LIMIT = 2000
const NOTES_A_MINUTE = 240
/** Of a call whose policy is not known yet. */
const HELD_LIMIT = 50

export interface RecorderOptions {
  readonly vault: Pick<Vault, 'call'>
  readonly folder: string
  /** Wall time, ms. */
  readonly now: () => number
  /** Parts that are older are deleted; absent: never. */
  readonly keepDays?: number
  /** What whoever runs the client should know. */
  readonly complain: (message: string) => void
  /** Where it is remembered how far the journal went, apart from it; the user's state folder unless given. */
  readonly memory?: string
}

export class JournalRecorder {
  readonly #o: RecorderOptions
  readonly #files: JournalFiles
  #opened = false
  #queue: ClientNote[] = []
  #asked = false
  #running: Promise<void> | undefined
  #unwritten: JournalWritten | undefined
  #next = 1
  #day = ''
  #minute = { at: 0, notes: 0, leftOut: 0 }
  /** Calls in which nothing is known of the room's policy yet. */
  readonly #held = new WeakMap<RunningCall, ClientNote[]>()
  readonly #last = new WeakMap<RunningCall, ClientNote>()
  #said = ''

  private constructor(o: RecorderOptions, files: JournalFiles) {
    this.#o = o
    this.#files = files
  }
  static open(o: RecorderOptions): Result<JournalRecorder> {
    const files = JournalFiles.open(o.folder)
    return files.ok ? { ok: true, value: new JournalRecorder(o, files.value) } : files
  }

  observer(): ClientObserver {
    return {
      onEvent: (call, e) => this.#event(call, e),
      onOver: (call, reason, fault) => this.#over(call, reason, fault?.code),
      onServer: (up, { fault }) => this.#server(up ? 'CLIENT_CONNECTED' : (fault?.code ?? 'CLIENT_DISCONNECTED'), up ? 'connected to the server' : (fault?.message ?? 'disconnected')),
      onVault: (fault) => {
        this.#opened = false
        this.note({ what: 'note', code: fault.code, text: cutText(fault.message) })
      },
    }
  }

  note(n: ClientNote): void {
    const minute = Math.floor(this.#o.now() / 60_000)
    if (minute !== this.#minute.at) {
      const { leftOut } = this.#minute
      this.#minute = { at: minute, notes: 0, leftOut: 0 }
      if (leftOut > 0) this.#queue.push({ what: 'note', code: 'JOURNAL_LEFT_OUT', text: `${leftOut} more notes in a minute than are kept` })
    }
    if (++this.#minute.notes > NOTES_A_MINUTE || this.#queue.length >= QUEUE_LIMIT) this.#minute.leftOut++
    else this.#queue.push(n)
    this.#wake()
  }
  /** Resolves when everything so far is on the disk, or cannot be put there. */
  async settled(): Promise<void> {
    this.#asked = true
    this.#wake()
    while (this.#running !== undefined) await this.#running
  }
  async close(text: string): Promise<void> {
    this.note({ what: 'ended', text: cutText(text) })
    await this.settled()
    if (this.#opened) this.#remember()
    this.#files[Symbol.dispose]()
  }

  /** Tried again every few seconds: the same answer is no news. */
  #server(code: string, text: string): void {
    if (code === this.#lastServer) return
    this.#lastServer = code
    this.note({ what: 'note', code, text: cutText(text) })
  }
  #lastServer = ''
  #event(call: RunningCall, e: CallEvent): void {
    const journal = call.roster.policy?.base.journal
    if (journal === false) return void this.#held.delete(call)
    const n = noteOf(call.roster, e)
    if (n !== undefined && !isRepeated(this.#last.get(call), n)) {
      if (n.what === 'present') this.#last.set(call, n)
      if (journal === true || call.kind !== 'sealed') this.note(n)
      else this.#hold(call, n)
    }
    if (journal === true) this.#release(call)
    // What the vault saw is fetched.
    if (e.kind === 'group' || e.kind === 'policy' || e.kind === 'phase' || e.kind === 'note') {
      this.#asked = true
      this.#wake()
    }
  }
  #over(call: RunningCall, reason: string, code: string | undefined): void {
    if (call.roster.policy?.base.journal === false) return
    this.#release(call)
    this.note({ what: 'over', ...placeOf(call.roster), text: cutText(reason), ...(code === undefined ? {} : { code: cutName(code) }) })
  }
  #hold(call: RunningCall, n: ClientNote): void {
    const held = this.#held.get(call) ?? []
    this.#held.set(call, held)
    if (held.length < HELD_LIMIT) held.push(n)
  }
  #release(call: RunningCall): void {
    for (const n of this.#held.get(call) ?? []) this.note(n)
    this.#held.delete(call)
  }

  #wake(): void {
    this.#running ??= this.#work().finally(() => {
      this.#running = undefined
      if (this.#asked && this.#said === '') this.#wake()
    })
  }
  async #work(): Promise<void> {
    while (this.#queue.length > 0 || this.#asked || this.#unwritten !== undefined) {
      this.#asked = false
      const done = await this.#step()
      if (done.ok) {
        this.#said = ''
        continue
      }
      // Said once; the next event tries again.
      if (this.#said !== done.fault.code) this.#o.complain(`the journal is not written: ${done.fault.message} [${done.fault.code}]`)
      this.#said = done.fault.code
      return
    }
  }

  async #step(): Promise<Result<unknown>> {
    const { vault } = this.#o
    if (this.#unwritten !== undefined) {
      const again = this.#files.append(this.#unwritten.records, this.#unwritten.head)
      if (!again.ok) return again
      this.#unwritten = undefined
    }
    if (!this.#opened) {
      const opened = await this.#open()
      if (!opened.ok) return opened
    }
    if (this.#files.octets > PART_OCTETS || this.#today() !== this.#day) {
      const turned = await this.#turn()
      if (!turned.ok) return turned
    }
    const notes = this.#queue.slice(0, BATCH)
    const made = await vault.call('journal.append', { notes })
    if (!made.ok) {
      this.#opened = false
      return made
    }
    this.#queue.splice(0, notes.length)
    if (made.value.records.length === 0) return made
    const put = this.#put(made.value)
    // Of parts that are still there the next day tells again.
    if (put.ok && this.#doomed !== undefined && notes.includes(this.#doomed.told)) for (const p of this.#doomed.parts) this.#files.remove(p)
    return put
  }
  #put(made: JournalWritten): Result<unknown> {
    this.#next = made.next
    const written = this.#files.append(made.records, made.head)
    if (!written.ok) this.#unwritten = made
    return written
  }

  async #open(): Promise<Result<unknown>> {
    const { vault, folder } = this.#o
    const parts = journalParts(folder)
    const head = readHead(folder)
    if (!parts.ok) return parts
    if (!head.ok) return head
    const last = parts.value.slice(-2)
    const bytes: Uint8Array[] = []
    for (const p of last) {
      const read = readPart(p)
      if (!read.ok) return read
      bytes.push(read.value)
    }
    const opened = await vault.call('journal.open', { parts: bytes, ...(head.value === undefined ? {} : { head: head.value }) })
    const seen = seenGeneration(this.#memoryName, this.#o.memory)
    if (!opened.ok && (opened.fault.code === 'JOURNAL_CHANGED' || opened.fault.code === 'JOURNAL_TRUNCATED')) return this.#anew(opened.fault.code, opened.fault.message)
    if (!opened.ok) return opened
    if (opened.value.first < seen) return this.#anew('JOURNAL_TRUNCATED', `it ends before record ${opened.value.first}, and went to ${seen - 1}`)
    return this.#begun(opened.value, last.at(-1), opened.value.wholes.at(-1) ?? 0)
  }
  /** What stands there is no evidence any more of anything but that somebody changed it. */
  async #anew(code: string, text: string): Promise<Result<unknown>> {
    const aside = this.#files.setAside(new Date(this.#o.now()))
    if (!aside.ok) return aside
    this.#o.complain(`${text} [${code}]; what is there lies in ${aside.value} now, and a new journal begins`)
    const opened = await this.#o.vault.call('journal.open', { parts: [] })
    if (!opened.ok) return opened
    this.#queue.unshift({ what: 'set-aside', code, text: cutText(`${text}; now in ${aside.value}`) })
    return this.#begun(opened.value, undefined, 0)
  }
  #begun(opened: JournalWritten & { readonly first: number }, part: PartFile | undefined, whole: number): Result<unknown> {
    this.#opened = true
    this.#day = this.#today()
    const goesOn = part !== undefined && whole < PART_OCTETS && (part.day === this.#day || part.first === opened.first)
    if (!goesOn) return this.#beginPart(opened.first, opened)
    const ready = this.#files.goOn(part, whole)
    if (!ready.ok) {
      this.#opened = false
      return ready
    }
    const put = this.#put(opened)
    if (put.ok) this.#remember()
    return put
  }
  #beginPart(first: number, made: JournalWritten): Result<unknown> {
    this.#next = made.next
    const begun = this.#files.begin(first, this.#day, made.records, made.head)
    // Nothing of it is on the disk: the vault goes on from there when it is asked again.
    if (!begun.ok) this.#opened = false
    else this.#remember()
    this.#deleteOld()
    return begun
  }
  async #turn(): Promise<Result<unknown>> {
    const first = this.#next
    const made = await this.#o.vault.call('journal.checkpoint', {})
    if (!made.ok) {
      this.#opened = false
      return made
    }
    this.#day = this.#today()
    return this.#beginPart(first, made.value)
  }

  /** First it stands in the journal, and then it is gone. */
  #deleteOld(): void {
    const { keepDays, folder, now } = this.#o
    const all = keepDays === undefined ? undefined : journalParts(folder)
    if (keepDays === undefined || all?.ok !== true) return
    const before = dayOf(now() - keepDays * DAY_MS)
    const kept = all.value.findIndex((p, i) => p.day >= before || i === all.value.length - 1)
    const old = all.value.slice(0, kept)
    if (old.length === 0) return
    const told: ClientNote = { what: 'deleted', upTo: all.value[kept]!.first - 1, text: `older than ${keepDays} days, as configured` }
    this.#queue.push(told)
    this.#doomed = { told, parts: old }
  }
  #doomed: { readonly told: ClientNote; readonly parts: readonly PartFile[] } | undefined

  #today(): string {
    return dayOf(this.#o.now())
  }
  get #memoryName(): string {
    return `${this.#o.folder}/head`
  }
  #remember(): void {
    rememberGeneration(this.#memoryName, this.#next, this.#o.memory)
  }
}

const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10)
