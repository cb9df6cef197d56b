/**
 * The client side of AMI as a machine: connection, login by challenge, actions and their answers, events, liveness, and
 * again after a loss. `up` means: logged in, events flow; whoever listens asks for the whole state then.
 */
import type { Instant } from '../../../base/brand.ts'
import { instant } from '../../../base/brand.ts'
import { toHex, utf8 } from '../../../base/bytes.ts'
import type { FaultCode } from '../../../base/faults/index.ts'
import type { Machine } from '../../../base/machine.ts'
import type { Fault, Result } from '../../../base/result.ts'
import { err, makeFault, ok } from '../../../base/result.ts'
import type { Secret } from '../../../base/secret.ts'
import type { CryptoPort } from '../../../crypto/port.ts'
import { ACTIONS_LIMIT, LIST_LIMIT } from '../limits.ts'
import { type AmiField, type AmiMessage, AmiReader, encodeAction } from './message.ts'

export interface AmiOptions {
  readonly user: string
  /** UTF-8. */
  readonly secret: Secret
  readonly crypto: Pick<CryptoPort, 'hash'>
}

export type AmiIn =
  | { readonly kind: 'start' }
  | { readonly kind: 'connected' }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  /** The connection ended, or never came about. */
  | { readonly kind: 'closed'; readonly reason: string; readonly refused?: true }
  /** The answer comes as `answer` with the same `ref`. */
  | { readonly kind: 'action'; readonly ref: number; readonly action: string; readonly fields: readonly AmiField[] }
  | { readonly kind: 'tick' }
  | { readonly kind: 'stop' }

export type AmiOut =
  | { readonly kind: 'connect' }
  | { readonly kind: 'send'; readonly bytes: Uint8Array }
  /** Without a `closed` in return. */
  | { readonly kind: 'close' }
  | { readonly kind: 'up' }
  /** After `up`, or instead of it. */
  | { readonly kind: 'down'; readonly fault: Fault }
  | { readonly kind: 'event'; readonly event: AmiMessage }
  /** The response, then the events of its list when it has one. */
  | { readonly kind: 'answer'; readonly ref: number; readonly result: Result<readonly AmiMessage[]> }

export type AmiState = 'idle' | 'connecting' | 'challenge' | 'login' | 'up' | 'waiting'

/** From connection to login. */
const LOGIN_MS = 5000
const ANSWER_MS = 5000
/** So long nothing was heard: asked. */
const QUIET_MS = 600
/** So long nothing was heard, though asked: dead. */
const SILENT_MS = 1600
const RETRY_MS = 200
const RETRY_LIMIT_MS = 1000
/** Whoever watches Asterisk's log for guessed passwords must not lock us out. */
const RETRY_LOGIN_MS = 30_000

interface Pending {
  readonly ref: number | undefined
  readonly until: Instant
  readonly collected: AmiMessage[]
}

export class AmiClient implements Machine<AmiIn, AmiOut> {
  readonly #o: AmiOptions
  #state: AmiState = 'idle'
  #reader = new AmiReader()
  #now: Instant = instant(0)
  #out: AmiOut[] = []
  #nextId = 1
  readonly #pending = new Map<string, Pending>()
  #heardAt: Instant = instant(0)
  #askedAt: Instant = instant(0)
  /** End of the login, or next try. */
  #deadline: Instant = instant(0)
  #attempts = 0

  constructor(options: AmiOptions) {
    this.#o = options
  }
  get state(): AmiState {
    return this.#state
  }

  step(input: AmiIn, now: Instant): { readonly out: readonly AmiOut[]; readonly wakeAt?: Instant } {
    this.#now = now
    this.#handle(input)
    if (input.kind !== 'stop') this.#onTime()
    const out = this.#out
    this.#out = []
    const wakeAt = this.#wakeAt()
    return wakeAt === undefined ? { out } : { out, wakeAt }
  }

  #handle(input: AmiIn): void {
    switch (input.kind) {
      case 'start':
        return this.#state === 'idle' ? this.#connect() : undefined
      case 'connected':
        return
      case 'bytes':
        return this.#onBytes(input.bytes)
      case 'closed':
        return this.#lost(input.refused === true ? 'PBX_UNREACHABLE' : 'PBX_GONE', input.reason, false)
      case 'action':
        return this.#onAction(input)
      case 'tick':
        return
      case 'stop':
        return this.#stop()
    }
  }

  #connect(): void {
    this.#state = 'connecting'
    this.#reader = new AmiReader()
    this.#deadline = instant(this.#now + LOGIN_MS)
    this.#out.push({ kind: 'connect' })
  }
  #stop(): void {
    if (this.#state === 'up') this.#request('Logoff', [], undefined)
    if (this.#state !== 'idle' && this.#state !== 'waiting') this.#out.push({ kind: 'close' })
    this.#state = 'idle'
    this.#failAll(makeFault('PBX_GONE', 'by us'))
  }

  #onBytes(bytes: Uint8Array): void {
    if (this.#state === 'idle' || this.#state === 'waiting') return
    this.#heardAt = this.#now
    const messages = this.#reader.push(bytes)
    if (!messages.ok) return this.#lostBy(messages.fault)
    if (this.#state === 'connecting' && this.#reader.greeted) {
      this.#state = 'challenge'
      this.#request('Challenge', [['AuthType', 'MD5']], undefined)
    }
    // A message may end the connection; those behind it belong to nobody then.
    for (const m of messages.value) if (this.#live) this.#onMessage(m)
  }
  get #live(): boolean {
    return this.#state === 'challenge' || this.#state === 'login' || this.#state === 'up'
  }

  #onMessage(m: AmiMessage): void {
    const id = m.get('ActionID')
    const pending = id === undefined ? undefined : this.#pending.get(id)
    if (m.response !== undefined) {
      if (id === undefined || pending === undefined) return
      return this.#onResponse(id, pending, m)
    }
    if (m.event === undefined) return
    if (id !== undefined && pending !== undefined && pending.collected.length > 0) return this.#onListed(id, pending, m)
    if (this.#state === 'up') this.#out.push({ kind: 'event', event: m })
  }

  #onResponse(id: string, pending: Pending, m: AmiMessage): void {
    if (this.#state === 'challenge') return this.#onChallenge(id, m)
    if (this.#state === 'login') return this.#onLogin(id, m)
    const refused = m.response?.toLowerCase() === 'error'
    if (refused) return this.#answer(id, pending, err('PBX_ACTION', m.get('Message')))
    pending.collected.push(m)
    if (m.get('EventList')?.toLowerCase() !== 'start') this.#answer(id, pending, ok(pending.collected))
  }
  #onListed(id: string, pending: Pending, m: AmiMessage): void {
    if (m.get('EventList')?.toLowerCase() === 'complete') return this.#answer(id, pending, ok(pending.collected))
    if (pending.collected.length > LIST_LIMIT) return this.#answer(id, pending, err('PBX_TOO_LONG', `a list of more than ${LIST_LIMIT}`))
    pending.collected.push(m)
  }

  #onChallenge(id: string, m: AmiMessage): void {
    this.#pending.delete(id)
    const challenge = m.get('Challenge')
    if (m.response?.toLowerCase() !== 'success' || challenge === undefined) return this.#refusedLogin(m)
    const key = toHex(this.#o.crypto.hash('md5', utf8(challenge), this.#o.secret.reveal()))
    this.#state = 'login'
    this.#request('Login', [['AuthType', 'MD5'], ['Username', this.#o.user], ['Key', key], ['Events', 'on']], undefined)
  }
  #onLogin(id: string, m: AmiMessage): void {
    this.#pending.delete(id)
    if (m.response?.toLowerCase() !== 'success') return this.#refusedLogin(m)
    this.#state = 'up'
    this.#attempts = 0
    this.#out.push({ kind: 'up' })
  }
  #refusedLogin(m: AmiMessage): void {
    this.#lostBy(makeFault('PBX_LOGIN', m.get('Message')))
    this.#deadline = instant(this.#now + RETRY_LOGIN_MS)
  }

  #onAction(input: Extract<AmiIn, { kind: 'action' }>): void {
    const refuse = (result: Result<never>): void => void this.#out.push({ kind: 'answer', ref: input.ref, result })
    if (this.#state !== 'up') return refuse(err('PBX_GONE'))
    if (this.#pending.size >= ACTIONS_LIMIT) return refuse(err('PBX_BUSY'))
    const sent = this.#request(input.action, input.fields, input.ref)
    if (!sent.ok) refuse(sent)
  }
  #request(action: string, fields: readonly AmiField[], ref: number | undefined): Result<void> {
    const id = `stc-${this.#nextId++}`
    const bytes = encodeAction(action, [['ActionID', id], ...fields])
    if (!bytes.ok) return bytes
    this.#pending.set(id, { ref, until: instant(this.#now + ANSWER_MS), collected: [] })
    this.#out.push({ kind: 'send', bytes: bytes.value })
    return ok(undefined)
  }
  #answer(id: string, pending: Pending, result: Result<readonly AmiMessage[]>): void {
    this.#pending.delete(id)
    if (pending.ref !== undefined) this.#out.push({ kind: 'answer', ref: pending.ref, result })
  }

  #onTime(): void {
    if (this.#state === 'waiting' && this.#now >= this.#deadline) return this.#connect()
    if (this.#state !== 'up') {
      if (this.#state !== 'idle' && this.#state !== 'waiting' && this.#now >= this.#deadline) this.#lost('PBX_SILENT', 'during the login', true)
      return
    }
    if (this.#now >= this.#heardAt + SILENT_MS && this.#askedAt > this.#heardAt) return this.#lost('PBX_SILENT', `for ${SILENT_MS} ms`, true)
    for (const [id, p] of [...this.#pending]) if (this.#now >= p.until) this.#answer(id, p, err('PBX_SILENT', 'an action'))
    if (this.#now >= Math.max(this.#heardAt, this.#askedAt) + QUIET_MS) {
      this.#askedAt = this.#now
      this.#request('Ping', [], undefined)
    }
  }
  #wakeAt(): Instant | undefined {
    if (this.#state === 'idle') return undefined
    if (this.#state !== 'up') return this.#deadline
    let first: number = Math.max(this.#heardAt, this.#askedAt) + QUIET_MS
    if (this.#askedAt > this.#heardAt) first = Math.min(first, this.#heardAt + SILENT_MS)
    for (const p of this.#pending.values()) first = Math.min(first, p.until)
    return instant(first)
  }

  #lost(code: FaultCode, reason: string, close: boolean): void {
    if (this.#state !== 'idle' && this.#state !== 'waiting') this.#end(makeFault(code, reason), close)
  }
  #lostBy(fault: Fault): void {
    this.#end(fault, true)
  }
  #end(fault: Fault, close: boolean): void {
    this.#state = 'waiting'
    this.#deadline = instant(this.#now + Math.min(RETRY_LIMIT_MS, RETRY_MS * 2 ** Math.min(10, this.#attempts++)))
    this.#failAll(fault)
    if (close) this.#out.push({ kind: 'close' })
    this.#out.push({ kind: 'down', fault })
  }
  #failAll(fault: Fault): void {
    for (const [id, p] of [...this.#pending]) this.#answer(id, p, { ok: false, fault })
  }
}
