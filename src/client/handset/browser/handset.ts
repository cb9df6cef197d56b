/**
 * The phone in the page: its microphone and speaker are PCM over the page's WebSocket. It lives in the client, not in the
 * page: a reload, or a closed window, is silence, not the end of the call.
 */
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import type { CallRef, Handset, HandsetCommand, HandsetEvent } from '../port.ts'

export interface BrowserPhoneState {
  readonly state: 'idle' | 'dialling' | 'talking'
  readonly ref?: CallRef
  /** Of the last call that ended or was refused. */
  readonly reason?: string
}

const DIGIT = /^[0-9*#A-D]$/

export class BrowserHandset implements Handset {
  readonly line: string
  readonly #listeners = new Set<(e: HandsetEvent) => void>()
  readonly #onChange: (s: BrowserPhoneState) => void
  readonly #onSound: (pcm: Int16Array) => void
  #calls = 0
  #current: { readonly ref: CallRef; readonly port: MessagePort } | undefined
  #state: BrowserPhoneState = { state: 'idle' }

  constructor(line: string, on: { change(s: BrowserPhoneState): void; sound(pcm: Int16Array): void }) {
    this.line = line
    this.#onChange = on.change
    this.#onSound = on.sound
  }
  get state(): BrowserPhoneState {
    return this.#state
  }

  /** A second call ends the first: one pair of ears. `answers`: the call that rings on its line, and is taken. */
  dial(target: string, answers?: string): CallRef {
    this.hangup()
    const ref = `browser-${this.line}-${++this.#calls}` as CallRef
    const { port1, port2 } = new MessageChannel()
    // The call's life decides, not this port.
    port1.on('message', (pcm) => pcm instanceof Int16Array && this.#onSound(pcm)).unref()
    this.#current = { ref, port: port1 }
    this.#set({ state: 'dialling', ref })
    this.#emit({ kind: 'dial', call: ref, line: this.line, target, contact: `browser:${this.line}`, media: { kind: 'stream', port: port2 }, ...(answers === undefined ? {} : { answers }) })
    return ref
  }
  /** `reason`: why, where it was not the user. */
  hangup(reason = ''): void {
    if (this.#current !== undefined) this.#end(this.#current.ref, reason)
  }
  digit(digit: string): void {
    if (this.#current !== undefined && DIGIT.test(digit)) this.#emit({ kind: 'dtmf', call: this.#current.ref, digit })
  }
  /** What the microphone took. */
  speak(pcm: Int16Array): void {
    this.#current?.port.postMessage(pcm)
  }

  command(c: HandsetCommand): void {
    if (c.call !== this.#current?.ref) return
    if (c.kind === 'refuse' || c.kind === 'hangup') this.#end(c.call, c.reason)
    else if (c.kind === 'answer') this.#set({ state: 'talking', ref: c.call })
  }
  subscribe(listener: (e: HandsetEvent) => void): Disposable {
    this.#listeners.add(listener)
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) }
  }
  [Symbol.dispose](): void {
    this.hangup()
    this.#listeners.clear()
  }

  #end(call: CallRef, reason: string): void {
    const current = this.#current
    if (current?.ref !== call) return
    this.#current = undefined
    current.port.close()
    this.#set(reason === '' ? { state: 'idle' } : { state: 'idle', reason })
    this.#emit({ kind: 'ended', call, reason: reason === '' ? 'hung up' : reason })
  }
  #set(s: BrowserPhoneState): void {
    this.#state = s
    this.#onChange(s)
  }
  #emit(e: HandsetEvent): void {
    for (const listener of [...this.#listeners]) listener(e)
  }
}
