/** Process of a client with a robot in a room and both ends of a sealed call in its vault, whose memory somebody else is going to read. Orders and reports are lines of JSON. */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { must } from '../../src/base/result.ts'
import { clientConfig } from '../../src/client/config.ts'
import { PcmHandset } from '../../src/client/handset/pcm.ts'
import { startRealClient } from '../../src/cli/compose-client.ts'
import type { CallProgress, SessionId, Vault } from '../../src/vault/api/calls.ts'
import { tone } from './room-tones.ts'

const { configFile, bundle } = JSON.parse(process.argv[2]!) as { configFile: string; bundle: { file: string; hash: string } }
const say = (report: object): void => void process.stdout.write(`${JSON.stringify(report)}\n`)
const robot = new PcmHandset('Ann', { kind: 'pcm', speech: tone(500), record: false })
/** Kept for as long as the process lives; it must be found. */
const canary = randomBytes(32)
const text = readFileSync(configFile, 'utf8')
const client = must(await startRealClient(clientConfig.parse(JSON.parse(text)), configFile, {
  handsets: [robot], vaultBundle: bundle,
  observer: {
    onServer: (up) => {
      if (up) robot.dial('8100')
    },
    onJoined: () => void sealedCall((client.vault as unknown as { readonly vault: Vault }).vault).then(() => say({ joined: true, pid: process.pid, vault: client.vault.pid(), canary: canary.toString('hex') })),
  },
}))
process.stdin.on('end', () => void client.stop().then(() => process.exit(canary.length === 32 ? 0 : 1))).resume()

/** Both ends agree over this process, which carries their messages as any carrier would. */
async function sealedCall(vault: Vault): Promise<void> {
  const begin = async (anonymous: boolean): Promise<SessionId> => must(await vault.call('call.begin', { codec: 'g722', carriers: ['message'], anonymous })).session
  const ends = [await begin(false), await begin(true)] as const
  const confirmed = new Set<SessionId>()
  const carry = async (from: 0 | 1, progress: CallProgress): Promise<void> => {
    if (progress.failed !== undefined) throw new Error(JSON.stringify(progress))
    if (progress.confirmed !== undefined) confirmed.add(ends[from])
    const to = from === 0 ? 1 : 0
    for (const message of progress.send) await carry(to, must(await vault.call('call.step', { session: ends[to], input: 'message', message, carrier: 'message' })))
  }
  const started = [must(await vault.call('call.step', { session: ends[0], input: 'start', carrier: 'message' })), must(await vault.call('call.step', { session: ends[1], input: 'start', carrier: 'message' }))]
  for (const i of [0, 1] as const) await carry(i, started[i]!)
  // What was said before the other side listened is said again.
  while (confirmed.size < 2) {
    await setTimeout(100)
    for (const i of [0, 1] as const) await carry(i, must(await vault.call('call.step', { session: ends[i], input: 'tick' })))
  }
}
