/**
 * `npm run bench -- enclave [--seconds 10] [--members 2,5,20]`: what the vault's process costs, against its threads in the client.
 * A media thread's worth of frames, 50 times a second: one sealed, one opened from each other member, in one batch. Delay: from asking to the
 * answer, which is what a frame waits. CPU: of this process and the vault's together, in rounds that take turns.
 */
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { must } from '../src/base/result.ts'
import { ssrc, type RoomName } from '../src/base/brand.ts'
import { preferVoice } from '../src/cli/priority.ts'
import { createNodeCrypto } from '../src/crypto/node/index.ts'
import { realScheduler } from '../src/net/scheduler.ts'
import type { Vault } from '../src/vault/api/calls.ts'
import type { Frame } from '../src/vault/api/frames.ts'
import { findBundle } from '../src/vault/host/bundle.ts'
import type { HostedVault } from '../src/vault/host/hosted.ts'
import { startVaultProcess } from '../src/vault/host/process.ts'
import { startVault } from '../src/vault/host/start.ts'
import { createVault } from '../src/vault/inside/create.ts'
import { People, REALM } from '../test/kit/people.ts'
import { listOption, numberOption, pause, quantile, round } from './_args.ts'
import type { AskerOrder, AskerReport } from './_asker.ts'
import { cpuMs, load } from './_cpu.ts'
import type { BenchTable } from './run.ts'

const TICK_MS = 20
const ROUNDS = 3
const FRAME = new Uint8Array(161)
const POLICY = { room: 'bench' as RoomName, realm: REALM, hosts: [], admit: 'anchors', suite: 'x25519', codec: 'g722', forwarding: 'loudest', gatewaysAllowed: false } as const

// As `stc client` does: voice before other work, for threads and processes made from here on.
preferVoice()
/** In a thread of its own, as in a client. */
const asker = new Worker(new URL('./_asker.ts', import.meta.url))

type Where = 'in process' | 'process'

export async function run(args: readonly string[]): Promise<BenchTable> {
  const seconds = numberOption(args, 'seconds', 10)
  const rows: Record<string, string | number>[] = []
  for (const members of listOption(args, 'members', [2, 5, 20])) rows.push(...(await measure(members, seconds)))
  return { name: 'enclave', rows, remarks: [`medians of ${ROUNDS} rounds of ${seconds} s in turns, after a warm-up; CPU in per cent of one core, client's side and vault together; load of the machine ${load()}`] }
}

async function measure(members: number, seconds: number): Promise<Record<string, string | number>[]> {
  const sides = [await Side.make('in process', members), await Side.make('process', members)]
  for (const s of sides) await s.round(3)
  const results = new Map<Side, Round[]>(sides.map((s) => [s, []]))
  for (let i = 0; i < ROUNDS; i++) for (const s of sides) results.get(s)!.push(await s.round(seconds))
  const rows = sides.map((s) => {
    const of = (f: (r: Round) => number): number => quantile(results.get(s)!.map(f), 0.5)
    return { members, vault: s.where, 'p50 ms': round(of((r) => r.p50), 2), 'p99 ms': round(of((r) => r.p99), 2), 'CPU %': round(of((r) => r.cpu), 2), 'refused': results.get(s)!.reduce((n, r) => n + r.refused, 0) }
  })
  for (const s of sides) await s.close()
  return rows
}

interface Round {
  readonly p50: number
  readonly p99: number
  readonly cpu: number
  readonly refused: number
}

interface Other {
  readonly ssrc: number
  seal(timestamp: number): Promise<Frame>
}

/** One vault with its room, and the frames that its members say. */
class Side {
  readonly where: Where
  readonly #vault: HostedVault
  readonly #pid: number | undefined
  readonly #session: number
  readonly #others: readonly Other[]
  #timestamp = 0

  private constructor(where: Where, vault: HostedVault, pid: number | undefined, session: number, others: readonly Other[]) {
    this.where = where
    this.#vault = vault
    this.#pid = pid
    this.#session = session
    this.#others = others
  }

  static async make(where: Where, members: number): Promise<Side> {
    const crypto = createNodeCrypto()
    const clock = realScheduler()
    const people = new People(clock.unix(), crypto)
    const optionsOf = (name: string) => {
      const { chain, pkcs8 } = people.person(name)
      return { chain, pkcs8, anchors: [people.ca.certificate], realm: REALM }
    }
    const inside = (file: string): URL => new URL(`../src/vault/inside/${file}.ts`, import.meta.url)
    const started = where === 'process' ? must(await startVaultProcess({ ...optionsOf('Measured'), bundle: must(findBundle()) })) : undefined
    const vault = started?.vault ?? must(await startVault({ ...optionsOf('Measured'), control: inside('control-worker'), frames: inside('frames-worker') }))
    const { view } = must(await vault.call('room.create', { policy: { ...POLICY, maximumMembers: members }, generation: 1 }))
    const otherVault = (name: string): Vault => must(createVault({ crypto, clock }, optionsOf(name)))
    const others: { vault: Vault; session: number; ssrc: number }[] = []
    for (let i = 1; i < members; i++) {
      const other = otherVault(`Other-${i}`)
      const request = must(await other.call('room.request', { room: POLICY.room, suite: 'x25519' }))
      const made = must(await vault.call('room.propose', { session: view.session, adds: [{ id: i, keyPackage: request.keyPackage }], removes: [] }))
      for (const o of others) must(await o.vault.call('room.apply', { session: o.session, commit: made.commit, removals: [] }))
      must(await vault.call('room.confirm', { session: view.session }))
      must(await other.call('room.welcome', { session: request.session, welcome: made.welcome! }))
      others.push({ vault: other, session: request.session, ssrc: 100 + i })
    }
    must(await vault.call('room.announce', { session: view.session, ssrc: ssrc(100) }))
    for (const o of others) {
      const { message } = must(await o.vault.call('room.announce', { session: o.session, ssrc: ssrc(o.ssrc) }))
      must(await vault.call('room.message', { session: view.session, message }))
    }
    // New epochs are sealed under when everybody has them.
    await pause(600)
    return new Side(where, vault, started?.pid, view.session, others.map((o) => ({
      ssrc: o.ssrc,
      seal: async (timestamp) => (await o.vault.frames({ op: 'seal', session: o.session, frames: [{ ssrc: ssrc(o.ssrc), timestamp, data: FRAME }] })).frames[0]!,
    })))
  }

  async round(seconds: number): Promise<Round> {
    const ticks = seconds * (1000 / TICK_MS)
    // Sealed beforehand: the others are other machines.
    const heard: Frame[][] = []
    for (let i = 0; i < ticks; i++) heard.push(await Promise.all(this.#others.map((o) => o.seal(this.#timestamp + 160 * i))))
    const port = this.#vault.framesPort()
    const before = this.#cpu()
    const start = performance.now()
    const answer = once(asker, 'message') as Promise<[AskerReport]>
    asker.postMessage({ port, session: this.#session, timestamp: this.#timestamp, heard, own: FRAME } satisfies AskerOrder, [port])
    const [{ delays, refused }] = await answer
    const cpu = (100 * (this.#cpu() - before)) / (performance.now() - start)
    this.#timestamp += 160 * ticks
    return { p50: quantile(delays, 0.5), p99: quantile(delays, 0.99), cpu, refused }
  }
  #cpu(): number {
    return cpuMs(process.pid) + (this.#pid === undefined ? 0 : cpuMs(this.#pid))
  }
  close(): Promise<void> {
    return this.#vault.close()
  }
}
