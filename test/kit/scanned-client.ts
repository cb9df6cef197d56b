/** Process of a client with a robot in a room, whose memory somebody else is going to read. Orders and reports are lines of JSON. */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { must } from '../../src/base/result.ts'
import { clientConfig } from '../../src/client/config.ts'
import { PcmHandset } from '../../src/client/handset/pcm.ts'
import { startRealClient } from '../../src/cli/compose-client.ts'
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
    onJoined: () => say({ joined: true, pid: process.pid, vault: client.vault.pid(), canary: canary.toString('hex') }),
  },
}))
process.stdin.on('end', () => void client.stop().then(() => process.exit(canary.length === 32 ? 0 : 1))).resume()
