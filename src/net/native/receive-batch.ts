/** Datagrams taken from sockets many at a time, into memory that stays. One for all sockets of a loop. */
import { Memory } from '../../ffi/memory.ts'
import type { AddressPort } from '../address.ts'
import { IOVEC, MMSGHDR, MSG_DONTWAIT, SOCKADDR } from './layout.ts'
import { Sender, type Sockaddrs } from './sockaddr.ts'
import type { System } from './system.ts'

/** What is longer is cut, and too long for everybody who listens. */
export const RECEIVE_OCTETS = 2048
const NAME_OCTETS = 32

export class ReceiveBatch {
  readonly memory: Memory
  readonly size: number
  readonly #system: System
  readonly #words: Uint32Array
  readonly #namesAt: number
  readonly #messagesAt: number
  readonly #sender: Sender
  /** Views of each slot by length, made when first needed and kept. */
  readonly #views: (Uint8Array | undefined)[][] = []
  calls = 0

  constructor(system: System, size: number) {
    this.#system = system
    this.size = size
    this.#namesAt = size * RECEIVE_OCTETS
    const iovsAt = this.#namesAt + size * NAME_OCTETS
    this.#messagesAt = iovsAt + size * IOVEC.octets
    this.memory = new Memory(system.library, this.#messagesAt + size * MMSGHDR.octets)
    this.#words = new Uint32Array(this.memory.bytes.buffer)
    this.#sender = new Sender(this.memory)
    const { view } = this.memory
    for (let i = 0; i < size; i++) {
      const iov = iovsAt + i * IOVEC.octets
      const message = this.#messagesAt + i * MMSGHDR.octets
      view.setBigUint64(iov + IOVEC.base, BigInt(this.memory.address(i * RECEIVE_OCTETS, RECEIVE_OCTETS)), true)
      view.setUint32(iov + IOVEC.length, RECEIVE_OCTETS, true)
      view.setBigUint64(message + MMSGHDR.name, BigInt(this.memory.address(this.#namesAt + i * NAME_OCTETS, SOCKADDR.octets)), true)
      view.setUint32(message + MMSGHDR.nameLength, SOCKADDR.octets, true)
      view.setBigUint64(message + MMSGHDR.iov, BigInt(this.memory.address(iov, IOVEC.octets)), true)
      view.setUint32(message + MMSGHDR.iovLength, 1, true)
      this.#views.push([])
    }
  }
  /**
   * Gives every datagram that is there now, `size` at most, to the listener. How many there were. What says that it comes from port 0 is
   * left out: nobody has that port (RFC 768), and there is no answer to it.
   */
  take(fd: number, addresses: Sockaddrs, listener: (data: Uint8Array, from: AddressPort) => void): number {
    this.calls++
    const n = this.#system.recvmmsg(fd, this.memory.address(this.#messagesAt, this.size * MMSGHDR.octets), this.size, MSG_DONTWAIT, 0)
    for (let i = 0; i < n; i++) {
      const message = (this.#messagesAt + i * MMSGHDR.octets) >>> 2
      const length = Math.min(this.#words[message + (MMSGHDR.length >>> 2)]!, RECEIVE_OCTETS)
      this.#words[message + (MMSGHDR.nameLength >>> 2)] = SOCKADDR.octets
      const views = this.#views[i]!
      const at = i * RECEIVE_OCTETS
      const from = this.#sender.at(addresses, this.#namesAt + i * NAME_OCTETS)
      if (from.port !== 0) listener((views[length] ??= this.memory.bytes.subarray(at, at + length)), from)
    }
    return Math.max(n, 0)
  }
}
