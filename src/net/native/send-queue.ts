/**
 * Datagrams of a loop's sockets that wait to be sent together, built where they are sent from. First in, first out, for
 * every receiver too; where the system takes no more, the rest waits, and what does not fit is dropped and counted.
 */
import type { Memory } from '../../ffi/memory.ts'
import { Memory as Block } from '../../ffi/memory.ts'
import { EAGAIN, EINTR, EINVAL, EIO, ENOBUFS, ENOMEM, IOVEC, MMSGHDR, MSG_DONTWAIT, SEGMENT_CONTROL, SOCKADDR, SOL_UDP, UDP_SEGMENT } from './layout.ts'
import type { Sockaddr } from './sockaddr.ts'
import type { System } from './system.ts'

/** Octets of one slot: a packet of Ethernet size and what protection adds. */
export const SLOT_OCTETS = 1600
const NAME_OCTETS = 32
/** UDP_MAX_SEGMENTS of older kernels, and the longest datagram of UDP. */
const MAX_SEGMENTS = 64
const MAX_SEGMENTED = 65_000
/** As many slots in one call (UIO_MAXIOV). */
const MAX_CALL = 1024
/** Stands for a socket that was closed before its datagrams were sent. */
const NOBODY = -1

export interface SendQueueOptions {
  readonly slots: number
  /** Several datagrams to one receiver go down as one that the system cuts (UDP_SEGMENT). */
  readonly segment: boolean
}

export class SendQueue {
  readonly memory: Memory
  readonly #system: System
  readonly #count: number
  readonly #words: Uint32Array
  readonly #views: Uint8Array[] = []
  readonly #spare = new Uint8Array(SLOT_OCTETS)
  readonly #to: (Sockaddr | undefined)[]
  readonly #lengths: Uint32Array
  readonly #fds: Int32Array
  readonly #namesAt: number
  readonly #iovsAt: number
  readonly #messagesAt: number
  readonly #segments: Segments | undefined
  segmenting: boolean
  /** The oldest slot, and how many are in use from there. */
  #head = 0
  #used = 0
  /** Since the start: datagrams taken in, and messages that the system took, each with one datagram or several. */
  committed = 0
  sent = 0
  #segmented = false
  calls = 0
  /** Datagrams that were not sent: for want of room or since their socket was closed; since the system refused them for good. */
  dropped = 0
  refused = 0

  constructor(system: System, { slots, segment }: SendQueueOptions) {
    this.#system = system
    this.#count = slots
    this.#namesAt = slots * SLOT_OCTETS
    this.#iovsAt = this.#namesAt + slots * NAME_OCTETS
    this.#messagesAt = this.#iovsAt + slots * IOVEC.octets
    this.memory = new Block(system.library, this.#messagesAt + slots * MMSGHDR.octets)
    this.#words = new Uint32Array(this.memory.bytes.buffer)
    this.#to = new Array(slots)
    this.#lengths = new Uint32Array(slots)
    this.#fds = new Int32Array(slots)
    for (let i = 0; i < slots; i++) this.#prepare(i)
    this.segmenting = segment
    this.#segments = segment ? new Segments(system, slots) : undefined
  }
  #prepare(i: number): void {
    const { memory } = this
    const { view } = memory
    this.#views.push(memory.bytes.subarray(i * SLOT_OCTETS, (i + 1) * SLOT_OCTETS))
    const iov = this.#iovsAt + i * IOVEC.octets
    const message = this.#messagesAt + i * MMSGHDR.octets
    view.setBigUint64(iov + IOVEC.base, BigInt(memory.address(i * SLOT_OCTETS, SLOT_OCTETS)), true)
    view.setBigUint64(message + MMSGHDR.name, BigInt(memory.address(this.#namesAt + i * NAME_OCTETS, SOCKADDR.octets)), true)
    view.setBigUint64(message + MMSGHDR.iov, BigInt(memory.address(iov, IOVEC.octets)), true)
    view.setUint32(message + MMSGHDR.iovLength, 1, true)
  }
  get waiting(): number {
    return this.#used
  }
  /** Where the next datagram may be built: the same room until `commit`. */
  slot(): Uint8Array {
    if (this.#used === this.#count) this.flush()
    return this.#used === this.#count ? this.#spare : this.#views[(this.#head + this.#used) % this.#count]!
  }
  /** The first `length` octets of the slot are a datagram of the socket `fd`. */
  commit(fd: number, length: number, to: Sockaddr): void {
    if (!Number.isInteger(length) || length < 0 || length > SLOT_OCTETS) throw new RangeError(`datagram of ${length} octets`)
    if (this.#used === this.#count) {
      this.dropped++
      return
    }
    const i = (this.#head + this.#used) % this.#count
    this.#used++
    this.committed++
    if (this.segmenting) this.#to[i] = to
    this.#fds[i] = fd
    this.#lengths[i] = length
    const words = this.#words
    words[(this.#iovsAt + i * IOVEC.octets + IOVEC.length) >>> 2] = length
    words[(this.#messagesAt + i * MMSGHDR.octets + MMSGHDR.nameLength) >>> 2] = to.octets
    const name = (this.#namesAt + i * NAME_OCTETS) >>> 2
    const from = to.words
    for (let w = 0; w < to.octets >>> 2; w++) words[name + w] = from[w]!
  }
  /** A socket will be closed: what it still has here is dropped. */
  forget(fd: number): void {
    if (this.#used > 0 && this.#fds[this.#head] === fd && this.#segments !== undefined) this.#abandon(this.#segments)
    for (let k = 0; k < this.#used; k++) {
      const i = (this.#head + k) % this.#count
      if (this.#fds[i] === fd) this.#fds[i] = NOBODY
    }
  }
  /** What a plan that was sent in part leaves is lost; one of which nothing was sent stays as it is. */
  #abandon(s: Segments): void {
    this.dropped += s.unsent
    this.#release(s.abandon())
  }
  /** Sends what waits. True when nothing is left; false when the system wants to be asked later. */
  flush(): boolean {
    while (this.#used > 0) {
      const fd = this.#fds[this.#head]!
      const run = this.#run(fd)
      if (fd === NOBODY) {
        this.dropped += run
        this.#release(run)
      } else if (!(this.segmenting ? this.#flushSegments(this.#segments!, fd, run) : this.#flushPlain(fd, run))) return false
    }
    return true
  }
  /** How many of the oldest are of one socket. */
  #run(fd: number): number {
    const most = Math.min(this.#used, this.segmenting ? this.#count : this.#count - this.#head, MAX_CALL)
    let n = 1
    while (n < most && this.#fds[(this.#head + n) % this.#count] === fd) n++
    return n
  }
  #flushPlain(fd: number, run: number): boolean {
    const n = this.#call(fd, this.memory, this.#messagesAt + this.#head * MMSGHDR.octets, run)
    if (n < 0) return false
    this.#release(n)
    return true
  }
  /** How many messages are done with: sent, or refused for ever. -1: the system has no room now. */
  #call(fd: number, memory: Memory, at: number, count: number): number {
    for (;;) {
      this.calls++
      const n = this.#system.sendmmsg(fd, memory.address(at, count * MMSGHDR.octets), count, MSG_DONTWAIT)
      if (n > 0) {
        this.sent += n
        return n
      }
      const errno = this.#system.library.errno()
      if (errno === EINTR) continue
      if (errno === EAGAIN || errno === ENOBUFS || errno === ENOMEM) return -1
      // A device without checksums, or a system that does not know it: never proved to work, so never again.
      if (this.segmenting && (errno === EIO || (errno === EINVAL && !this.#segmented && this.#segments!.segmentsOfNext > 1))) {
        this.segmenting = false
        return 0
      }
      // For a cause that will not pass: no route, a firewall, a port of 0. Lost, as datagrams may be.
      this.refused += this.segmenting ? this.#segments!.segmentsOfNext : 1
      return 1
    }
  }
  #release(n: number): void {
    this.#used -= n
    // An empty queue begins anew: where packets are few, always the same room, which the caches still hold.
    this.#head = this.#used === 0 ? 0 : (this.#head + n) % this.#count
  }
  /** One message for each receiver and length. Slots are given back when all of them are sent. */
  #flushSegments(s: Segments, fd: number, run: number): boolean {
    if (s.open === 0) s.plan(this.#head, run, this.#count, this.#to, this.#lengths, this.memory.view, this.#iovsAt)
    while (s.open > 0) {
      const n = this.#call(fd, s.memory, s.next, s.open)
      if (n < 0) return false
      if (!this.segmenting) {
        this.#abandon(s)
        return true
      }
      this.#segmented ||= s.segmentsOfNext > 1
      s.done(n)
    }
    this.#release(s.abandon())
    return true
  }
}

/** The messages of one flush with UDP_SEGMENT. */
class Segments {
  readonly memory: Memory
  readonly #group: Int32Array
  readonly #filled: Int32Array
  readonly #first: Int32Array
  readonly #to: Sockaddr[] = []
  readonly #size: Int32Array
  readonly #iovsAt: number
  readonly #namesAt: number
  readonly #controlsAt: number
  #round = 0
  #groups = 0
  #sentGroups = 0
  slots = 0

  constructor(system: System, max: number) {
    this.#iovsAt = max * MMSGHDR.octets
    this.#namesAt = this.#iovsAt + max * IOVEC.octets
    this.#controlsAt = this.#namesAt + max * NAME_OCTETS
    this.memory = new Block(system.library, this.#controlsAt + max * SEGMENT_CONTROL.octets)
    this.#group = new Int32Array(max)
    this.#filled = new Int32Array(max)
    this.#first = new Int32Array(max + 1)
    this.#size = new Int32Array(max)
    const { view } = this.memory
    for (let i = 0; i < max; i++) {
      const control = this.#controlsAt + i * SEGMENT_CONTROL.octets
      view.setUint32(control, SEGMENT_CONTROL.length, true)
      view.setUint32(control + SEGMENT_CONTROL.level, SOL_UDP, true)
      view.setUint32(control + SEGMENT_CONTROL.type, UDP_SEGMENT, true)
      const message = i * MMSGHDR.octets
      view.setBigUint64(message + MMSGHDR.name, BigInt(this.memory.address(this.#namesAt + i * NAME_OCTETS, SOCKADDR.octets)), true)
    }
  }
  /** Messages not sent yet, and where they begin. */
  get open(): number {
    return this.#groups - this.#sentGroups
  }
  get next(): number {
    return this.#sentGroups * MMSGHDR.octets
  }
  done(groups: number): void {
    this.#sentGroups += groups
  }
  plan(head: number, run: number, count: number, to: readonly (Sockaddr | undefined)[], lengths: Uint32Array, slots: DataView, slotIovsAt: number): void {
    this.slots = run
    this.#groups = 0
    this.#sentGroups = 0
    this.#round++
    for (let k = 0; k < this.slots; k++) this.#assign(k, to[(head + k) % count]!, lengths[(head + k) % count]!)
    let at = 0
    for (let g = 0; g < this.#groups; g++) {
      this.#first[g] = at
      this.#write(g, at)
      at += this.#filled[g]!
      this.#filled[g] = 0
    }
    const { view } = this.memory
    for (let k = 0; k < this.slots; k++) {
      const g = this.#group[k]!
      const iov = this.#iovsAt + (this.#first[g]! + this.#filled[g]!++) * IOVEC.octets
      const from = slotIovsAt + ((head + k) % count) * IOVEC.octets
      view.setUint32(iov, slots.getUint32(from, true), true)
      view.setUint32(iov + 4, slots.getUint32(from + 4, true), true)
      view.setUint32(iov + IOVEC.length, lengths[(head + k) % count]!, true)
    }
  }
  /** Only the last segment may be shorter; a longer or shorter one begins a new message, so each receiver's order stays. */
  #assign(k: number, to: Sockaddr, length: number): void {
    let g = to.round === this.#round ? to.group : -1
    if (g < 0 || this.#size[g] !== length || this.#filled[g]! >= MAX_SEGMENTS || (this.#filled[g]! + 1) * length > MAX_SEGMENTED) {
      g = this.#groups++
      to.round = this.#round
      to.group = g
      this.#to[g] = to
      this.#size[g] = length
      this.#filled[g] = 0
    }
    this.#filled[g]!++
    this.#group[k] = g
  }
  #write(g: number, firstIov: number): void {
    const { memory } = this
    const { view } = memory
    const message = g * MMSGHDR.octets
    const n = this.#filled[g]!
    const to = this.#to[g]!
    for (let w = 0; w < to.octets >>> 2; w++) view.setUint32(this.#namesAt + g * NAME_OCTETS + 4 * w, to.words[w]!, true)
    view.setUint32(message + MMSGHDR.nameLength, to.octets, true)
    view.setBigUint64(message + MMSGHDR.iov, BigInt(memory.address(this.#iovsAt + firstIov * IOVEC.octets, n * IOVEC.octets)), true)
    view.setUint32(message + MMSGHDR.iovLength, n, true)
    const control = this.#controlsAt + g * SEGMENT_CONTROL.octets
    view.setUint16(control + SEGMENT_CONTROL.value, this.#size[g]!, true)
    view.setBigUint64(message + MMSGHDR.control, n > 1 ? BigInt(memory.address(control, SEGMENT_CONTROL.octets)) : 0n, true)
    view.setUint32(message + MMSGHDR.controlLength, n > 1 ? SEGMENT_CONTROL.octets : 0, true)
  }
  /** Datagrams in the oldest message that is not sent. */
  get segmentsOfNext(): number {
    return this.#sentGroups < this.#groups ? this.memory.view.getUint32(this.next + MMSGHDR.iovLength, true) : 0
  }
  /** Datagrams of messages not sent yet, where others were. */
  get unsent(): number {
    let n = 0
    if (this.#sentGroups > 0) for (let g = this.#sentGroups; g < this.#groups; g++) n += this.#filled[g]!
    return n
  }
  /** Gives up the plan. How many slots are done with: none, so that all are sent one by one, or all when some were sent. */
  abandon(): number {
    const done = this.#sentGroups === 0 ? 0 : this.slots
    this.#groups = 0
    this.#sentGroups = 0
    return done
  }
}
