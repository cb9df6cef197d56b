/** Starts the server's media thread and drives it. */
import type { MessagePort } from 'node:worker_threads'
import { MessageChannel, Worker } from 'node:worker_threads'
import type { Fault, Result } from '../base/result.ts'
import { err, makeFault, ok } from '../base/result.ts'
import type { AddressPort } from '../net/address.ts'
import { Waker } from '../net/native/index.ts'
import { portPath } from './packet-path.ts'
import type { PortRange } from './plain/rtp-pair.ts'
import type { PlaneChoice } from './plane-choice.ts'
import type { PlaneTuning } from './plane-ports.ts'
import type { PlaneCommand, PlaneReport, PlaneWorkerData } from './plane-worker.ts'
import { noTotals, type LegId, type PlainOpened, type PlaneFacts, type PlaneHandle, type PlaneStats, type RouteOptions } from './plane/types.ts'
import { workerUrl } from './worker-url.ts'

export interface StartPlaneOptions extends Partial<PlaneTuning> {
  /** Port 0 picks a free one; the handle's `local` tells. */
  readonly bind: AddressPort
  readonly choice?: PlaneChoice
  /** UDP ports of plain legs. */
  readonly ports?: PortRange
}

/** Milliseconds that packets may wait for others at high rates. */
const GATHER_MS = 1

/** Fails with NET_BIND, MEDIA_WORKER, and where the native plane was demanded with why there is none. */
export async function startPlane(options: StartPlaneOptions): Promise<Result<WorkerPlane>> {
  const { bind, choice = 'auto', gatherMs = GATHER_MS, segment = false } = options
  const waker = choice === 'portable' ? undefined : Waker.create()
  const wake = waker?.ok === true ? waker.value : undefined
  const workerData: PlaneWorkerData = { bind, choice, gatherMs, segment, wake: wake?.handle, ...(options.ports && { ports: options.ports }) }
  const worker = new Worker(workerUrl('plane-worker', import.meta.url), { workerData })
  worker.once('exit', () => wake?.[Symbol.dispose]())
  return new Promise((resolve) => {
    worker.once('error', (e: unknown) => resolve(err('MEDIA_WORKER', String(e))))
    worker.once('message', (r: PlaneReport) => {
      if (r.op === 'ready') resolve(ok(new WorkerPlane(worker, r.local, r, () => wake?.wake())))
      else resolve(r.op === 'failed' ? { ok: false, fault: r.fault } : err('MEDIA_WORKER', r.op))
    })
  })
}

export class WorkerPlane implements PlaneHandle {
  readonly local: AddressPort
  readonly facts: PlaneFacts
  readonly #wake: () => void
  readonly #worker: Worker
  readonly #asked = new Map<number, (s: PlaneStats) => void>()
  readonly #opening = new Map<number, (r: Result<PlainOpened>) => void>()
  readonly #ended: Promise<void>
  #onFault: (fault: Fault) => void = () => {}
  #nextLeg = 1
  #nextQuestion = 1
  #stopping = false

  constructor(worker: Worker, local: AddressPort, { provider, fallback, buffers }: PlaneFacts, wake: () => void) {
    this.#worker = worker
    this.local = local
    this.facts = { provider, fallback, buffers }
    this.#wake = wake
    worker.on('message', (r: PlaneReport) => this.#report(r))
    worker.on('error', (e: unknown) => this.#onFault(makeFault('MEDIA_WORKER', String(e))))
    this.#ended = new Promise((resolve) => worker.once('exit', (code) => this.#exit(code, resolve)))
  }
  #exit(code: number, resolve: () => void): void {
    if (!this.#stopping) this.#onFault(makeFault('MEDIA_WORKER', `exit code ${code}`))
    this.#stopping = true
    for (const answer of this.#asked.values()) answer({ legs: [], stray: 0, past: noTotals() })
    this.#asked.clear()
    for (const answer of this.#opening.values()) answer(err('MEDIA_WORKER', 'it ended'))
    this.#opening.clear()
    resolve()
  }
  #report(r: PlaneReport): void {
    if (r.op === 'fault') this.#onFault(r.fault)
    else if (r.op === 'plain') {
      this.#opening.get(r.id)?.(r.opened)
      this.#opening.delete(r.id)
    }
    else if (r.op === 'stats') {
      this.#asked.get(r.id)?.(r)
      this.#asked.delete(r.id)
    }
  }
  #do(c: PlaneCommand, transfer: readonly MessagePort[] = []): void {
    if (this.#stopping) return
    this.#worker.postMessage(c, transfer)
    this.#wake()
  }
  open(spec: Parameters<PlaneHandle['open']>[0]): LegId {
    this.#do({ op: 'open', spec })
    // The worker's handle counts its legs in the same order.
    return this.#nextLeg++ as LegId
  }
  rekey(leg: LegId, keys: Parameters<PlaneHandle['rekey']>[1]): void {
    this.#do({ op: 'rekey', leg, keys })
  }
  attach(leg: LegId, path: Parameters<PlaneHandle['attach']>[1]): void {
    if (path === undefined) {
      this.#do({ op: 'attach', leg, port: undefined })
      return
    }
    const { port1, port2 } = new MessageChannel()
    const near = portPath(port1)
    near.onPacket((data) => path.send(data))
    path.onPacket((data) => {
      near.send(data)
      this.#wake()
    })
    port1.once('close', () => path.close())
    this.#do({ op: 'attach', leg, port: port2 }, [port2])
  }
  route(from: LegId, ssrc: Parameters<PlaneHandle['route']>[1], to: readonly LegId[], options: RouteOptions = {}): void {
    this.#do({ op: 'route', from, ssrc, to, options })
  }
  unroute(from: LegId, ssrc: Parameters<PlaneHandle['unroute']>[1]): void {
    this.#do({ op: 'unroute', from, ssrc })
  }
  openPlain(spec: Parameters<PlaneHandle['openPlain']>[0]): Promise<Result<PlainOpened>> {
    if (this.#stopping) return Promise.resolve(err('MEDIA_WORKER', 'it ended'))
    const id = this.#nextQuestion++
    this.#nextLeg++
    return new Promise((resolve) => {
      this.#opening.set(id, resolve)
      this.#do({ op: 'open-plain', id, spec })
    })
  }
  negotiate(leg: LegId, peer: Parameters<PlaneHandle['negotiate']>[1]): void {
    this.#do({ op: 'negotiate', leg, peer })
  }
  bridge(plain: LegId, to: Parameters<PlaneHandle['bridge']>[1]): void {
    this.#do({ op: 'bridge', plain, to })
  }
  unbridge(plain: LegId): void {
    this.#do({ op: 'unbridge', plain })
  }
  close(leg: LegId): void {
    this.#do({ op: 'close', leg })
  }
  stats(): ReturnType<PlaneHandle['stats']> {
    if (this.#stopping) return Promise.resolve({ legs: [], stray: 0, past: noTotals() })
    const id = this.#nextQuestion++
    return new Promise((resolve) => {
      this.#asked.set(id, resolve)
      this.#do({ op: 'stats', id })
    })
  }
  onFault(listener: (fault: Fault) => void): void {
    this.#onFault = listener
  }
  async stop(): Promise<void> {
    this.#do({ op: 'stop' })
    this.#stopping = true
    await this.#ended
  }
}
