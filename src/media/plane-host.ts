/** Starts the server's media thread and drives it. */
import type { MessagePort } from 'node:worker_threads'
import { MessageChannel, Worker } from 'node:worker_threads'
import type { Fault, Result } from '../base/result.ts'
import { err, makeFault, ok } from '../base/result.ts'
import type { AddressPort } from '../net/address.ts'
import { portPath } from './packet-path.ts'
import type { PlaneCommand, PlaneReport, PlaneWorkerData } from './plane-worker.ts'
import type { LegId, LegStats, PlainOpened, PlaneHandle } from './plane/types.ts'
import { workerUrl } from './worker-url.ts'

/** Port 0 picks a free one; the handle's `local` tells. */
export async function startPlane(options: PlaneWorkerData): Promise<Result<PlaneHandle>> {
  const worker = new Worker(workerUrl('plane-worker', import.meta.url), { workerData: options })
  return new Promise((resolve) => {
    worker.once('error', (e: unknown) => resolve(err('MEDIA_WORKER', String(e))))
    worker.once('message', (r: PlaneReport) => {
      if (r.op === 'ready') resolve(ok(new WorkerPlane(worker, r.local)))
      else resolve(err('NET_BIND', r.op === 'failed' ? r.reason : r.op))
    })
  })
}

class WorkerPlane implements PlaneHandle {
  readonly local: AddressPort
  readonly #worker: Worker
  readonly #asked = new Map<number, (s: { legs: LegStats[]; stray: number }) => void>()
  readonly #opening = new Map<number, (r: Result<PlainOpened>) => void>()
  readonly #ended: Promise<void>
  #onFault: (fault: Fault) => void = () => {}
  #nextLeg = 1
  #nextQuestion = 1
  #stopping = false

  constructor(worker: Worker, local: AddressPort) {
    this.#worker = worker
    this.local = local
    worker.on('message', (r: PlaneReport) => this.#report(r))
    worker.on('error', (e: unknown) => this.#onFault(makeFault('MEDIA_WORKER', String(e))))
    this.#ended = new Promise((resolve) => worker.once('exit', (code) => this.#exit(code, resolve)))
  }
  #exit(code: number, resolve: () => void): void {
    if (!this.#stopping) this.#onFault(makeFault('MEDIA_WORKER', `exit code ${code}`))
    this.#stopping = true
    for (const answer of this.#asked.values()) answer({ legs: [], stray: 0 })
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
    if (!this.#stopping) this.#worker.postMessage(c, transfer)
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
    path.onPacket((data) => near.send(data))
    port1.once('close', () => path.close())
    this.#do({ op: 'attach', leg, port: port2 }, [port2])
  }
  route(from: LegId, ssrc: Parameters<PlaneHandle['route']>[1], to: readonly LegId[], clockRate?: number): void {
    this.#do({ op: 'route', from, ssrc, to, ...(clockRate === undefined ? {} : { clockRate }) })
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
    if (this.#stopping) return Promise.resolve({ legs: [], stray: 0 })
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
