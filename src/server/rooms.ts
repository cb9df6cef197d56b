/** All rooms of the server: drives their machines in time and hands on what they say. */
import type { Scheduler, Stop } from '../base/ports.ts'
import { makeFault } from '../base/result.ts'
import { callIdOf } from '../model/call-id.ts'
import type { SignedRoom } from '../model/policy.ts'
import type { RoomIn, RoomLimits, RoomRequest } from '../protocol/room/index.ts'
import { RoomMachine } from '../protocol/room/index.ts'
import type { ServerMessage } from '../protocol/wire/messages.ts'
import type { Log } from './log.ts'
import type { Routes } from './routes.ts'
import type { Session } from './session.ts'
import type { SsrcAllocator } from './ssrc.ts'

export interface RoomsOptions {
  readonly scheduler: Scheduler
  readonly limits: RoomLimits
  readonly maximum: number
  readonly ssrcs: SsrcAllocator
  /** Media threads. All streams of a room are one thread's, so that it can choose the loudest. */
  readonly workers: number
  readonly routes: Routes
  readonly log: Log
  readonly send: (session: string, m: ServerMessage) => void
  /** Of a standing room. */
  readonly policyOf: (room: string) => SignedRoom | undefined
}

const ROOMS_PER_SESSION = 64

interface Running {
  readonly machine: RoomMachine
  /** Of its streams' SSRCs, modulo the media threads. */
  readonly worker: number
  cancel: Stop
  /** The commit that was ordered and is not decided, and since when. */
  flight?: { readonly seq: number; readonly since: number } | undefined
}

export class Rooms {
  readonly #o: RoomsOptions
  readonly #rooms = new Map<string, Running>()
  /** Told when a commit is decided: how long after it was ordered, ms. */
  onCommit: (ms: number) => void = () => {}
  /** Told when the last room is over, and from then on whenever one that was left is. */
  #drained: (() => void) | undefined

  constructor(options: RoomsOptions) {
    this.#o = options
  }
  get status(): { room: string; generation: number; call?: string; epoch: string; members: number; waiting: number }[] {
    return [...this.#rooms.values()].map(({ machine: { state } }) => ({
      room: state.room, generation: state.generation, ...(state.group === undefined ? {} : { call: callIdOf(state.group.groupId) }), epoch: String(state.group?.epoch ?? ''), members: state.group?.members.length ?? 0, waiting: state.group?.queue.length ?? 0,
    }))
  }

  message(session: Session, message: RoomRequest): void {
    const known = this.#rooms.has(message.room)
    const enters = message.k === 'room-create' || message.k === 'room-join'
    if (enters && !known && this.draining) {
      const fault = makeFault('ROOM_DRAINING')
      return session.send({ k: 'room-refused', room: message.room, code: fault.code, message: fault.message })
    }
    if (enters && ((!known && this.#rooms.size >= this.#o.maximum) || session.rooms.size >= ROOMS_PER_SESSION)) {
      const fault = makeFault('ROOM_TOO_MANY')
      return session.send({ k: 'room-refused', room: message.room, code: fault.code, message: fault.message })
    }
    if (enters) session.rooms.add(message.room)
    const ssrc = enters ? this.#o.ssrcs.next(this.#running(message.room).worker) : 0
    this.#step(message.room, { kind: 'message', session: session.id, keyId: session.keyId, message, ssrc })
    if (!this.#rooms.has(message.room)) session.rooms.delete(message.room)
  }
  get draining(): boolean {
    return this.#drained !== undefined
  }
  /** No new rooms from now on; `done` when the last one is over. */
  drain(done: () => void): void {
    this.#drained = done
    if (this.#rooms.size === 0) done()
  }
  gone(session: Session): void {
    for (const room of session.rooms) if (this.#rooms.has(room)) this.#step(room, { kind: 'gone', session: session.id })
  }
  stop(): void {
    for (const r of this.#rooms.values()) r.cancel()
    this.#rooms.clear()
  }

  #withPolicy(m: ServerMessage): ServerMessage {
    const policy = m.k === 'room-info' ? this.#o.policyOf(m.room) : undefined
    return policy === undefined || m.k !== 'room-info' ? m : { ...m, policy: { ...policy } }
  }

  #time(running: Running): void {
    const seq = running.machine.state.group?.flight?.seq
    if (seq === running.flight?.seq) return
    const now = this.#o.scheduler.now()
    if (running.flight !== undefined) this.onCommit(now - running.flight.since)
    running.flight = seq === undefined ? undefined : { seq, since: now }
  }
  #running(name: string): Running {
    const known = this.#rooms.get(name)
    if (known !== undefined) return known
    const fresh: Running = { machine: new RoomMachine(name, this.#o.limits), worker: this.#leastBusy(), cancel: () => {} }
    this.#rooms.set(name, fresh)
    return fresh
  }
  /** The media thread whose rooms have the fewest members. */
  #leastBusy(): number {
    const busy: number[] = new Array(this.#o.workers).fill(0)
    if (busy.length > 1) for (const r of this.#rooms.values()) busy[r.worker]! += 1 + (r.machine.state.group?.members.length ?? 0)
    return busy.indexOf(Math.min(...busy))
  }
  #step(name: string, input: RoomIn): void {
    const running = this.#running(name)
    running.cancel()
    const { out, wakeAt } = running.machine.step(input, this.#o.scheduler.now())
    this.#time(running)
    running.cancel = wakeAt === undefined ? () => {} : this.#o.scheduler.at(wakeAt, () => this.#step(name, { kind: 'tick' }))
    for (const o of out) {
      if (o.kind === 'send') this.#o.send(o.session, this.#withPolicy(o.message))
      else if (o.kind === 'streams') this.#o.routes.set(name, o.streams, running.machine.state.group?.forwarding)
      else if (o.kind === 'note') this.#o.log.info({ room: name, ...callOf(running.machine) }, o.text)
      else this.#rooms.delete(name)
    }
    if (this.#rooms.size === 0) this.#drained?.()
  }
}

/** As clients and journals name it. */
const callOf = ({ state }: RoomMachine): { readonly call?: string } => (state.group === undefined ? {} : { call: callIdOf(state.group.groupId) })
