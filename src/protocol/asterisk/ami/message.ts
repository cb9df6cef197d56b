/** Messages of the Asterisk Manager Interface: lines `Name: value`, a blank line at the end. */
import { utf8 } from '../../../base/bytes.ts'
import type { Result } from '../../../base/result.ts'
import { err, ok } from '../../../base/result.ts'
import { LineReader } from '../line-reader.ts'
import { LINE_LIMIT, MESSAGE_LIMIT, MESSAGE_LINES_LIMIT } from '../limits.ts'

export type AmiField = readonly [name: string, value: string]

export class AmiMessage {
  readonly fields: readonly AmiField[]

  constructor(fields: readonly AmiField[]) {
    this.fields = fields
  }
  /** The first value of that name, in any case of letters. */
  get(name: string): string | undefined {
    const wanted = name.toLowerCase()
    return this.fields.find(([n]) => n.toLowerCase() === wanted)?.[1]
  }
  get event(): string | undefined {
    return this.get('Event')
  }
  get response(): string | undefined {
    return this.get('Response')
  }
}

const CONTROL = /[\0-\x08\x0a-\x1f\x7f]/
const NAME = /^[A-Za-z][A-Za-z0-9]*$/

/** A line end in a value would begin a field of its own: refused, whoever sent it. */
export function encodeAction(action: string, fields: readonly AmiField[]): Result<Uint8Array> {
  const all: AmiField[] = [['Action', action], ...fields]
  const wrong = all.find(([name, value]) => !NAME.test(name) || CONTROL.test(value) || value.length > LINE_LIMIT / 4)
  if (wrong !== undefined) return err('PBX_SYNTAX', `${JSON.stringify(wrong[0])} of an action of ours`)
  return ok(utf8(`${all.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`))
}

const BANNER = /^Asterisk Call Manager\/\d+(\.\d+)*$/

/** The stream from Asterisk: its banner line first, then messages. */
export class AmiReader {
  readonly #lines = new LineReader()
  #greeted = false
  #fields: AmiField[] = []
  #size = 0

  push(octets: Uint8Array): Result<AmiMessage[]> {
    const lines = this.#lines.push(octets)
    if (!lines.ok) return lines
    const messages: AmiMessage[] = []
    for (const line of lines.value) {
      if (!this.#greeted) {
        if (!BANNER.test(line)) return err('PBX_SYNTAX', 'no "Asterisk Call Manager" at the begin')
        this.#greeted = true
      } else if (line !== '') {
        const refused = this.#take(line)
        if (!refused.ok) return refused
      } else if (this.#fields.length > 0) {
        messages.push(new AmiMessage(this.#fields))
        this.#fields = []
        this.#size = 0
      }
    }
    return ok(messages)
  }
  get greeted(): boolean {
    return this.#greeted
  }

  #take(line: string): Result<void> {
    this.#size += line.length
    if (this.#size > MESSAGE_LIMIT || this.#fields.length >= MESSAGE_LINES_LIMIT) return err('PBX_TOO_LONG', `a message of ${this.#fields.length} lines, ${this.#size} characters`)
    const colon = line.indexOf(':')
    // Some modules break a value into lines of its own; nobody needs the rest of such a value.
    if (colon > 0) this.#fields.push([line.slice(0, colon).trim(), line.slice(colon + 1).trim()])
    return ok(undefined)
  }
}
