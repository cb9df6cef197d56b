/**
 * The loop of a thread that does nothing but media: it waits for sockets, timers and a wake-up from other
 * threads in one system call, and sends what each round brought in one call per socket. While it waits, nothing
 * else of the thread runs; after a wake-up Node's own loop gets one turn, in which messages arrive and promises settle.
 */
import { type Instant, instant, type UnixTime, unixTime } from '../../base/brand.ts'
import type { Scheduler } from '../../base/ports.ts'
import { err, ok, type Result } from '../../base/result.ts'
import { Memory } from '../../ffi/memory.ts'
import type { AddressPort } from '../address.ts'
import * as k from './layout.ts'
import { Held, SendQueue } from './held.ts'
import { ReceiveBatch } from './receive-batch.ts'
import { type NativeSocket, type NativeSocketOptions, noTexts, openNativeSocket } from './socket.ts'
import { reason, type System, systemCalls } from './system.ts'
import { Timers } from './timers.ts'
import type { WakeHandle } from './wake.ts'

/** However quiet it is, the thread comes up this often, so that it can be ended from outside. */
const LONGEST_WAIT_MS = 500
/** Node's loop gets a turn this often without a wake-up too. */
const YIELD_MS = 200
/** Both for a loop that Node's events wake. */
const REST_MS = 5000
/** Promises that what a timer began may wait for, one after the other; what a datagram began waits for one. */
const SETTLE = 4
const EVENTS = 256
/** Below this rate, packets a second, waiting costs more than it saves: they are sent as they come. */
const GATHER_FROM_PER_SECOND = 5000
/** Rounds in a row over one socket before timers and orders get their turn. */
const ROUNDS = 8
/** A system that had no room is asked again this soon. */
const RETRY_MS = 1
const EVENT_DATA = k.EPOLL_EVENT[process.arch] ?? { octets: 16, data: 8 }

export interface LoopOptions {
  /** Of whoever started this thread; without it only `turn` and `stop` end a wait. */
  readonly wake?: WakeHandle
  /** At high rates packets are gathered for so long, ms, which is what it adds to the delay at most. 0: never. */
  readonly gatherMs?: number
  /** From so many packets a second on; left out: from where it saves more than it costs. */
  readonly gatherFrom?: number
  /** Several datagrams to one receiver go down as one that the system cuts (UDP_SEGMENT). */
  readonly segment?: boolean
  /** Datagrams received in one call, and that may wait to be sent. */
  readonly receiveSlots?: number
  readonly sendSlots?: number
}

export class NativeLoop {
  readonly #system: System
  readonly #epoll: number
  readonly #wake: WakeHandle | undefined
  /** By which Node's loop of this thread waits. */
  #node: number | undefined
  /** An epoll set of that alone: what ends a wait for more packets. */
  #urgent = -1
  #woken = false
  /** More waits than the last round took. */
  #more = false
  /** The last round ran timers. */
  #timed = false
  readonly #events: Memory
  readonly #scratch: Memory
  readonly #sockets = new Map<number, NativeSocket>()
  readonly #texts = [noTexts(), noTexts()] as const
  readonly incoming: ReceiveBatch
  readonly outgoing: SendQueue
  readonly held: Held
  /** The system had no room for what waits to be sent. */
  #blocked = false
  readonly #timers = new Timers()
  readonly #gatherMs: number
  readonly #gatherFrom: number
  readonly #clockOffset: number
  #now: Instant
  #stopped = false
  #rate = 0
  #rateAt: number
  #received = 0
  /** Since the start: rounds, and those of them that waited to gather. */
  rounds = 0
  gathered = 0

  static open(options: LoopOptions = {}): Result<NativeLoop> {
    const system = systemCalls()
    if (!system.ok) return system
    const epoll = system.value.epollCreate(k.EPOLL_CLOEXEC)
    if (epoll < 0) return err('NATIVE_CALL', reason(system.value, 'epoll_create1'))
    const loop = new NativeLoop(system.value, epoll, options)
    if (options.wake === undefined || loop.#watch(k.EPOLL_CTL_ADD, options.wake, k.EPOLLIN)) return ok(loop)
    const why = reason(system.value, 'epoll_ctl')
    loop.close()
    return err('NATIVE_CALL', why)
  }
  private constructor(system: System, epoll: number, options: LoopOptions) {
    this.#system = system
    this.#epoll = epoll
    this.#wake = options.wake
    this.#events = new Memory(system.library, EVENTS * EVENT_DATA.octets)
    this.#scratch = new Memory(system.library, 64)
    this.incoming = new ReceiveBatch(system, options.receiveSlots ?? 64)
    this.outgoing = new SendQueue(system, { slots: options.sendSlots ?? 2048, segment: options.segment ?? false })
    this.held = new Held(system, options.sendSlots ?? 2048)
    this.#gatherMs = options.gatherMs ?? 1
    this.#gatherFrom = options.gatherFrom ?? GATHER_FROM_PER_SECOND
    const [seconds, nanoseconds] = process.hrtime()
    this.#clockOffset = seconds * 1e3 + nanoseconds / 1e6 - performance.now()
    this.#now = this.#clock()
    this.#rateAt = this.#now
  }
  #clock(): Instant {
    return instant(performance.now() + this.#clockOffset)
  }
  #watch(operation: number, fd: number, events: number, set = this.#epoll): boolean {
    this.#scratch.view.setUint32(0, events, true)
    this.#scratch.view.setInt32(EVENT_DATA.data, fd, true)
    this.#scratch.view.setInt32(EVENT_DATA.data + 4, 0, true)
    return this.#system.epollCtl(set, operation, fd, this.#scratch.address(0, EVENT_DATA.octets)) === 0
  }

  /** Of this moment, not of the round. */
  exactNow(): Instant {
    return this.#clock()
  }
  /** Time as of the current round: the same clock as `realScheduler`. */
  readonly scheduler: Scheduler = {
    now: () => this.#now,
    unix: (): UnixTime => unixTime(Math.floor(Date.now() / 1000)),
    at: (when, run) => this.#timers.add(when, run),
  }
  bind(at: AddressPort, options: NativeSocketOptions): Result<NativeSocket> {
    const opened = openNativeSocket({ system: this.#system, incoming: this.incoming, outgoing: this.outgoing, held: this.held, texts: this.#texts }, at, options)
    if (!opened.ok) return opened
    const socket = opened.value
    if (!this.#watch(k.EPOLL_CTL_ADD, socket.fd, k.EPOLLIN)) {
      socket.close()
      return err('NATIVE_CALL', reason(this.#system, 'epoll_ctl'))
    }
    this.#sockets.set(socket.fd, socket)
    socket.onClose(() => {
      this.#sockets.delete(socket.fd)
      this.#watch(k.EPOLL_CTL_DEL, socket.fd, 0)
    })
    return opened
  }

  /** Until `stop`. */
  async run(): Promise<void> {
    let yieldedAt = this.#now
    while (!this.#stopped) {
      const got = this.turn(this.#node === undefined ? LONGEST_WAIT_MS : REST_MS)
      if (this.#woken || this.#now - yieldedAt >= (this.#node === undefined ? YIELD_MS : REST_MS)) {
        this.#woken = false
        yieldedAt = this.#now
        await new Promise((resolve) => void setImmediate(resolve))
        continue
      }
      if (this.#node !== undefined) for (let i = this.#timed ? SETTLE : 1; i > 0; i--) await undefined
      if (this.#shouldGather(got)) this.#gather(Math.max(0, Math.min(this.#gatherMs, this.held.due(this.#now) - this.#now)))
    }
  }
  stop(): void {
    this.#stopped = true
  }
  /** Events of Node's loop, whose epoll set is `fd`, end a wait too (node-events.ts). */
  watchNode(fd: number): Result<void> {
    this.#urgent = this.#system.epollCreate(k.EPOLL_CLOEXEC)
    if (this.#urgent < 0) return err('NATIVE_CALL', reason(this.#system, 'epoll_create1'))
    for (const set of [this.#epoll, this.#urgent]) if (!this.#watch(k.EPOLL_CTL_ADD, fd, k.EPOLLIN, set)) return err('NATIVE_CALL', reason(this.#system, 'epoll_ctl'))
    this.#node = fd
    return ok(undefined)
  }
  /** One round; true where Node has something to do. */
  nodeReady(maxWaitMs: number): boolean {
    this.#woken = false
    this.turn(maxWaitMs)
    return this.#woken
  }
  /** Sockets are closed by who bound them, the wake-up by who made it. */
  close(): void {
    this.#stopped = true
    this.#system.close(this.#epoll)
    if (this.#urgent >= 0) this.#system.close(this.#urgent)
    this.#urgent = -1
  }
  /** One round: waits for at most `maxWaitMs`, then does what there is to do. How many datagrams came. */
  turn(maxWaitMs: number): number {
    this.rounds++
    this.flush()
    const wait = this.#blocked ? Math.min(RETRY_MS, maxWaitMs) : Math.min(Math.min(this.#timers.next, this.held.due(this.#now)) - this.#clock(), maxWaitMs)
    const n = this.#system.epollWait(this.#epoll, this.#events.address(0, EVENTS * EVENT_DATA.octets), EVENTS, Math.max(0, Math.ceil(wait)))
    this.#now = this.#clock()
    this.#more = n === EVENTS
    let received = 0
    for (let i = 0; i < n; i++) received += this.#ready(i * EVENT_DATA.octets)
    this.#timed = this.#timers.run(this.#now)
    this.flush()
    this.#count(received)
    return received
  }
  #ready(event: number): number {
    const fd = this.#events.view.getInt32(event + EVENT_DATA.data, true)
    if (fd === this.#wake) {
      this.#system.eventfdRead(fd, this.#scratch.address(0, 8))
      this.#woken = true
      return 0
    }
    if (fd === this.#node) {
      this.#woken = true
      return 0
    }
    const socket = this.#sockets.get(fd)
    return socket === undefined ? 0 : this.#receive(socket)
  }
  #receive(socket: NativeSocket): number {
    let received = 0
    for (let round = 0; round < ROUNDS; round++) {
      const n = socket.receive()
      received += n
      if (n < this.incoming.size) return received
      // What came is sent before more is taken: nobody waits for a long queue behind him.
      this.flush()
      this.#now = this.#clock()
    }
    this.#more = true
    return received
  }
  /** Sends what was built. */
  flush(): void {
    this.#blocked = !this.outgoing.flush() || !this.held.flush(this.#now)
  }
  /** Datagrams built for sending, the messages that carried them, and calls of the system, since the start. */
  get sends(): { readonly datagrams: number; readonly messages: number; readonly calls: number } {
    const sum = { datagrams: 0, messages: 0, calls: 0 }
    for (const q of [this.outgoing, ...this.held.queues]) {
      sum.datagrams += q.committed
      sum.messages += q.sent
      sum.calls += q.calls
    }
    return sum
  }

  /** Datagrams that were to be sent and were not, since the start. */
  get unsent(): number {
    return [this.outgoing, ...this.held.queues].reduce((n, q) => n + q.dropped + q.refused, 0)
  }

  /** Rate of the last 100 ms or so. */
  #count(received: number): void {
    this.#received += received
    const elapsed = this.#now - this.#rateAt
    if (elapsed < 100) return
    this.#rate = (this.#received * 1000) / elapsed
    this.#received = 0
    this.#rateAt = this.#now
  }
  #shouldGather(got: number): boolean {
    // Who has a backlog does not wait for more of it.
    return this.#gatherMs > 0 && got > 0 && !this.#more && this.#rate >= this.#gatherFrom && !this.#blocked
  }
  /** Lets packets come together. Timers and Node's events are not kept waiting where Node is watched. */
  #gather(ms: number): void {
    this.gathered++
    if (this.#node === undefined) return this.#sleep(ms)
    const wait = Math.floor(Math.min(ms, this.#timers.next - this.#clock()))
    if (wait > 0) this.#system.epollWait(this.#urgent, this.#events.address(0, EVENT_DATA.octets), 1, wait)
  }
  #sleep(ms: number): void {
    this.#scratch.view.setBigUint64(0, 0n, true)
    this.#scratch.view.setUint32(k.TIMESPEC.nanoseconds, Math.min(Math.round(ms * 1e6), 999_999_999), true)
    this.#scratch.view.setUint32(k.TIMESPEC.nanoseconds + 4, 0, true)
    this.#system.nanosleep(this.#scratch.address(0, k.TIMESPEC.octets), 0)
  }
}
