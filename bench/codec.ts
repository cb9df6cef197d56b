/** `npm run bench -- codec`: µs per 20 ms frame for codecs, what a listener does per sender, SRTP and SFrame. One thread. */
import { g722Codec } from '../src/audio/codec.ts'
import { codecFactory } from '../src/audio/codecs.ts'
import { Concealer } from '../src/audio/concealment.ts'
import { frameLevel } from '../src/audio/levels.ts'
import { Mixer } from '../src/audio/mixer.ts'
import { loadOpus } from '../src/audio/opus.ts'
import { SenderPlayout } from '../src/audio/playout.ts'
import { Reclock } from '../src/audio/reclock.ts'
import { must } from '../src/base/result.ts'
import { babble } from '../test/kit/audio.ts'
import { load } from './_cpu.ts'
import type { Row } from './_codec-crypto.ts'
import { rows as cryptoRows } from './_codec-crypto.ts'
import type { BenchTable } from './run.ts'

const FRAMES = 500
/** The clock of CPU time ticks in milliseconds: enough frames between two readings. */
const REPEAT = 5
const BATCHES = 6
const speech = babble(320 * FRAMES, 7)
const frames = Array.from({ length: FRAMES }, (_, i) => speech.subarray(320 * i, 320 * i + 320))

/** CPU time per frame of `batch`, which handles every frame once. The first two runs warm up. */
function measure(name: string, batch: () => void): Row {
  const times: number[] = []
  for (let i = 0; i < BATCHES + 2; i++) {
    const from = process.threadCpuUsage()
    for (let k = 0; k < REPEAT; k++) batch()
    const { user, system } = process.threadCpuUsage(from)
    if (i >= 2) times.push((user + system) / FRAMES / REPEAT)
  }
  times.sort((a, b) => a - b)
  return { name, microseconds: times[times.length >> 1]! }
}

async function codecRows(): Promise<Row[]> {
  const codecs = codecFactory(must(await loadOpus()))
  return codecs.names.flatMap((name) => {
    using codec = codecs.create(name)
    const encoded = frames.map((f) => codec.encode(f))
    return [
      measure(`${name} encode`, () => {
        for (const f of frames) codec.encode(f)
      }),
      measure(`${name} decode`, () => {
        for (const e of encoded) codec.decode(e)
      }),
    ]
  })
}

function listenerRows(): Row[] {
  const out = new Int16Array(320)
  const mixer = new Mixer()
  const reclock = new Reclock()
  const concealer = new Concealer()
  using sender = g722Codec()
  using playout = new SenderPlayout(g722Codec())
  const encoded = frames.map((f) => ({ data: sender.encode(f), level: frameLevel(f) }))
  let playedTick = 0
  let reclockedTick = 0
  return [
    measure('level', () => {
      for (const f of frames) frameLevel(f)
    }),
    measure('conceal a lost frame', () => {
      for (const f of frames) {
        concealer.good(f.slice())
        concealer.lost(out)
      }
    }),
    measure('re-clock the uplink', () => {
      for (const f of frames) {
        reclock.push(f.slice(), 0, reclockedTick * 20 + 5)
        reclock.pull(out, ++reclockedTick * 20)
      }
    }),
    measure('play one g722 sender', () => {
      for (const e of encoded) {
        playout.push((playedTick * 160) >>> 0, e.level, e.data, playedTick * 20 + 5)
        playout.pull(++playedTick * 20, out)
      }
    }),
    measure('mix five senders', () => {
      for (const f of frames) {
        for (let i = 0; i < 5; i++) mixer.add(f, 0.8)
        mixer.finish(out)
      }
    }),
  ]
}

export async function run(): Promise<BenchTable> {
  const rows = [...(await codecRows()), ...listenerRows(), ...cryptoRows()]
  return { name: 'codec', rows: rows.map((r) => ({ what: r.name, 'µs per frame': Math.round(r.microseconds * 100) / 100 })), remarks: [`medians, CPU time of one thread; load of the machine ${load()}`] }
}
