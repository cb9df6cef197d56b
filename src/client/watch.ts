/** How a client is, for whoever asks from outside: a fold over what its observer hears. Nothing secret comes in here. */
import type { Clock } from '../base/ports.ts'
import type { Fault } from '../base/result.ts'
import { displayName } from '../model/identity.ts'
import { privacyOf, privacySentence } from '../model/privacy.ts'
import type { Roster } from '../model/roster.ts'
import type { RunningCall } from './calls.ts'
import type { ClientObserver } from './options.ts'
import { ServerClock } from './server-clock.ts'

export interface WatchedCall {
  readonly id: number
  /** What the server's log and the journals call it; unknown until we are in, and of what is no conference of ours. */
  readonly call?: string
  readonly room: string
  readonly kind: Roster['kind']
  readonly phase: Roster['phase']
  /** The label, and its sentence. */
  readonly privacy: string
  readonly sentence: string
  readonly seconds: number
  readonly muted: boolean
  readonly members: readonly { readonly name: string; readonly keyId: string; readonly self: boolean; readonly unheard?: string }[]
  readonly callers: number
}

export interface WatchedClient {
  readonly server: { readonly host: string; readonly up: boolean; readonly path: 'none' | 'udp' | 'tls'; readonly roundTripMs?: number; readonly clockAheadS?: number; /** A telephone system stands behind it. */ readonly pbx?: boolean; readonly fault?: { readonly code: string; readonly message: string } }
  readonly registered: readonly { readonly line: string; readonly contact: string }[]
  readonly calls: readonly WatchedCall[]
  readonly upSeconds: number
}

const CONTACTS_KEPT = 64

export class ClientWatch {
  readonly #clock: Clock
  readonly #since: number
  readonly #calls = new Map<number, RunningCall>()
  #registered: { line: string; contact: string }[] = []
  readonly #serverClock: ServerClock
  #server: WatchedClient['server']

  /** `elapsed`: milliseconds that pass while the computer sleeps as well; else those of `clock`. */
  constructor(clock: Clock, host: string, elapsed?: () => number) {
    this.#clock = clock
    this.#serverClock = new ServerClock(clock, elapsed)
    this.#since = clock.now()
    this.#server = { host, up: false, path: 'none' }
  }

  get snapshot(): WatchedClient {
    const clockAheadS = this.#server.up ? this.#serverClock.aheadS : undefined
    return { server: { ...this.#server, ...(clockAheadS === undefined ? {} : { clockAheadS }) }, registered: this.#registered, calls: [...this.#calls.values()].map((c) => this.#callOf(c)), upSeconds: Math.floor((this.#clock.now() - this.#since) / 1000) }
  }
  #callOf(c: RunningCall): WatchedCall {
    const { roster } = c
    return {
      id: c.id, ...(roster.call === undefined ? {} : { call: roster.call }), room: c.name, kind: c.kind, phase: roster.phase, privacy: privacyOf(roster), sentence: privacySentence(roster), seconds: Math.floor((this.#clock.now() - c.startedAt) / 1000), muted: c.muted,
      members: roster.members.map((m) => ({ name: displayName(m.identity), keyId: m.identity.keyId, self: m.self, ...(m.unheard === undefined ? {} : { unheard: m.unheard }) })), callers: roster.callers.length,
    }
  }

  readonly observer: ClientObserver = {
    onServer: (up, { fault, welcome }) => {
      const { host } = this.#server
      if (welcome !== undefined) this.#serverClock.welcomed(welcome.unixTime)
      if (up) this.#server = { host, up, path: this.#server.path, ...(welcome === undefined ? {} : { pbx: welcome.capabilities.includes('sip') }) }
      else this.#server = { host, up, path: 'none', ...(fault === undefined ? {} : { fault: short(fault) }) }
    },
    onPhone: (e) => {
      if (e.kind !== 'registered' && e.kind !== 'unregistered') return
      this.#registered = this.#registered.filter((r) => r.line !== e.line || r.contact !== e.contact)
      if (e.kind === 'registered') this.#registered = [...this.#registered, { line: e.line, contact: e.contact }].slice(-CONTACTS_KEPT)
    },
    onEvent: (call) => void this.#calls.set(call.id, call),
    onOver: (call) => void this.#calls.delete(call.id),
    onMedia: (e) => {
      if (e.op === 'hop.path') this.#server = { ...this.#server, path: e.path, ...(e.roundTripMs === undefined ? {} : { roundTripMs: e.roundTripMs }) }
    },
  }
}

const short = ({ code, message }: Fault): { code: string; message: string } => ({ code, message })
