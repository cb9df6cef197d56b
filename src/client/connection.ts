/**
 * Keeps one connection to the server alive: channel, greeting, hop keys, and again after a loss.
 * Up means: messages may be sent and media has keys.
 */
import type { Instant } from '../base/brand.ts'
import { instant } from '../base/brand.ts'
import type { Scheduler } from '../base/ports.ts'
import { err, type Fault, makeFault, ok, type Result } from '../base/result.ts'
import type { MediaCommand } from '../media/api.ts'
import type { AddressPort } from '../net/address.ts'
import type { ClientMessage, ServerMessage, ServerWire } from '../protocol/wire/messages.ts'
import { WIRE_VERSION } from '../protocol/wire/messages.ts'
import { PBX_CAPABILITY } from '../protocol/wire/pbx-messages.ts'
import { RING_CAPABILITY } from '../protocol/wire/ring-messages.ts'
import type { HopKeys, PipeId, Vault } from '../vault/api/calls.ts'
import { HopKeying } from './hop-keying.ts'

/** An open, authenticated message channel; `pipe` is the vault's TLS connection below it. */
export interface OpenChannel {
  readonly pipe: PipeId
  /** When anything came last: an answer to a ping comes every five seconds. */
  heardAt?(): Instant
  send(m: ClientMessage): Result<void>
  onMessage(listener: (m: ServerMessage) => void): void
  onClose(listener: (fault: Fault) => void): void
  watch?(attentive: () => boolean, tell: (silent: boolean) => void): void
  /** `attentive` may have become true. */
  attend?(): void
  /** A promise: of the moment at which the server has taken everything. */
  close(): void | Promise<void>
}

export interface ConnectionOptions {
  readonly open: () => Promise<Result<OpenChannel>>
  readonly vault: Vault
  readonly media: (c: MediaCommand) => void
  readonly scheduler: Scheduler
  readonly chance: () => number
  readonly agent: string
  /** What the server must be in; undefined: whatever it is. */
  readonly realm?: string
  readonly suites: readonly HopKeys['suite'][]
  /** Where the server's media port is when its greeting names no address. */
  readonly fallback: AddressPort
  /** False: media goes over TLS alone. */
  readonly udp?: boolean
  readonly hop: number
  readonly onUp: (welcome: ServerWire['welcome']) => void
  readonly onDown: (fault: Fault) => void
  readonly onMessage: (m: ServerMessage) => void
  /** Somebody would notice if the server were gone: it is asked every second, and `onSilent` hears of two seconds without an answer, and of their end. */
  readonly attentive?: () => boolean
  readonly onSilent?: (silent: boolean) => void
  /** Shorter where a test cannot wait for an hour. */
  readonly freshKeysMs?: number
  /** Media over a second TLS connection, started beside UDP (PROTOCOL §1). */
  readonly openMediaPath?: (welcome: ServerWire['welcome']) => Promise<() => void>
}

const GREETING_MS = 10_000
const RETRY_MS = 500
const RETRY_LIMIT_MS = 15_000
/** What was said last is on its way by then, or the network is gone. */
const FAREWELL_MS = 500

export class Connection {
  readonly #o: ConnectionOptions
  #channel: OpenChannel | undefined
  #up = false
  #stopped = false
  #attempts = 0
  #generation = 0
  #keying: HopKeying | undefined
  #cancelRetry: () => void = () => {}
  #closeMediaPath: () => void = () => {}
  /** Why there is no connection, for people who ask. */
  lastFault: Fault | undefined

  constructor(options: ConnectionOptions) {
    this.#o = options
  }
  get up(): boolean {
    return this.#up
  }
  /** When anything came from the server last. */
  get heardAt(): Instant | undefined {
    return this.#channel?.heardAt?.()
  }

  async start(): Promise<void> {
    if (this.#stopped) return
    const opened = await this.#o.open()
    if (!opened.ok) return this.#lost(opened.fault)
    if (this.#stopped) return void opened.value.close()
    await this.#greet(opened.value)
  }

  send(m: ClientMessage): Result<void> {
    if (!this.#up || this.#channel === undefined) return err('CLIENT_NO_CHANNEL')
    return this.#channel.send(m)
  }

  /** Resolves when the server has taken what was said last, and the goodbye. */
  async stop(): Promise<void> {
    if (this.#stopped) return
    this.#stopped = true
    this.#cancelRetry()
    this.#closeMediaPath()
    this.#keying?.close()
    const channel = this.#channel
    this.#channel = undefined
    if (this.#up) this.#o.media({ op: 'hop.close', hop: this.#o.hop })
    this.#up = false
    if (channel === undefined) return
    let cancel = (): void => {}
    const late = new Promise<void>((resolve) => {
      cancel = this.#o.scheduler.at(instant(this.#o.scheduler.now() + FAREWELL_MS), resolve)
    })
    await Promise.race([channel.close(), late])
    cancel()
  }

  /** Somebody begins to talk or to look: asks from now on as `attentive` says. */
  attend(): void {
    this.#channel?.attend?.()
  }

  /** The media thread's word: the keys of this generation have seen about as many streams as they should. */
  keysWorn(generation: number): void {
    if (this.#up) this.#keying?.worn(generation)
  }

  async #greet(channel: OpenChannel): Promise<void> {
    this.#channel = channel
    const replies = new Replies()
    channel.onMessage((m) => {
      if (this.#channel !== channel) return
      // Before anything of a room: the vault judges certificates by it.
      if (m.k === 'revocation' || m.k === 'attestation' || m.k === 'notice') this.#o.onMessage(m)
      else if (m.k === 'hop-answer' && this.#up) void this.#rekeyed(channel, m)
      else if (m.k === 'welcome' || m.k === 'hop-answer' || (m.k === 'fault' && !this.#up)) replies.put(m)
      else if (this.#up) this.#o.onMessage(m)
    })
    channel.onClose((fault) => {
      replies.fail(fault)
      if (this.#channel === channel) this.#lost(fault)
    })
    channel.watch?.(() => this.#up && this.#o.attentive?.() === true, (silent) => {
      if (this.#channel === channel) this.#o.onSilent?.(silent)
    })
    const cancel = this.#o.scheduler.at(instant(this.#o.scheduler.now() + GREETING_MS), () => replies.fail(makeFault('CLIENT_NO_CHANNEL', 'the server does not greet')))
    const done = await this.#agree(channel, replies)
    cancel()
    if (this.#channel !== channel) return
    if (!done.ok) {
      // No longer ours before it closes: its end is told once.
      this.#channel = undefined
      void channel.close()
      return this.#lost(done.fault)
    }
    this.#up = true
    this.#attempts = 0
    this.lastFault = undefined
    this.attend()
    this.#o.onUp(done.value)
    void this.#openMediaPath(channel, done.value)
  }

  async #openMediaPath(channel: OpenChannel, welcome: ServerWire['welcome']): Promise<void> {
    const close = await this.#o.openMediaPath?.(welcome)
    if (close === undefined) return
    if (this.#channel === channel) this.#closeMediaPath = close
    else close()
  }

  /** hello ⇄ welcome, hop-offer ⇄ hop-answer. */
  async #agree(channel: OpenChannel, replies: Replies): Promise<Result<ServerWire['welcome']>> {
    channel.send({ k: 'hello', minVersion: WIRE_VERSION, maxVersion: WIRE_VERSION, capabilities: ['revocation', 'attestation', 'sip', PBX_CAPABILITY, RING_CAPABILITY], agent: this.#o.agent })
    const welcome = await replies.next('welcome')
    if (!welcome.ok) return welcome
    const { realm } = welcome.value
    if (this.#o.realm !== undefined && realm !== this.#o.realm) return err('CLIENT_REALM', `"${this.#o.realm}" here, "${realm}" there`)
    const { vault, suites, hop, media, scheduler, chance, udp, fallback, freshKeysMs } = this.#o
    const named = welcome.value.udp.length > 0 ? welcome.value.udp : [fallback]
    const keying = new HopKeying({
      vault, suites, hop, media, scheduler, chance, pipe: channel.pipe, remotes: udp === false ? [] : named, nextGeneration: () => ++this.#generation, send: (m) => void channel.send(m), ...(freshKeysMs === undefined ? {} : { freshMs: freshKeysMs }),
    })
    this.#keying?.close()
    this.#keying = keying
    const offered = await keying.offer()
    if (!offered.ok) return offered
    const answer = await replies.next('hop-answer')
    if (!answer.ok) return answer
    const taken = await keying.take(answer.value)
    return taken.ok ? ok(welcome.value) : taken
  }

  async #rekeyed(channel: OpenChannel, answer: ServerWire['hop-answer']): Promise<void> {
    const taken = await this.#keying?.take(answer)
    if (taken?.ok !== false || this.#channel !== channel) return
    // The server has other keys now than we: only a new connection mends that.
    this.#lost(taken.fault)
    void channel.close()
  }

  #lost(fault: Fault): void {
    this.lastFault = fault
    this.#closeMediaPath()
    this.#closeMediaPath = () => {}
    this.#keying?.close()
    const was = this.#up
    this.#up = false
    this.#channel = undefined
    if (was) this.#o.media({ op: 'hop.close', hop: this.#o.hop })
    if (this.#stopped) return
    this.#o.onDown(fault)
    const delay = Math.min(RETRY_MS * 2 ** this.#attempts, RETRY_LIMIT_MS) * (0.5 + this.#o.chance())
    this.#attempts++
    this.#cancelRetry = this.#o.scheduler.at(instant(this.#o.scheduler.now() + delay), () => void this.start())
  }
}

/** The greeting's replies in order; whoever waits gets the next, or the fault that ended it. */
class Replies {
  readonly #waiting: ServerMessage[] = []
  #fault: Fault | undefined
  #wake: () => void = () => {}

  put(m: ServerMessage): void {
    if (this.#waiting.length < 4) this.#waiting.push(m)
    this.#wake()
  }
  fail(fault: Fault): void {
    this.#fault ??= fault
    this.#wake()
  }
  async next<K extends 'welcome' | 'hop-answer'>(kind: K): Promise<Result<Extract<ServerMessage, { k: K }>>> {
    while (this.#waiting.length === 0 && this.#fault === undefined) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    const m = this.#waiting.shift()
    if (m === undefined) return { ok: false, fault: this.#fault! }
    if (m.k === kind) return ok(m as Extract<ServerMessage, { k: K }>)
    return err('CLIENT_NO_CHANNEL', m.k === 'fault' ? m.message : `the server sent ${m.k} instead of ${kind}`)
  }
}
