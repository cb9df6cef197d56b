/** The log of a client: JSON lines in its data folder, without secrets, the newest megabyte or two. */
import { appendFileSync, mkdirSync, readFileSync, renameSync, statSync } from 'node:fs'
import path from 'node:path'
import type { Fault } from '../base/result.ts'
import type { RunningCall } from '../client/calls.ts'
import type { ClientConfig } from '../client/config.ts'
import type { ClientObserver } from '../client/options.ts'
import { besideConfig } from '../store/config.ts'

export interface LogLine {
  /** RFC 3339, UTC. */
  readonly at: string
  readonly level: 'info' | 'warn'
  readonly line?: string
  readonly room?: string
  /** What the server's log and the journals call it (call-id.ts); unknown until we are in. */
  readonly call?: string
  readonly code?: string
  readonly text: string
}

const LARGEST = 1 << 20
const LONGEST_TEXT = 1000

export const logFile = (config: Pick<ClientConfig, 'data'>, configFile: string): string =>
  path.join(config.data === undefined ? `${configFile.replace(/\.[^./\\]*$/, '')}-data` : besideConfig(configFile, config.data), 'client.log')

export class ClientLog {
  readonly #file: string
  #size: number | undefined

  constructor(file: string) {
    this.#file = file
  }
  /** A log that cannot be written is no reason to stop: what is said on the terminal stands there. */
  write(l: Omit<LogLine, 'at'>): void {
    const text = `${JSON.stringify({ at: new Date().toISOString(), ...l, text: l.text.slice(0, LONGEST_TEXT) })}\n`
    try {
      if (this.#size === undefined) {
        mkdirSync(path.dirname(this.#file), { recursive: true, mode: 0o700 })
        this.#size = sizeOf(this.#file)
      }
      if (this.#size + text.length > LARGEST) {
        renameSync(this.#file, `${this.#file}.1`)
        this.#size = 0
      }
      appendFileSync(this.#file, text, { mode: 0o600 })
      this.#size += text.length
    } catch {
      this.#size = undefined
    }
  }

  /** Who joins and leaves, what fails and how media goes; `line` where there are several. */
  observer(line: string): ClientObserver {
    const about = line === '' ? {} : { line }
    const info = (text: string, more: object = {}): void => this.write({ level: 'info', ...about, ...more, text })
    const warn = (f: Pick<Fault, 'message'> & { readonly code: string }, more: object = {}): void => this.write({ level: 'warn', ...about, ...more, code: f.code, text: f.message })
    return {
      onServer: (up, { fault }) => (up ? info('connected to the server') : warn(fault ?? { code: 'CLIENT_NO_CHANNEL', message: 'not connected' })),
      onVault: (fault) => warn(fault),
      onPhone: (e) => {
        if (e.kind === 'registered' || e.kind === 'unregistered') info(`phone ${e.line} ${e.kind}: ${e.contact}`)
        else if (e.kind === 'dial') info(`phone ${e.line} dials ${e.target}`)
        else if (e.kind === 'ended') info(`phone call ended: ${e.reason}`)
      },
      onEvent: (call, e) => {
        const of = ofCall(call)
        if (e.kind === 'note') info(e.text, { ...of, code: e.code })
        else if (e.kind === 'act') info(e.text, of)
        else if (e.kind === 'phase') info(`${e.phase}${e.reason === undefined ? '' : `: ${e.reason}`}`, of)
        else if (e.kind === 'unheard' && e.code !== undefined) info(`the member at place ${e.leaf} cannot be heard`, { ...of, code: e.code })
        else if (e.kind === 'flag') info(`red flag of the member at place ${e.leaf}: ${e.text}`, { ...of, code: 'ROOM_FLAG' })
      },
      onOver: (call, reason, fault) => (fault === undefined ? info(reason, ofCall(call)) : warn(fault, ofCall(call))),
      onMedia: (e) => {
        if (e.op === 'fault') warn(e)
        else if (e.op === 'hop.path') info(`media to the server: ${e.path}`)
      },
    }
  }
}

const ofCall = ({ name, roster }: RunningCall): Pick<LogLine, 'room' | 'call'> => ({ room: name, ...(roster.call === undefined ? {} : { call: roster.call }) })

const sizeOf = (file: string): number => {
  try {
    return statSync(file).size
  } catch {
    return 0
  }
}

/** Oldest first; what is no line of ours is left out. */
export function readLog(file: string): LogLine[] {
  return [`${file}.1`, file].flatMap((f) => {
    try {
      return readFileSync(f, 'utf8').split('\n').flatMap(parsed)
    } catch {
      return []
    }
  })
}

export function parsed(line: string): LogLine[] {
  try {
    const l = JSON.parse(line) as LogLine
    return typeof l.at === 'string' && typeof l.text === 'string' ? [l] : []
  } catch {
    return []
  }
}
