/**
 * `npm run bench -- bridge [--streams 200,1000,2000] [--rounds 5] [--seconds 3] [--warmup 10] [--suite gcm,sha1,gcm256] [--relays native,c,rtpengine] [--gather 1]`:
 * cost of one packet bridged between RTP and SRTP, half of the streams each way, 50 packets a second each. Our plane beside a C
 * program with the same system calls and libcrypto (bench/c/bridge.c) and rtpengine from Debian's packages, alternating, all pinned to core 0,
 * generator and sink to core 1. Each has its processes for all rounds, warmed up once, and rests while another is measured.
 */
import type { SrtpKeys } from '../src/media/api.ts'
import { listOption, numberOption, option, round } from './_args.ts'
import type { BridgeOrder, BridgeReport } from './_bridge-load.ts'
import { load } from './_cpu.ts'
import type { LoadFigures } from './_ends.ts'
import { kernelMs, median, pin, schedulerMs } from './_pinned.ts'
import { BenchProcess } from './_process.ts'
import { type Relay, type RelayName, startRelay } from './_relays.ts'
import type { BenchTable } from './run.ts'

const SUITES: Readonly<Record<string, SrtpKeys['suite']>> = { gcm: 'AEAD_AES_128_GCM', gcm256: 'AEAD_AES_256_GCM', sha1: 'AES_CM_128_HMAC_SHA1_80' }
const LIMIT_MS = 120_000
const SAMPLE = 8

interface Run extends LoadFigures {
  readonly relayMs: number
  readonly kernelMs: number
}

/** One of them with its calls, ready to be measured. */
class Stage {
  readonly #ends = new BenchProcess<BridgeOrder, BridgeReport>('./_bridge-load.ts')
  #relay: Relay | undefined

  async begin(name: RelayName, calls: number, suite: SrtpKeys['suite'], gatherMs: number, warmUpMs: number): Promise<void> {
    const relay = await startRelay(name, suite, gatherMs)
    this.#relay = relay
    const ends = this.#ends
    pin(ends.pid, 1)
    ends.order({ kind: 'prepare', calls, suite, sample: SAMPLE })
    const prepared = await ends.next('prepared', LIMIT_MS)
    const places = await relay.open(prepared.calls)
    ends.order({ kind: 'connect', places, probe: relay.probe })
    await ends.next('connected', LIMIT_MS)
    // Until what is called once per packet is compiled for good.
    ends.order({ kind: 'run', ms: warmUpMs })
    await ends.next('ran', LIMIT_MS)
  }
  async measure(seconds: number): Promise<Run> {
    const { pid } = this.#relay!
    const before = { all: schedulerMs(pid), kernel: kernelMs(pid) }
    this.#ends.order({ kind: 'run', ms: seconds * 1000 })
    const figures = await this.#ends.next('ran', LIMIT_MS + seconds * 1000)
    return { ...figures, relayMs: schedulerMs(pid) - before.all, kernelMs: kernelMs(pid) - before.kernel }
  }
  async stop(): Promise<void> {
    await Promise.all([this.#relay?.stop(), this.#ends.stop()])
  }
}

export async function run(args: readonly string[]): Promise<BenchTable> {
  const rounds = numberOption(args, 'rounds', 5)
  const seconds = numberOption(args, 'seconds', 3)
  const warmUp = numberOption(args, 'warmup', 10)
  const gather = numberOption(args, 'gather', 1)
  const suites = (option(args, 'suite') ?? 'gcm,sha1').split(',')
  const relays = (option(args, 'relays') ?? 'native,c,rtpengine').split(',') as RelayName[]
  const rows: Record<string, string | number>[] = []
  for (const suite of suites) for (const streams of listOption(args, 'streams', [200, 1000, 2000])) {
    const runs = new Map<RelayName, Run[]>(relays.map((r) => [r, []]))
    const stages = relays.map((r) => [r, new Stage()] as const)
    try {
      for (const [r, stage] of stages) await stage.begin(r, streams / 2, SUITES[suite]!, gather, warmUp * 1000)
      for (let k = 0; k < rounds; k++) for (const [r, stage] of stages) runs.get(r)!.push(await stage.measure(seconds))
    } finally {
      await Promise.all(stages.map(([, stage]) => stage.stop()))
    }
    const cost = (r: RelayName): number => median((runs.get(r) ?? []).map((x) => (x.relayMs * 1000) / x.received))
    for (const [name, list] of runs) rows.push(row(suite, streams, name, list, cost))
  }
  return { name: 'bridge', rows, remarks: [`medians of ${rounds} alternating runs of ${seconds} s after ${warmUp} s, gather ${gather} ms; delay: from the generator's call to the sink's; a row is worth nothing where packets were lost because the load or what is measured did not get its core; load of the machine ${load()}`] }
}

function row(suite: string, streams: number, name: RelayName, runs: readonly Run[], cost: (r: RelayName) => number): Record<string, string | number> {
  const of = (pick: (r: Run) => number): number => median(runs.map(pick))
  return {
    suite, streams, relay: name, 'packets/s': Math.round(of((r) => (r.received * 1000) / r.elapsedMs)), 'µs/packet': round(cost(name), 2), 'of it kernel': round(of((r) => (r.kernelMs * 1000) / r.received), 2),
    'of rtpengine': round(cost(name) / cost('rtpengine'), 2), 'of C': round(cost(name) / cost('c'), 2),
    'relay CPU %': round(of((r) => (100 * r.relayMs) / r.elapsedMs)), 'load CPU %': round(of((r) => (100 * r.cpuMs) / r.elapsedMs)),
    'delay ms': round(of((r) => r.delayMedianMs), 2), 'p99 ms': round(of((r) => r.delayP99Ms), 2),
    lost: runs.reduce((n, r) => n + r.sent - r.received, 0), opened: runs.reduce((n, r) => n + r.opened, 0), wrong: runs.reduce((n, r) => n + r.wrong, 0),
  }
}
