/** What a call of two through a SIP provider costs one client: a real Asterisk between, softphones at both ends, the same call plain and sealed by turns. */
import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { fetchAsterisk } from '../test/interop/fetch-asterisk.ts'
import { endpoint, startAsterisk } from '../test/kit/asterisk.ts'
import { babble } from '../test/kit/audio.ts'
import { behindProvider } from '../test/kit/behind-provider.ts'
import { writeWav } from '../test/kit/wav.ts'
import { pause, quantile, round } from './_args.ts'
import { childrenOf, cpuMs, Gauge, memoryMiB, threadMs } from './_cpu.ts'

export type Row = Record<string, string | number>
export interface CallOptions {
  readonly seconds: number
  readonly warmUp: number
  /** How often each kind of call is made. */
  readonly rounds: number
}
const PATIENCE_MS = 60_000
const RATE = 16_000
const KINDS = { plain: { policy: 'off', says: undefined }, sealed: { policy: 'prefer', says: /Only you and the other side can hear this/g } } as const
type Kind = keyof typeof KINDS

export async function measureCalls({ seconds, warmUp, rounds }: CallOptions): Promise<Row[]> {
  const missing = fetchAsterisk() ?? (spawnSync('baresip', ['-h']).error === undefined ? undefined : 'baresip is not installed')
  if (missing !== undefined) throw new Error(missing)
  const after: (() => unknown)[] = []
  const names = Object.keys(KINDS).flatMap((kind) => [`${kind}-a`, `${kind}-b`])
  const asterisk = await startAsterisk({
    config: () => ({ 'pjsip.conf': names.map((n) => endpoint(n, { codecs: 'g722' })).join('\n'), 'extensions.conf': `[phones]\nexten => _[a-z].,1,Dial(PJSIP/\${EXTEN},30)\n`, 'logger.conf': '[logfiles]\n' }),
  })
  try {
    const w = behindProvider({ after: (done: () => unknown) => void after.unshift(done) }, asterisk)
    const microphone = path.join(w.folder, 'speech.wav')
    writeWav(microphone, { rate: RATE, samples: babble(RATE * (warmUp + seconds + 60), 7) })
    const pair = async (kind: Kind) => {
      const [a, b] = await Promise.all([`${kind}-a`, `${kind}-b`].map(async (name) => {
        const client = await w.client(name, { sealedCalls: { policy: KINDS[kind].policy } })
        return { name, client, phone: await w.phone(name, 0, client.sip, { codecs: ['g722'], microphone }) }
      }))
      return { kind, a: a!, b: b!, shares: [] as Record<string, number>[] }
    }
    const pairs = [await pair('plain'), await pair('sealed')]
    for (let r = 0; r < rounds; r++) for (const p of pairs) p.shares.push(await inCall(p, seconds, warmUp))
    return pairs.map(({ kind, shares, a }) => ({
      call: kind, rounds, ...Object.fromEntries(Object.keys(shares[0]!).map((k) => [k, round(quantile(shares.map((s) => s[k] ?? 0), 0.5), 2)])), MiB: Math.round(withVault(a.client.process.pid, memoryMiB)),
    }))
  } finally {
    for (const done of after) await done()
    await asterisk.stop()
  }
}

const withVault = (pid: number, of: (pid: number) => number): number => [pid, ...childrenOf(pid)].reduce((sum, p) => sum + of(p), 0)

type End = { readonly name: string } & { readonly [K in 'client' | 'phone']: Awaited<ReturnType<ReturnType<typeof behindProvider>[K]>> }
/** Of the caller's client, in per cent of a core. */
async function inCall({ kind, a, b }: { readonly kind: Kind; readonly a: End; readonly b: End }, seconds: number, warmUp: number): Promise<Record<string, number>> {
  const { says } = KINDS[kind]
  const before = says === undefined ? 0 : [...a.client.process.output().matchAll(says)].length
  for (const { phone } of [a, b]) phone.events.skip()
  a.phone.dial(`sip:${b.name}@${a.client.sip.address}:${a.client.sip.port}`)
  await a.phone.events.next('established', PATIENCE_MS)
  const deadline = performance.now() + PATIENCE_MS
  while (says !== undefined && [...a.client.process.output().matchAll(says)].length <= before) {
    if (performance.now() > deadline) throw new Error(`not sealed: ${a.client.process.tail()}`)
    await pause(100)
  }
  await pause(warmUp * 1000)
  const { pid } = a.client.process
  const gauge = new Gauge()
  const from = { at: performance.now(), all: withVault(pid, cpuMs), own: cpuMs(pid), threads: threadMs(pid) }
  for (let s = 0; s < seconds; s++) {
    gauge.sample()
    await pause(1000)
  }
  const share = (ms: number): number => (100 * ms) / (performance.now() - from.at)
  const all = withVault(pid, cpuMs) - from.all
  const threads = [...threadMs(pid)].map(([name, ms]) => [name, share(ms - (from.threads.get(name) ?? 0))] as const).filter(([, s]) => s > 0.01)
  const found = { 'CPU %': share(all), 'of it vault': share(all - (cpuMs(pid) - from.own)), ...Object.fromEntries(threads), 'gauge µs': gauge.median }
  b.phone.hangup()
  await a.phone.events.next('closed', PATIENCE_MS)
  return found
}
