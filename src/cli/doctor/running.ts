/** The rest is known by a client alone: does the server take our certificate, does media get through, is the clock right. */
import { setTimeout as wait } from 'node:timers/promises'
import { type ClientConfig, clientConfig } from '../../client/config.ts'
import { ClientWatch, type WatchedClient } from '../../client/watch.ts'
import { realScheduler } from '../../net/scheduler.ts'
import type { ClientStatus } from '../attended.ts'
import { startRealClient } from '../compose-client.ts'
import { askRunning } from '../control.ts'
import { type Finding, good, ofFault, risky, unknown, wrong } from './findings.ts'

const CONNECT_MS = 12_000
const MEDIA_MS = 6000
const LOOK_MS = 50
const CLOCK_OFF_S = 30
const CLOCK_WRONG_S = 120

/** What the client says that runs with this configuration. */
export async function runningNow(file: string): Promise<ClientStatus | undefined> {
  const asked = await askRunning(file, 'status')
  return asked.ok ? (asked.value as ClientStatus) : undefined
}

/** That of the client that runs already, or of one that is started for a moment. */
export async function lookAtClient(config: ClientConfig, file: string): Promise<{ readonly findings: Finding[]; readonly running?: ClientStatus }> {
  const running = await runningNow(file)
  if (running !== undefined) {
    return { running, findings: [good(`a client runs with this configuration (process ${running.pid})`), ...running.lines.flatMap((l) => ofWatched(l, config))] }
  }
  const watch = new ClientWatch(realScheduler(false), config.server?.host ?? '')
  // No phone, no page, nothing towards the PBX: a guest for a moment.
  const started = await startRealClient(clientConfig.parse({ ...config, phones: [], lines: [], page: false, upstream: 'none' }), file, { observer: watch.observer })
  if (!started.ok) return { findings: [ofFault(started.fault)] }
  await until(CONNECT_MS, () => watch.snapshot.server.up || watch.snapshot.server.fault !== undefined)
  if (watch.snapshot.server.up) await until(MEDIA_MS, () => watch.snapshot.server.path === (config.server?.mediaOverTls === 'only' ? 'tls' : 'udp'))
  const seen = watch.snapshot
  await started.value.stop()
  return { findings: [...started.value.warnings.map((w) => risky(w, 'see docs/operations.md, the key on the disk')), ...ofWatched(seen, config)] }
}

async function until(limitMs: number, done: () => boolean): Promise<void> {
  const end = performance.now() + limitMs
  while (!done() && performance.now() < end) await wait(LOOK_MS)
}

function ofWatched({ server }: Pick<WatchedClient, 'server'>, config: ClientConfig): Finding[] {
  if (!server.up) return [server.fault === undefined ? wrong('the server does not answer', 'ask who runs the server whether it runs') : ofFault(server.fault)]
  return [good('the server lets us in with our certificate'), ofClock(server.clockAheadS), ofMedia(server), ofPbx(server.pbx, config)]
}

function ofClock(ahead: number | undefined): Finding {
  if (ahead === undefined) return unknown('the server did not say what time it is')
  const off = Math.abs(ahead)
  const text = `the clock of this machine is ${off} s ${ahead > 0 ? 'behind' : 'ahead of'} the server's`
  if (off > CLOCK_WRONG_S) return wrong(text, 'set it right (automatic time): certificates and calls depend on it')
  return off > CLOCK_OFF_S ? risky(text, 'switch automatic time on') : good(`the clock is right (${off} s from the server's)`)
}

function ofMedia({ path, roundTripMs }: WatchedClient['server']): Finding {
  const time = roundTripMs === undefined ? '' : `, ${roundTripMs.toFixed(0)} ms there and back`
  if (path === 'udp') return good(`voice gets through directly (UDP${time})`)
  if (path === 'tls') return risky(`UDP does not get through: voice takes the detour over TLS${time}`, 'it works, but may come late on a bad network: ask who runs the network to let UDP out to the server\'s port')
  return wrong('no way for voice was found, neither UDP nor TLS', 'check the firewall; server.mediaOverTls should be "auto"')
}

function ofPbx(pbx: boolean | undefined, config: ClientConfig): Finding {
  if (config.upstream !== 'server') return good(pbx === true ? 'the server has a telephone system; this client does not use it' : 'no telephone system is used')
  return pbx === true ? good('the server has a telephone system behind it') : wrong('phones should reach a telephone system (upstream: server), but the server has none', 'ask who runs the server to configure "sip", or set upstream: none')
}
