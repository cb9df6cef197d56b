/** One client's way for packets that is not UDP, shared by the planes of a port: each gets what is its own. */
import type { PacketPath } from '../packet-path.ts'
import { workerOfPacket } from './link.ts'

export class SharedPath {
  readonly #path: PacketPath
  readonly #listeners: ((data: Uint8Array) => void)[] = []
  #closed = false

  constructor(path: PacketPath, workers: number) {
    this.#path = path
    path.onPacket((data) => this.#listeners[workerOfPacket(data, workers)]?.(data))
  }
  of(worker: number): PacketPath {
    return {
      send: (data) => this.#path.send(data),
      onPacket: (listener) => void (this.#listeners[worker] = listener),
      close: () => this.#close(),
    }
  }
  /** Planes close it together, one after the other. */
  #close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#path.close()
  }
}
