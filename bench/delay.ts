/**
 * `npm run bench -- delay [--rounds 4] [--seconds 8]`: from the RTP of one phone to the RTP of another, through two clients
 * and the server. Both phones are in this process, so there is one clock. Every round dials anew: where the ticks of
 * phones and clients stand to each other is chance, and worth up to 20 ms at each of them.
 */
import { fileURLToPath } from 'node:url'
import { must } from '../src/base/result.ts'
import { createNodeCrypto } from '../src/crypto/node/index.ts'
import { Child } from '../src/demo/child.ts'
import { freePort } from '../src/demo/ports.ts'
import { setStage, type Stage } from '../src/demo/stage.ts'
import { babble } from '../test/kit/audio.ts'
import { numberOption, pause, quantile, round } from './_args.ts'
import { load } from './_cpu.ts'
import { SyntheticPhone } from './_sip-phone.ts'
import type { BenchTable } from './run.ts'

const ROOM = '100'
const UP_MS = 30_000
const SETTLE_MS = 5000
const RATE = 16_000
/** A sweep of 40 ms from 600 to 3000 Hz, every 25 frames, at the start of a packet. */
const CHIRP = Int16Array.from({ length: 640 }, (_, i) => {
  const t = i / RATE
  return 12_000 * Math.sin(2 * Math.PI * (600 * t + (2400 / 0.04 / 2) * t * t)) * Math.sin((Math.PI * i) / 640)
})
const EVERY = 25
const LONGEST_MS = 400
const entry = fileURLToPath(new URL('../src/cli/demo-process.ts', import.meta.url))

export async function run(args: readonly string[]): Promise<BenchTable> {
  const seconds = numberOption(args, 'seconds', 8)
  const ports = [await freePort(0), await freePort(0)]
  using stage = must(setStage(createNodeCrypto(), { serverPort: await freePort(0), names: ['one', 'two'], phones: [] }))
  const server = new Child('server', entry, { role: 'server', configFile: stage.serverConfig })
  await server.next('up', UP_MS)
  const clients = await Promise.all(stage.clients.map((c, i) => startClient(c, ports[i]!)))
  const rounds: Round[] = []
  for (let i = 0; i < numberOption(args, 'rounds', 4); i++) rounds.push(await measureRound(ports, clients[1]!, seconds))
  for (const c of clients) await c.stop()
  await server.stop()
  return {
    name: 'delay',
    rows: [...rounds.map((r, i) => row(`round ${i + 1}`, [r])), row('all', rounds)],
    remarks: [`G.722, 20 ms packets, loopback; packets of one phone in to packets of the other out; load of the machine ${load()}`],
  }
}

interface Round {
  readonly asked: number
  readonly delays: readonly number[]
  readonly bufferMs: number
}

async function measureRound(ports: readonly number[], listening: Child, seconds: number): Promise<Round> {
  const listener = new Listener()
  const talker = new Talker()
  const two = await SyntheticPhone.call(at(ports[1]!), `8${ROOM}`, { speak: (out) => void out.fill(0), hear: (pcm, timestamp, now) => listener.hear(pcm, timestamp, now) })
  const one = await SyntheticPhone.call(at(ports[0]!), `8${ROOM}`, talker)
  await pause(SETTLE_MS)
  const from = talker.chirps.length
  await pause(seconds * 1000)
  const asked = talker.chirps.slice(from)
  await pause(LONGEST_MS)
  const bufferMs = (await listening.next('stats', 5000)).senders[0]?.bufferMs ?? 0
  await Promise.all([one.hangup(), two.hangup()])
  await pause(1000)
  return { asked: asked.length, delays: asked.flatMap((sentAt) => listener.delayOf(sentAt) ?? []), bufferMs }
}

function row(name: string, rounds: readonly Round[]): Record<string, string | number> {
  const delays = rounds.flatMap((r) => r.delays)
  return {
    calls: name, chirps: rounds.reduce((n, r) => n + r.asked, 0), found: delays.length, 'least ms': round(Math.min(...delays)), 'median ms': round(quantile(delays, 0.5)),
    'p99 ms': round(quantile(delays, 0.99)), 'most ms': round(Math.max(...delays)), 'of it jitter buffer ms': round(rounds.reduce((n, r) => n + r.bufferMs, 0) / rounds.length),
  }
}

const at = (port: number) => ({ address: '127.0.0.1', port })

async function startClient(c: Stage['clients'][number], port: number): Promise<Child> {
  const config = { ...c.config, phones: [{ line: c.name, address: '127.0.0.1', port, transports: ['udp' as const], users: {}, srtp: 'off' as const }] }
  const child = new Child(c.name, entry, { role: 'member', name: c.name, config, configFile: c.configFile, voices: [], room: ROOM, record: false })
  await child.next('up', UP_MS)
  return child
}

/** Speech with chirps in it, and when each chirp's first packet went out. */
class Talker {
  readonly chirps: number[] = []
  readonly #speech = babble(320 * 500, 3, 2500)
  speak(out: Int16Array, n: number, nowMs: number): void {
    out.set(this.#speech.subarray((n % 500) * 320, (n % 500) * 320 + 320))
    const part = n % EVERY
    if (part === 0) this.chirps.push(nowMs)
    if (part < 2) out.set(CHIRP.subarray(part * 320, part * 320 + 320))
  }
}

/** Everything that the other phone heard, on its own time line, and when each packet came. */
class Listener {
  #pcm = new Int16Array(RATE * 200)
  readonly #arrivals = new Map<number, number>()
  #length = 0
  hear(pcm: Int16Array, timestamp: number, nowMs: number): void {
    if (timestamp + pcm.length > this.#pcm.length) return
    this.#pcm.set(pcm, timestamp)
    this.#arrivals.set(timestamp / 320, nowMs)
    this.#length = timestamp + pcm.length
  }
  /** The chirp's place by correlation; as if the packet had been sent sample by sample. */
  delayOf(sentAt: number): number | undefined {
    const packets = [...this.#arrivals].filter(([, when]) => when >= sentAt && when <= sentAt + LONGEST_MS).map(([packet]) => packet)
    if (packets.length === 0) return undefined
    const from = Math.max(0, Math.min(...packets) * 320 - 320)
    const to = Math.min(this.#length - CHIRP.length, (Math.max(...packets) + 1) * 320)
    const best = { at: -1, match: 0.7 }
    for (let i = from; i < to; i++) {
      const match = correlation(this.#pcm, i)
      if (match > best.match) Object.assign(best, { at: i, match })
    }
    const arrival = this.#arrivals.get(Math.floor(best.at / 320))
    return best.at < 0 || arrival === undefined ? undefined : arrival + (best.at % 320) / (RATE / 1000) - sentAt
  }
}

const chirpPower = CHIRP.reduce((sum, v) => sum + v * v, 0)
function correlation(pcm: Int16Array, at: number): number {
  let product = 0
  let power = 1
  for (let i = 0; i < CHIRP.length; i++) {
    const v = pcm[at + i]!
    product += v * CHIRP[i]!
    power += v * v
  }
  return product / Math.sqrt(power * chirpPower)
}
