/** A message transport in the hands of a test. */
import type { MessageTransport } from '../../src/base/message-transport.ts'

export class FakeTransport implements MessageTransport {
  readonly sent: Uint8Array[] = []
  waiting = 0
  closedWith: number | undefined
  #onMessage: (octets: Uint8Array) => void = () => {}
  #onClose: (code: number, reason: string) => void = () => {}

  send(octets: Uint8Array): void {
    this.sent.push(octets.slice())
  }
  onMessage(listener: (octets: Uint8Array) => void): void {
    this.#onMessage = listener
  }
  onClose(listener: (code: number, reason: string) => void): void {
    this.#onClose = listener
  }
  close(code = 1000): void {
    if (this.closedWith !== undefined) return
    this.closedWith = code
    this.#onClose(code, '')
  }
  receive(octets: Uint8Array): void {
    this.#onMessage(octets)
  }
  end(code: number, reason: string): void {
    this.#onClose(code, reason)
  }
}
