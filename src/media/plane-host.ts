/** Starts the server's media threads and drives them. */
import type { MessagePort } from 'node:worker_threads'
import { MessageChannel, Worker } from 'node:worker_threads'
import type { Fault, Result } from '../base/result.ts'
import { err, makeFault, ok } from '../base/result.ts'
import type { AddressPort } from '../net/address.ts'
import { portPath } from './packet-path.ts'
import { SeveralPlanes } from './plane/several.ts'
import type { PlaneCommand, PlaneReport, PlaneWorkerData } from './plane-worker.ts'
import { noTotals, type LegId, type PlainOpened, type PlaneFacts, type PlaneHandle, type PlaneStats, type RouteOptions } from './plane/types.ts'
import { BEAT, heartbeat, watchThread } from './thread-watch.ts'
import { makeWaker, type Peers, peersOf, sharedPorts, type StartPlaneOptions } from './plane-share.ts'
import { workerUrl } from './worker-url.ts'

export type { StartPlaneOptions } from './plane-share.ts'

/** Milliseconds that packets may wait for others at high rates. */
const GATHER_MS = 1
/** What the system shows of the thread (proc_pid_comm(5)): at most 15 octets. */
const THREAD = 'stc-plane'

export interface RunningPlane extends PlaneHandle {
  readonly facts: PlaneFacts
  /** Resolves when a thread has ended without having been told to, or hangs: nobody hears anything by it any more, and `stop` is all that is left to do. */
  readonly broken: Promise<Fault>
}

/** Fails with NET_BIND, MEDIA_WORKER, and where the native plane was demanded with why there is none. */
export async function startPlane(options: StartPlaneOptions): Promise<Result<RunningPlane>> {
  const { choice = 'auto', workers = 1 } = options
  if (workers === 1 || choice === 'portable') return startOne(options)
  const started = await startSeveral({ ...options, workers })
  if (started.ok || choice === 'native' || started.fault.code === 'NET_BIND') return started
  const one = await startOne({ ...options, choice: 'portable' })
  if (one.ok) one.value.facts = { ...one.value.facts, fallback: started.fault }
  return one
}

async function startOne(options: StartPlaneOptions): Promise<Result<WorkerPlane>> {
  const wake = makeWaker(options.choice ?? 'auto')
  const started = await startWorker(options, wake, undefined)
  if (started.ok) void started.value.ended.then(() => wake?.[Symbol.dispose]())
  else wake?.[Symbol.dispose]()
  return started
}

/** Bound one after the other: the system counts the sockets of a port in that order. */
async function startSeveral(options: StartPlaneOptions & { readonly workers: number }): Promise<Result<RunningPlane>> {
  const wakers = Array.from({ length: options.workers }, () => makeWaker('native'))
  const peers = peersOf(wakers.map((w) => w?.handle))
  const planes: WorkerPlane[] = []
  // A thread may wake any other until that has ended.
  const release = (): Promise<void> => Promise.all(planes.map((p) => p.ended)).then(() => {
    for (const w of wakers) w?.[Symbol.dispose]()
  })
  for (const [worker, waker] of wakers.entries()) {
    const bind = { ...options.bind, port: planes[0]?.local.port ?? options.bind.port }
    const ports = options.ports && sharedPorts(options.ports, worker, options.workers)
    const started = await startWorker({ ...options, bind, choice: 'native', ...(ports && { ports }) }, waker, peers[worker])
    if (!started.ok) {
      void release()
      await Promise.all(planes.map((p) => p.stop()))
      return started
    }
    planes.push(started.value)
  }
  void release()
  const { facts } = planes[0]!
  const broken = Promise.race(planes.map((p) => p.broken))
  return ok(Object.assign(new SeveralPlanes(planes), { broken, facts: { ...facts, workers: planes.length } }))
}

function startWorker(options: StartPlaneOptions, wake: ReturnType<typeof makeWaker>, peers: Peers | undefined): Promise<Result<WorkerPlane>> {
  const { bind, choice = 'auto', gatherMs = GATHER_MS, segment = false, ports } = options
  const beats = heartbeat()
  const workerData: PlaneWorkerData = { beats, bind, choice, gatherMs, segment, wake: wake?.handle, ...(ports && { ports }), ...(peers && { peers }) }
  const worker = new Worker(workerUrl('plane-worker', import.meta.url), { name: THREAD, workerData, transferList: peers?.ports.flatMap((p) => p ?? []) ?? [] })
  return new Promise((resolve) => {
    worker.once('error', (e: unknown) => resolve(err('MEDIA_WORKER', String(e))))
    worker.once('message', (r: PlaneReport) => {
      if (r.op === 'ready') resolve(ok(new WorkerPlane(worker, beats, r.local, r, () => wake?.wake())))
      else resolve(r.op === 'failed' ? { ok: false, fault: r.fault } : err('MEDIA_WORKER', r.op))
    })
  })
}

export class WorkerPlane implements RunningPlane {
  readonly local: AddressPort
  readonly workers = 1
  facts: PlaneFacts
  readonly #wake: () => void
  readonly #worker: Worker
  readonly #asked = new Map<number, (s: PlaneStats) => void>()
  readonly #opening = new Map<number, (r: Result<PlainOpened>) => void>()
  readonly ended: Promise<void>
  readonly broken: Promise<Fault>
  #break: (fault: Fault) => void = () => {}
  readonly #watch: Disposable
  /** It hung, and nobody waits for its end. */
  readonly #given: Promise<void>
  #giveUp: () => void = () => {}
  #why = ''
  #onFault: (fault: Fault) => void = () => {}
  #nextLeg = 1
  #nextQuestion = 1
  #stopping = false

  constructor(worker: Worker, beats: Int32Array<SharedArrayBuffer>, local: AddressPort, { provider, fallback, workers, buffers }: PlaneFacts, wake: () => void) {
    this.#worker = worker
    this.local = local
    this.facts = { provider, fallback, workers, buffers }
    this.#wake = wake
    worker.on('message', (r: PlaneReport) => this.#report(r))
    worker.on('error', (e: unknown) => {
      this.#why = String(e)
    })
    this.broken = new Promise((resolve) => (this.#break = resolve))
    this.#given = new Promise((resolve) => (this.#giveUp = resolve))
    this.#watch = watchThread(beats, () => this.#ask(), (why) => this.#hung(why))
    this.ended = new Promise((resolve) => worker.once('exit', (code) => this.#exit(code, resolve)))
  }
  #ask(): void {
    this.#worker.postMessage(BEAT)
    this.#wake()
  }
  /** A thread that sits in a call of the system does not end by this either: nobody waits for it. */
  #hung(why: string): void {
    this.#why = why
    void this.#worker.terminate()
    this.#over(0)
    this.#giveUp()
  }
  #exit(code: number, resolve: () => void): void {
    this.#over(code)
    resolve()
  }
  #over(code: number): void {
    this.#watch[Symbol.dispose]()
    if (!this.#stopping) {
      const fault = makeFault('MEDIA_WORKER', this.#why || `exit code ${code}`)
      this.#onFault(fault)
      this.#break(fault)
    }
    this.#stopping = true
    for (const answer of this.#asked.values()) answer({ legs: [], stray: 0, past: noTotals() })
    this.#asked.clear()
    for (const answer of this.#opening.values()) answer(err('MEDIA_WORKER', 'it ended'))
    this.#opening.clear()
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
  routeRoom(streams: Parameters<PlaneHandle['routeRoom']>[0], members: readonly LegId[], options: RouteOptions = {}): void {
    // Numbers in one piece: a list of objects takes the other thread ten times as long to read.
    const from = Float64Array.from(streams, (s) => s.from)
    const ssrcs = Uint32Array.from(streams, (s) => s.ssrc)
    this.#do({ op: 'route-room', from, ssrcs, members: Float64Array.from(members), options })
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
    await Promise.race([this.ended, this.#given])
  }
}
