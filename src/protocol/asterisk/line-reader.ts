/** A stream of octets as lines. Both protocols are lines of text that end in LF or CRLF. */
import type { Result } from '../../base/result.ts'
import { err, ok } from '../../base/result.ts'
import { LINE_LIMIT } from './limits.ts'

const LF = 10
const CR = 13

export class LineReader {
  #rest: Uint8Array = new Uint8Array(0)
  // Names of callers come in any encoding: what is not UTF-8 becomes U+FFFD and harms nobody.
  readonly #text = new TextDecoder('utf-8', { ignoreBOM: true })

  /** The whole lines so far, without their ends. After a fault the stream is of no more use. */
  push(octets: Uint8Array): Result<string[]> {
    let from = 0
    const lines: string[] = []
    for (let at = octets.indexOf(LF); at >= 0; at = octets.indexOf(LF, from)) {
      const line = this.#join(octets.subarray(from, at))
      if (line.length > LINE_LIMIT + 1) return tooLong(line.length)
      lines.push(this.#text.decode(line.at(-1) === CR ? line.subarray(0, -1) : line))
      from = at + 1
    }
    this.#rest = this.#join(octets.subarray(from)).slice()
    return this.#rest.length > LINE_LIMIT + 1 ? tooLong(this.#rest.length) : ok(lines)
  }

  #join(more: Uint8Array): Uint8Array {
    if (this.#rest.length === 0) return more
    const whole = new Uint8Array(this.#rest.length + more.length)
    whole.set(this.#rest)
    whole.set(more, this.#rest.length)
    this.#rest = new Uint8Array(0)
    return whole
  }
}

const tooLong = (octets: number): Result<never> => err('PBX_TOO_LONG', `a line of ${octets} octets`)
