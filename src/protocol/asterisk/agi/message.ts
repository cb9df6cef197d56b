/**
 * FastAGI (Asterisk's res_agi): Asterisk connects, sends its environment as lines `agi_name: value` up to a blank line,
 * then answers each command line with `CODE result=N (data)`.
 */
import type { Result } from '../../../base/result.ts'
import { err, ok } from '../../../base/result.ts'

/** What Asterisk says of the call that asks. Everything may have been chosen by a caller. */
export interface AgiRequest {
  /** Path of `agi://host:port/PATH`. */
  readonly script: string
  readonly uniqueId: string
  readonly channel: string
  readonly callerNumber: string
  readonly callerName: string
  readonly extension: string
  readonly context: string
  /** Arguments after the address. */
  readonly arguments: readonly string[]
}

const ENVIRONMENT = /^agi_([a-z0-9_]{1,40}): ?(.*)$/

export function parseEnvironment(lines: readonly string[]): Result<AgiRequest> {
  const fields = new Map<string, string>()
  for (const line of lines) {
    const [, name, value] = ENVIRONMENT.exec(line) ?? []
    if (name === undefined || value === undefined || fields.has(name)) return err('PBX_SYNTAX', 'environment of an AGI session')
    fields.set(name, value)
  }
  const get = (name: string): string => fields.get(name) ?? ''
  if (get('uniqueid') === '' || get('channel') === '' || !fields.has('network_script')) return err('PBX_SYNTAX', 'an AGI session without its call')
  const list: string[] = []
  for (let n = 1; fields.has(`arg_${n}`); n++) list.push(get(`arg_${n}`))
  const unknown = (text: string): string => (text === 'unknown' ? '' : text)
  return ok({
    script: get('network_script'), uniqueId: get('uniqueid'), channel: get('channel'), callerNumber: unknown(get('callerid')), callerName: unknown(get('calleridname')),
    extension: get('extension'), context: get('context'), arguments: list,
  })
}

export interface AgiReply {
  /** 200, or 5xx: refused. */
  readonly code: number
  readonly result: string
  /** What stands in parentheses. */
  readonly data?: string
}

// The value in parentheses is the rest of the line: it may hold parentheses itself.
const REPLY = /^(\d{3})(?: result=([^\s(]*)(?: \((.*)\))?(?: endpos=\d+)?| .*)?$/

export function parseReply(line: string): Result<AgiReply> {
  const [, code, result, data] = REPLY.exec(line) ?? []
  if (code === undefined) return err('PBX_SYNTAX', 'an answer in an AGI session')
  return ok({ code: Number(code), result: result ?? '', ...(data === undefined ? {} : { data }) })
}

/** One command line. A line end in an argument would begin a command of its own: refused. */
export function agiCommand(verb: string, ...parts: readonly string[]): Result<string> {
  if (parts.some((p) => /[\0-\x1f\x7f]/.test(p))) return err('PBX_SYNTAX', `an argument of ${verb}`)
  return ok(`${verb}${parts.map((p) => ` "${p.replace(/["\\]/g, '\\$&')}"`).join('')}\n`)
}
