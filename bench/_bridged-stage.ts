/** What the bench "bridged" measures: a real Asterisk, the server coupled to it, clients as processes of their own. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { asteriskBlocks } from '../src/server/pbx/asterisk-config.ts'
import { fetchAsterisk } from '../test/interop/fetch-asterisk.ts'
import { type Asterisk, startAsterisk } from '../test/kit/asterisk.ts'
import { freePorts } from '../test/kit/free-ports.ts'
import { until } from '../test/kit/processes.ts'
import { type Papers, startClient, startServer, type StcClient, type StcServer, TestAuthority } from '../test/kit/stc.ts'
import { cpuMs, memoryMiB } from './_cpu.ts'
import { SyntheticPhone } from './_sip-phone.ts'

/** No password: a bench is not about digests. */
const ENDPOINT = '[bench]\ntype=endpoint\ncontext=phones\ndisallow=all\nallow=g722\naors=bench\ndirect_media=no\nrtp_symmetric=yes\n[bench]\ntype=aor\nmax_contacts=1\n'
const SECRET = 'only for benches'
// What is stopped halfway leaves no process behind: theirs are killed at our exit.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))

export type Plane = 'native' | 'portable'

export class BridgedStage {
  readonly asterisk: Asterisk
  readonly server: StcServer
  readonly #folder: string
  readonly #authority: TestAuthority
  readonly #clients: StcClient[] = []

  private constructor(asterisk: Asterisk, server: StcServer, folder: string, authority: TestAuthority) {
    this.asterisk = asterisk
    this.server = server
    this.#folder = folder
    this.#authority = authority
  }
  static async set(plane: Plane, calls: number): Promise<BridgedStage> {
    const missing = fetchAsterisk()
    if (missing !== undefined) throw new Error(missing)
    const folder = mkdtempSync(path.join(tmpdir(), 'stc-bench-'))
    const agi = await freePorts(2)
    const blocks = asteriskBlocks({ ami: { user: 'stc', secret: SECRET, permit: ['127.0.0.1/32'] }, agi: { address: '127.0.0.1', port: agi }, conferences: ['_7XX'], phones: [] })
    const asterisk = await startAsterisk({
      rtpCount: 4 * calls + 60,
      config: () => ({
        'manager.conf': blocks.manager, 'confbridge.conf': blocks.confbridge, 'pjsip.conf': ENDPOINT, 'logger.conf': '[logfiles]\n',
        'extensions.conf': `${blocks.extensions}\n[phones]\ninclude => stc-conferences\nexten => 600,1,Answer()\n same => n,Echo()\n`,
      }),
    })
    const authority = new TestAuthority(folder, 'realm')
    const secretFile = path.join(folder, 'ami.secret')
    writeFileSync(secretFile, `${SECRET}\n`, { mode: 0o600 })
    const server = await startServer(folder, authority.server(), {
      media: { plane }, sip: { host: asterisk.address, port: asterisk.sip, listen: { address: '127.0.0.1', port: await freePorts(2) } },
      pbx: { ami: { port: asterisk.ami, secretFile }, agi: { port: agi } },
    })
    await until(20_000, 'sight of Asterisk', () => /sees the conferences/.test(server.process.output()) || undefined, server.process.tail)
    return new BridgedStage(asterisk, server, folder, authority)
  }
  papers(name: string): Papers {
    return this.#authority.member(name)
  }
  async client(name: string, config: Readonly<Record<string, unknown>> = {}): Promise<StcClient> {
    const client = await startClient(this.#folder, name, this.server.port, this.papers(name), { config: { upstream: 'server', page: false, spokenLabel: false, ...config } })
    this.#clients.push(client)
    await client.shows(/connected to/, 60_000)
    return client
  }
  /** A call that stands; sound goes both ways. */
  call(at: { readonly address: string; readonly port: number }, number: string): Promise<SyntheticPhone> {
    return SyntheticPhone.call(at, number, { speak: (out, n) => out.fill(n & 1 ? 500 : -500) })
  }
  async stop(): Promise<void> {
    await Promise.all(this.#clients.map((c) => c.stop()))
    await this.server.stop()
    await this.asterisk.stop()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** A process and those that it started. */
function tree(pid: number): number[] {
  const parents = new Map<number, number>()
  for (const name of readdirSync('/proc')) {
    if (!/^[0-9]+$/.test(name)) continue
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1')
      parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]))
    } catch {
      // It ended in between.
    }
  }
  const all = [pid]
  for (const p of all) for (const [child, parent] of parents) if (parent === p) all.push(child)
  return all
}
const sum = (pid: number, of: (pid: number) => number): number => tree(pid).reduce((n, p) => n + of(p), 0)
/** With the vaults of a client. */
export const treeCpuMs = (pid: number): number => sum(pid, cpuMs)
export const treeMiB = (pid: number): number => Math.round(sum(pid, memoryMiB))

/** When Asterisk says what happens in its conferences, by the clock of this process. */
export function watchConferences(asterisk: Asterisk, told: (event: string, at: number) => void): () => void {
  const socket = connect(asterisk.ami, asterisk.address)
  socket.write(`Action: Login\r\nUsername: stc\r\nSecret: ${SECRET}\r\n\r\n`)
  socket.setEncoding('utf8')
  socket.on('error', () => {})
  socket.on('data', (text: string) => {
    for (const [, event = ''] of text.matchAll(/^Event: (Confbridge(?:Join|Leave))\r$/gm)) told(event, performance.now())
  })
  return () => socket.destroy()
}
