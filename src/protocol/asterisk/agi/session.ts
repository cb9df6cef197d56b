/** One FastAGI session, the server's side, as a machine: environment, then one command at a time, each with its answer. */
import type { Instant } from '../../../base/brand.ts'
import { instant } from '../../../base/brand.ts'
import { utf8 } from '../../../base/bytes.ts'
import type { Machine } from '../../../base/machine.ts'
import type { Fault, Result } from '../../../base/result.ts'
import { makeFault } from '../../../base/result.ts'
import { LineReader } from '../line-reader.ts'
import { AGI_ENVIRONMENT_LIMIT } from '../limits.ts'
import { type AgiReply, type AgiRequest, parseEnvironment, parseReply } from './message.ts'

export type AgiIn =
  | { readonly kind: 'start' }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  /** A command made with `agiCommand`; only when none is waiting. */
  | { readonly kind: 'command'; readonly line: string }
  | { readonly kind: 'tick' }

export type AgiOut =
  | { readonly kind: 'request'; readonly request: AgiRequest }
  | { readonly kind: 'send'; readonly bytes: Uint8Array }
  | { readonly kind: 'reply'; readonly reply: AgiReply }
  /** It is over for a reason of its own; a command that waits has no answer. The connection is to be closed. Last output. */
  | { readonly kind: 'failed'; readonly fault: Fault }

const ENVIRONMENT_MS = 3000
const REPLY_MS = 3000

export class AgiSession implements Machine<AgiIn, AgiOut> {
  readonly #lines = new LineReader()
  #state: 'environment' | 'idle' | 'asked' | 'over' = 'environment'
  #environment: string[] = []
  #deadline: Instant = instant(0)
  #usage = false

  step(input: AgiIn, now: Instant): { readonly out: readonly AgiOut[]; readonly wakeAt?: Instant } {
    const out: AgiOut[] = []
    const fail = (fault: Fault): void => {
      this.#state = 'over'
      out.push({ kind: 'failed', fault })
    }
    if (input.kind === 'start') this.#deadline = instant(now + ENVIRONMENT_MS)
    else if (input.kind === 'command') {
      if (this.#state !== 'idle') throw new Error(`a command while ${this.#state}`)
      this.#state = 'asked'
      this.#deadline = instant(now + REPLY_MS)
      out.push({ kind: 'send', bytes: utf8(input.line) })
    } else if (input.kind === 'bytes' && this.#state !== 'over') {
      const lines = this.#lines.push(input.bytes)
      if (!lines.ok) fail(lines.fault)
      else for (const line of lines.value) {
        const done = this.#line(line, out)
        if (!done.ok) {
          fail(done.fault)
          break
        }
      }
    }
    const waits = this.#state === 'environment' || this.#state === 'asked'
    if (waits && now >= this.#deadline) fail(makeFault('PBX_SILENT', 'an AGI session'))
    return this.#state === 'environment' || this.#state === 'asked' ? { out, wakeAt: this.#deadline } : { out }
  }

  #line(line: string, out: AgiOut[]): Result<unknown> {
    // Comes between whatever else when the caller hangs up.
    if (line === 'HANGUP') return fault('PBX_GONE', 'the caller hung up')
    if (this.#state === 'environment') return this.#environmentLine(line, out)
    // `520-Invalid command syntax`, the usage in lines of its own, `520 End of proper usage.`
    if (/^\d{3}-/.test(line)) this.#usage = true
    if (this.#usage && !/^520 /.test(line)) return fine
    this.#usage = false
    if (this.#state !== 'asked') return fault('PBX_SYNTAX', 'an answer to nothing in an AGI session')
    const reply = parseReply(line)
    if (!reply.ok) return reply
    this.#state = 'idle'
    out.push({ kind: 'reply', reply: reply.value })
    return fine
  }
  #environmentLine(line: string, out: AgiOut[]): Result<unknown> {
    if (line !== '') {
      this.#environment.push(line)
      return this.#environment.length > AGI_ENVIRONMENT_LIMIT ? fault('PBX_TOO_LONG', 'environment of an AGI session') : fine
    }
    const request = parseEnvironment(this.#environment)
    if (!request.ok) return request
    this.#state = 'idle'
    out.push({ kind: 'request', request: request.value })
    return fine
  }
}

const fine: Result<unknown> = { ok: true, value: undefined }
const fault = (code: 'PBX_GONE' | 'PBX_SYNTAX' | 'PBX_TOO_LONG', detail: string): Result<never> => ({ ok: false, fault: makeFault(code, detail) })
