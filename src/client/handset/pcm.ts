/** A phone without a phone: a robot or the terminal, whose sound is PCM in this process. */
import type { PcmMedia } from '../../media/api.ts'
import type { CallRef, Handset, HandsetCommand, HandsetEvent } from './port.ts'

export class PcmHandset implements Handset {
  readonly line: string
  readonly #media: PcmMedia
  readonly #listeners = new Set<(e: HandsetEvent) => void>()
  #calls = 0
  #current: CallRef | undefined

  constructor(line: string, media: PcmMedia) {
    this.line = line
    this.#media = media
  }

  dial(target: string): CallRef {
    const call = `pcm-${this.line}-${++this.#calls}` as CallRef
    this.#current = call
    this.#emit({ kind: 'dial', call, line: this.line, target, contact: `pcm:${this.line}`, media: this.#media })
    return call
  }
  hangup(): void {
    if (this.#current !== undefined) this.#end(this.#current, 'hung up')
  }
  command(c: HandsetCommand): void {
    if (c.kind === 'refuse' || c.kind === 'hangup') this.#end(c.call, c.reason)
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
    if (call !== this.#current) return
    this.#current = undefined
    this.#emit({ kind: 'ended', call, reason })
  }
  #emit(e: HandsetEvent): void {
    for (const listener of [...this.#listeners]) listener(e)
  }
}
