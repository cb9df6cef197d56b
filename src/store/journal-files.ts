/**
 * A journal on disk, one folder: parts `00000001-2026-11-22.stj` … named by the number and day of their first record, and `head`, which says how far
 * it went. A part grows at its end only; an entry is confirmed when its octets are on the disk and the head that knows them is.
 */
import { closeSync, fsyncSync, ftruncateSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeSync } from 'node:fs'
import path from 'node:path'
import { type Result, err, ok } from '../base/result.ts'
import { replaceFile, syncFolder } from './atomic-file.ts'
import { type FolderLock, lockFolder } from './folder-lock.ts'

const MAGIC = Buffer.from('stc journal 1\n')
const ENDING = '.stj'
const PART_NAME = /^(\d{8,16})-(\d{4}-\d{2}-\d{2})\.stj$/

export interface PartFile {
  readonly file: string
  /** Number of its first record. */
  readonly first: number
  readonly octets: number
  /** When it was begun, UTC. */
  readonly day: string
}

export class JournalFiles implements Disposable {
  readonly folder: string
  readonly #lock: FolderLock
  #fd: number | undefined
  #octets = 0

  private constructor(folder: string, lock: FolderLock) {
    this.folder = folder
    this.#lock = lock
  }
  /** To write; for one process at a time. JOURNAL_IN_USE, STORE_UNWRITABLE. */
  static open(folder: string): Result<JournalFiles> {
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 })
    } catch (e) {
      return unwritable(folder, e)
    }
    const lock = lockFolder(folder)
    return lock.ok ? ok(new JournalFiles(folder, lock.value)) : lock
  }

  get octets(): number {
    return this.#octets
  }

  /** Goes on in the last part, from `whole` octets; what is behind them was torn. */
  goOn(part: PartFile, whole: number): Result<undefined> {
    return this.#guarded(() => {
      this.#close()
      // Less than the beginning of the file was written.
      if (whole < MAGIC.length) return this.#create(part.file)
      const fd = openSync(part.file, 'r+', 0o600)
      this.#fd = fd
      ftruncateSync(fd, whole)
      fsyncSync(fd)
      this.#octets = whole
    })
  }
  /** Records for the part that is open, and the head that knows them. On disk when this returns; nothing of it otherwise. */
  append(records: Uint8Array, head: Uint8Array): Result<undefined> {
    const written = this.#guarded(() => {
      const fd = this.#fd
      if (fd === undefined) throw new Error('no part is open')
      try {
        for (let at = 0; at < records.length; ) at += writeSync(fd, records, at, records.length - at, this.#octets + at)
        fsyncSync(fd)
      } catch (e) {
        // What was half written must not stand before what comes later.
        ftruncateSync(fd, this.#octets)
        throw e
      }
      this.#octets += records.length
    })
    if (!written.ok) return written
    const confirmed = replaceFile(path.join(this.folder, 'head'), head)
    // The same records are written again when it can be: in the same place.
    if (!confirmed.ok) this.#octets -= records.length
    return confirmed
  }
  /** A new part that begins with these. */
  begin(first: number, day: string, records: Uint8Array, head: Uint8Array): Result<undefined> {
    const made = this.#guarded(() => {
      this.#close()
      this.#create(path.join(this.folder, `${String(first).padStart(8, '0')}-${day}${ENDING}`))
    })
    return made.ok ? this.append(records, head) : made
  }
  remove(part: PartFile): Result<undefined> {
    return this.#guarded(() => {
      rmSync(part.file)
      syncFolder(this.folder)
    })
  }
  /** Everything aside, to keep as evidence; gives the folder where it is now. */
  setAside(now: Date): Result<string> {
    const aside = path.join(this.folder, `aside-${now.toISOString().replace(/[:.]/g, '-')}`)
    const moved = this.#guarded(() => {
      this.#close()
      mkdirSync(aside, { mode: 0o700 })
      for (const name of readdirSync(this.folder)) if (PART_NAME.test(name) || name === 'head') renameSync(path.join(this.folder, name), path.join(aside, name))
      syncFolder(this.folder)
    })
    return moved.ok ? ok(aside) : moved
  }
  [Symbol.dispose](): void {
    this.#close()
    this.#lock[Symbol.dispose]()
  }

  #create(file: string): void {
    const fd = openSync(file, 'w', 0o600)
    this.#fd = fd
    writeSync(fd, MAGIC)
    fsyncSync(fd)
    syncFolder(this.folder)
    this.#octets = MAGIC.length
  }
  #close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd)
    this.#fd = undefined
    this.#octets = 0
  }
  #guarded(step: () => void): Result<undefined> {
    try {
      step()
      return ok(undefined)
    } catch (e) {
      return unwritable(this.folder, e)
    }
  }
}

const unwritable = (folder: string, e: unknown): Result<never> => err('STORE_UNWRITABLE', `${folder} (${(e as NodeJS.ErrnoException).code ?? (e instanceof Error ? e.message : 'unknown reason')})`)

/** In order; none where there is no journal. */
export function journalParts(folder: string): Result<PartFile[]> {
  try {
    const parts = readdirSync(folder).flatMap((name) => {
      const [, first, day] = PART_NAME.exec(name) ?? []
      if (first === undefined || day === undefined) return []
      return [{ file: path.join(folder, name), first: Number(first), octets: statSync(path.join(folder, name)).size, day }]
    })
    return ok(parts.sort((a, b) => a.first - b.first))
  } catch (e) {
    return (e as NodeJS.ErrnoException).code === 'ENOENT' ? ok([]) : unreadable(folder, e)
  }
}
export function readPart(part: PartFile): Result<Uint8Array> {
  try {
    return ok(Uint8Array.from(readFileSync(part.file)))
  } catch (e) {
    return unreadable(part.file, e)
  }
}
/** Undefined where there is none. */
export function readHead(folder: string): Result<Uint8Array | undefined> {
  try {
    return ok(Uint8Array.from(readFileSync(path.join(folder, 'head'))))
  } catch (e) {
    return (e as NodeJS.ErrnoException).code === 'ENOENT' ? ok(undefined) : unreadable(folder, e)
  }
}
const unreadable = (file: string, e: unknown): Result<never> => err('STORE_UNREADABLE', `${file} (${(e as NodeJS.ErrnoException).code ?? 'unknown reason'})`)
