/** A UDP socket that receives and sends in batches, with the memory of its loop, which calls `receive` and sends. */
import type { Result } from '../../base/result.ts'
import { err, ok } from '../../base/result.ts'
import { Memory } from '../../ffi/memory.ts'
import type { AddressPort } from '../address.ts'
import type { BuildingSocket } from '../udp.ts'
import * as k from './layout.ts'
import type { ReceiveBatch } from './receive-batch.ts'
import type { Held } from './held.ts'
import { type SendQueue, SLOT_OCTETS } from './send-queue.ts'
import { Sockaddrs, type Texts } from './sockaddr.ts'
import { reason, type System } from './system.ts'

export { noTexts } from './sockaddr.ts'

/** Expedited forwarding (RFC 3246), the class of voice. */
export const DSCP_EF = 46

export interface NativeSocketOptions {
  /** Octets of the system's buffers; it may grant less, `granted` tells. */
  readonly bufferOctets: number
  readonly dscp?: number
  /** Several sockets on one port; which of them gets a packet is decided by its SSRC modulo this number. */
  readonly share?: number
}

/** Octets that the system keeps for datagrams, its own book-keeping not counted. */
export interface GrantedBuffers {
  readonly receive: number
  readonly send: number
}

/** What the sockets of one loop share. */
export interface SocketShare {
  readonly system: System
  readonly incoming: ReceiveBatch
  readonly outgoing: SendQueue
  /** Queues of datagrams that may wait. */
  readonly held: Held
  /** Of IPv4, of IPv6. */
  readonly texts: readonly [Texts, Texts]
}

/** Fails with NET_BIND, NATIVE_CALL. */
export function openNativeSocket(share: SocketShare, at: AddressPort, options: NativeSocketOptions): Result<NativeSocket> {
  const { system } = share
  const six = at.address.includes(':')
  const addresses = new Sockaddrs(system, six, share.texts[six ? 1 : 0])
  const name = addresses.own(at)
  if (name === undefined) return err('NET_BIND', at.address)
  const fd = system.socket(six ? k.AF_INET6 : k.AF_INET, k.SOCK_DGRAM | k.SOCK_NONBLOCK | k.SOCK_CLOEXEC, 0)
  if (fd < 0) return err('NATIVE_CALL', reason(system, 'socket'))
  const scratch = new Memory(system.library, 64)
  const set = (level: number, what: number, value: number): boolean => {
    scratch.view.setInt32(0, value, true)
    return system.setsockopt(fd, level, what, scratch.address(0, 4), 4) === 0
  }
  const bound = (): boolean => {
    if (six) set(k.IPPROTO_IPV6, k.IPV6_V6ONLY, at.address === '::' ? 0 : 1)
    if (options.share !== undefined && !set(k.SOL_SOCKET, k.SO_REUSEPORT, 1)) return false
    new Uint32Array(scratch.bytes.buffer, 0, 7).set(name.words)
    return system.bind(fd, scratch.address(0, name.octets), name.octets) === 0
  }
  if (!bound()) {
    const why = reason(system, 'bind')
    system.close(fd)
    return err('NET_BIND', why)
  }
  if (options.share !== undefined && options.share > 1 && !steer(system, fd, options.share)) {
    const why = reason(system, 'SO_ATTACH_REUSEPORT_CBPF')
    system.close(fd)
    return err('NATIVE_CALL', why)
  }
  // Refused without the right to it: then the system's own limits hold.
  if (!set(k.SOL_SOCKET, k.SO_RCVBUFFORCE, options.bufferOctets)) set(k.SOL_SOCKET, k.SO_RCVBUF, options.bufferOctets)
  if (!set(k.SOL_SOCKET, k.SO_SNDBUFFORCE, options.bufferOctets)) set(k.SOL_SOCKET, k.SO_SNDBUF, options.bufferOctets)
  const dscp = options.dscp ?? DSCP_EF
  set(k.IPPROTO_IP, k.IP_TOS, dscp << 2)
  if (six) set(k.IPPROTO_IPV6, k.IPV6_TCLASS, dscp << 2)
  return ok(new NativeSocket(share, fd, localOf(system, fd, scratch, addresses), addresses, granted(system, fd, scratch)))
}

function localOf(system: System, fd: number, scratch: Memory, addresses: Sockaddrs): AddressPort {
  scratch.view.setUint32(32, k.SOCKADDR.octets, true)
  if (system.getsockname(fd, scratch.address(0, k.SOCKADDR.octets), scratch.address(32, 4)) !== 0) throw new Error(reason(system, 'getsockname'))
  const words = new Uint32Array(scratch.bytes.buffer, 0, 8)
  return { address: addresses.text(words, 0), port: scratch.view.getUint16(k.SOCKADDR.port) }
}

function granted(system: System, fd: number, scratch: Memory): GrantedBuffers {
  const get = (what: number): number => {
    scratch.view.setUint32(4, 4, true)
    // The system counts its book-keeping in: twice what was asked for (socket(7)).
    return system.getsockopt(fd, k.SOL_SOCKET, what, scratch.address(0, 4), scratch.address(4, 4)) === 0 ? scratch.view.getInt32(0, true) / 2 : 0
  }
  return { receive: get(k.SO_RCVBUF), send: get(k.SO_SNDBUF) }
}

/**
 * Classic BPF over the datagram's payload: the SSRC, which RTCP has at octet 4 and RTP at 8 (RFC 5761 §4), modulo the
 * sockets of the port, counted as they were bound. Shorter datagrams end at the first.
 */
export function steeringProgram(sockets: number): readonly (readonly [code: number, jt: number, jf: number, k: number])[] {
  const LD_B = 0x30, LD_W = 0x20, JGE = 0x35, JGT = 0x25, JA = 0x05, MOD = 0x94, RET_A = 0x16
  return [[LD_B, 0, 0, 1], [JGE, 0, 3, 192], [JGT, 2, 0, 223], [LD_W, 0, 0, 4], [JA, 0, 0, 1], [LD_W, 0, 0, 8], [MOD, 0, 0, sockets], [RET_A, 0, 0, 0]]
}

function steer(system: System, fd: number, sockets: number): boolean {
  const program = steeringProgram(sockets)
  const memory = new Memory(system.library, 16 + 8 * program.length)
  program.forEach(([code, jt, jf, value], i) => {
    const at = 16 + 8 * i
    memory.view.setUint16(at, code, true)
    memory.view.setUint8(at + 2, jt)
    memory.view.setUint8(at + 3, jf)
    memory.view.setUint32(at + 4, value, true)
  })
  // struct sock_fprog { unsigned short len; struct sock_filter *filter; }
  memory.view.setUint16(0, program.length, true)
  memory.view.setBigUint64(8, BigInt(memory.address(16, 8 * program.length)), true)
  return system.setsockopt(fd, k.SOL_SOCKET, k.SO_ATTACH_REUSEPORT_CBPF, memory.address(0, 16), 16) === 0
}

export class NativeSocket implements BuildingSocket {
  readonly fd: number
  readonly local: AddressPort
  readonly granted: GrantedBuffers
  readonly #share: SocketShare
  readonly #addresses: Sockaddrs
  #listener: (data: Uint8Array, from: AddressPort) => void = () => {}
  #onClose: () => void = () => {}
  #closed = false
  /** Datagrams since the start. */
  received = 0

  constructor(share: SocketShare, fd: number, local: AddressPort, addresses: Sockaddrs, granted: GrantedBuffers) {
    this.#share = share
    this.fd = fd
    this.local = local
    this.granted = granted
    this.#addresses = addresses
  }
  /** One batch. How many datagrams it was. */
  receive(): number {
    if (this.#closed) return 0
    const n = this.#share.incoming.take(this.fd, this.#addresses, this.#listener)
    this.received += n
    return n
  }
  /** Datagrams that came and found no room, since the start; 0 where the system does not tell. */
  get overflowed(): number {
    if (this.#closed) return 0
    const { system } = this.#share
    const scratch = new Memory(system.library, 48)
    scratch.view.setUint32(40, k.MEMINFO.octets, true)
    return system.getsockopt(this.fd, k.SOL_SOCKET, k.SO_MEMINFO, scratch.address(0, k.MEMINFO.octets), scratch.address(40, 4)) === 0 ? scratch.view.getUint32(k.MEMINFO.drops, true) : 0
  }
  slot(): Uint8Array {
    return this.#share.outgoing.slot()
  }
  sendSlot(length: number, to: AddressPort): void {
    this.#commit(this.#share.outgoing, length, to)
  }
  #commit(queue: SendQueue, length: number, to: AddressPort): void {
    if (this.#closed) return
    const name = this.#addresses.of(to)
    if (name === undefined) queue.refused++
    else queue.commit(this.fd, length, name)
  }
  held(ms: number): BuildingSocket {
    const queue = this.#share.held.queue(ms)
    return {
      local: this.local,
      slot: () => queue.slot(),
      sendSlot: (length, to) => this.#commit(queue, length, to),
      send: (data, to) => this.send(data, to),
      onMessage: (listener) => this.onMessage(listener),
      close: () => this.close(),
    }
  }
  send(data: Uint8Array, to: AddressPort): void {
    if (this.#closed) return
    if (data.length > SLOT_OCTETS) {
      this.#share.outgoing.refused++
      return
    }
    const slot = this.slot()
    if (data.buffer !== slot.buffer || data.byteOffset !== slot.byteOffset) slot.set(data)
    this.sendSlot(data.length, to)
  }
  onMessage(listener: (data: Uint8Array, from: AddressPort) => void): void {
    this.#listener = listener
  }
  onClose(listener: () => void): void {
    this.#onClose = listener
  }
  close(): void {
    if (this.#closed) return
    for (const queue of [this.#share.outgoing, ...this.#share.held.queues]) {
      queue.flush()
      queue.forget(this.fd)
    }
    this.#closed = true
    this.#onClose()
    this.#share.system.close(this.fd)
  }
}
