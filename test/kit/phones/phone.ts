/** What the tests ask of any real softphone; one driver per program. */
import { PATIENCE } from '../processes.ts'
import type { Pcm } from '../wav.ts'

export type PhoneCodecName = 'g722' | 'pcmu' | 'pcma' | 'opus' | 'speex' | 'gsm'

export interface PhoneOptions {
  /** User part of its address; also names its files. */
  readonly name: string
  /** Its own address; loopback when left out. */
  readonly address?: string
  /** In order of preference. */
  readonly codecs: readonly PhoneCodecName[]
  /** What its microphone hears: a WAV file, 16-bit mono, long enough for the test (none of the phones loops it). */
  readonly microphone: string
  /** Where it registers and sends everything; without it the phone is reached and calls directly. */
  readonly registrar?: { readonly address: string; readonly port: number; readonly password?: string; readonly transport?: 'udp' | 'tcp' | 'tls'; readonly expires?: number; readonly user?: string; /** Of its account, where that is not the registrar's address; baresip alone. */ readonly domain?: string }
  /** Takes calls by itself. */
  readonly autoAnswer?: boolean
  /** SDES (RFC 4568), mandatory. */
  readonly srtp?: boolean
}

export type PhoneEvent =
  | { readonly kind: 'registered' }
  /** The registrar said no, or nothing. */
  | { readonly kind: 'unregistered'; readonly reason: string }
  | { readonly kind: 'incoming'; readonly peer: string }
  | { readonly kind: 'ringing' }
  | { readonly kind: 'established' }
  | { readonly kind: 'dtmf'; readonly digit: string }
  /** The other side's SDP came: before `established`, and again with every hold, resume and re-INVITE. */
  | { readonly kind: 'media' }
  | { readonly kind: 'closed'; readonly reason: string }
  | { readonly kind: 'exit'; readonly code: number | string }

export interface Phone {
  /** Where it can be called directly. */
  readonly uri: string
  readonly events: PhoneLog
  dial(uri: string): void
  answer(): void
  hangup(): void
  hold(): void
  resume(): void
  /** Toggles the microphone. */
  mute(): void
  sendDtmf(digits: string): void
  /** All that its loudspeaker played since it started, also while it runs. */
  heard(): Pcm
  /** What its program printed lately. */
  printed(): string
  /** Ends it in good order (BYE, un-REGISTER) and waits until it is gone. */
  stop(): Promise<void>
  /** As a power cut: SIGKILL, nothing sent. */
  kill(): Promise<void>
}

type Kind = PhoneEvent['kind']
type Of<K extends Kind> = Extract<PhoneEvent, { kind: K }>

/**
 * The events of one phone in order. `next` goes forward through them, so a test reads like the call
 * went, and an event that came before anybody asked for it is not lost.
 */
export class PhoneLog {
  #events: PhoneEvent[] = []
  #cursor = 0
  #waiting: (() => void)[] = []
  #name: string
  #output: () => string

  constructor(name: string, output: () => string) {
    this.#name = name
    this.#output = output
  }

  push(e: PhoneEvent): void {
    this.#events.push(e)
    for (const wake of this.#waiting.splice(0)) wake()
  }

  get all(): readonly PhoneEvent[] {
    return this.#events
  }

  /** From here on: what came so far is not waited for any more. */
  skip(): void {
    this.#cursor = this.#events.length
  }

  /** The next event of a kind after the one that was last asked for. Fails at the phone's exit and after `timeoutMs`. */
  async next<K extends Kind>(kind: K, timeoutMs = 15_000): Promise<Of<K>> {
    const deadline = performance.now() + PATIENCE * timeoutMs
    for (;;) {
      const found = this.#events.findIndex((e, i) => i >= this.#cursor && e.kind === kind)
      if (found >= 0) {
        this.#cursor = found + 1
        return this.#events[found] as Of<K>
      }
      if (this.#events.at(-1)?.kind === 'exit') throw this.#failure(`ended before "${kind}"`)
      const left = deadline - performance.now()
      if (left <= 0) throw this.#failure(`shows no "${kind}" within ${PATIENCE * timeoutMs} ms`)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left)
        this.#waiting.push(() => {
          clearTimeout(timer)
          resolve()
        })
      })
    }
  }

  #failure(what: string): Error {
    const seen = this.#events.map((e) => ('reason' in e ? `${e.kind} (${e.reason})` : e.kind)).join(', ')
    return new Error(`${this.#name} ${what}; it showed: ${seen || 'nothing'}\n${this.#output()}`)
  }
}
