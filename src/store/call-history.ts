/** Calls so far, for the user's own eyes: one JSON file that nobody else may read, bounded, and gone when the user says so. */
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { utf8 } from '../base/bytes.ts'
import { type Result, err, ok } from '../base/result.ts'
import type { PastCall } from '../model/page.ts'
import { replaceFile } from './atomic-file.ts'

export const HISTORY_LIMIT = 200
const PEOPLE_LIMIT = 200
const TEXT_LIMIT = 1024
const text = z.string().max(TEXT_LIMIT)
const milliseconds = z.number().min(0)
const entry: z.ZodType<PastCall> = z.object({
  room: text, startedAt: milliseconds, endedAt: milliseconds, people: z.array(text).max(PEOPLE_LIMIT), person: z.object({ name: text, to: text }).exactOptional(),
  direction: z.enum(['in', 'out', 'missed']).exactOptional(), fault: z.object({ code: text, message: text }).exactOptional(), telephone: z.literal(true).exactOptional(),
})
const content = z.object({ version: z.literal(1), calls: z.array(entry).max(HISTORY_LIMIT) })

const cut = (t: string): string => t.slice(0, TEXT_LIMIT)

function bounded(call: PastCall): PastCall {
  const { person, fault } = call
  return {
    ...call, room: cut(call.room), people: call.people.slice(0, PEOPLE_LIMIT).map(cut),
    ...(person === undefined ? {} : { person: { name: cut(person.name), to: cut(person.to) } }),
    ...(fault === undefined ? {} : { fault: { code: cut(fault.code), message: cut(fault.message) } }),
  }
}

export class CallHistory {
  readonly #file: string
  #calls: readonly PastCall[]
  /** What could not be written. */
  onFault: (message: string) => void = () => {}

  private constructor(file: string, calls: readonly PastCall[]) {
    this.#file = file
    this.#calls = calls
  }
  static open(file: string): Result<CallHistory> {
    let read: string
    try {
      read = readFileSync(file, 'utf8')
    } catch (e) {
      const { code } = e as NodeJS.ErrnoException
      return code === 'ENOENT' ? ok(new CallHistory(file, [])) : err('STORE_UNREADABLE', `${file} (${code ?? 'unknown reason'})`)
    }
    try {
      const parsed = content.safeParse(JSON.parse(read))
      return parsed.success ? ok(new CallHistory(file, parsed.data.calls)) : err('STORE_DAMAGED', file)
    } catch {
      return err('STORE_DAMAGED', file)
    }
  }

  /** The newest first. */
  get all(): readonly PastCall[] {
    return this.#calls
  }
  /** Texts of others are as long as they like; what is kept can be read again. */
  add(call: PastCall): void {
    this.#calls = [bounded(call), ...this.#calls].slice(0, HISTORY_LIMIT)
    this.#write()
  }
  clear(): void {
    this.#calls = []
    this.#write()
  }
  #write(): void {
    const written = replaceFile(this.#file, utf8(JSON.stringify({ version: 1, calls: this.#calls })))
    if (!written.ok) this.onFault(written.fault.message)
  }
}
