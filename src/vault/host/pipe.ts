/** A TLS connection in the vault as its host sees it: messages to and from the control thread. */
import { type Result, err } from '../../base/result.ts'
import type { Identity } from '../../model/identity.ts'
import type { PipeId, VaultPipe } from '../api/calls.ts'
import type { FromControl, ToControl } from '../api/worker-messages.ts'

type PipeEvent = Extract<FromControl, { readonly pipe: PipeId }>

export class RemotePipe implements VaultPipe {
  readonly id: PipeId
  readonly secured: Promise<Result<{ readonly server: Identity }>>
  readonly #send: (m: ToControl) => void
  readonly #cipher = new Set<(b: Uint8Array) => void>()
  readonly #plain = new Set<(b: Uint8Array) => void>()
  readonly #closed = new Set<(reason: string) => void>()
  /** Came before anybody listened. */
  #waiting: Uint8Array[] = []
  #settle: (r: Result<{ readonly server: Identity }>) => void = () => {}
  #reason: string | undefined

  constructor(id: PipeId, send: (m: ToControl) => void) {
    this.id = id
    this.#send = send
    this.secured = new Promise((resolve) => { this.#settle = resolve })
  }
  feed(bytes: Uint8Array): void {
    if (this.#reason === undefined) this.#send({ op: 'pipe.feed', pipe: this.id, bytes })
  }
  write(bytes: Uint8Array): void {
    if (this.#reason === undefined) this.#send({ op: 'pipe.write', pipe: this.id, bytes })
  }
  end(): void {
    if (this.#reason === undefined) this.#send({ op: 'pipe.end', pipe: this.id })
  }
  onCipher(listener: (cipher: Uint8Array) => void): void {
    this.#cipher.add(listener)
  }
  onPlain(listener: (plain: Uint8Array) => void): void {
    this.#plain.add(listener)
    for (const bytes of this.#waiting.splice(0)) listener(bytes)
  }
  onClose(listener: (reason: string) => void): void {
    if (this.#reason === undefined) this.#closed.add(listener)
    else listener(this.#reason)
  }

  take(m: PipeEvent): void {
    switch (m.op) {
      case 'pipe.secured':
        this.#settle(m.result)
        return
      case 'pipe.cipher':
        for (const listener of this.#cipher) listener(m.bytes)
        return
      case 'pipe.plain':
        if (this.#plain.size === 0) this.#waiting.push(m.bytes)
        for (const listener of this.#plain) listener(m.bytes)
        return
      case 'pipe.closed':
        this.close(m.reason)
    }
  }
  close(reason: string): void {
    if (this.#reason !== undefined) return
    this.#reason = reason
    this.#settle(err('VAULT_TLS', reason))
    for (const listener of this.#closed) listener(reason)
  }
}
