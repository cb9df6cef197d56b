/** Runs one scenario of SIPp 3.6 (Debian: sip-tester): its XML decides what is right, its exit code says so. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePorts } from '../free-ports.ts'
import { PATIENCE, run, within } from '../processes.ts'

export interface SippOptions {
  readonly remote: { readonly address: string; readonly port: number }
  /** Our side; loopback when left out. */
  readonly local?: string
  /** User part called, `[service]` in the scenario. */
  readonly service?: string
  readonly user?: string
  readonly password?: string
  /** More `[keyword]`s for the scenario. */
  readonly keys?: Readonly<Record<string, string>>
  /** In place of `[file]` in the scenario: raw sound for its `rtp_stream`. */
  readonly file?: string
  /** How often, and how many at once; once when left out. */
  readonly calls?: number
  readonly perSecond?: number
  readonly transport?: 'udp' | 'tcp'
  readonly timeoutMs?: number
}

export interface SippResult {
  readonly passed: boolean
  /** 0: all as in the scenario; 1: a call was not; 97: stopped; 255: the scenario itself is wrong. */
  readonly code: number | string
  /** What SIPp complained of, with the message that it did not expect. */
  readonly errors: string
  /** Every SIP message of the run. */
  readonly messages: string
}

/** `scenario`: the name of a file in test/interop/sipp, without `.xml`. */
export async function runSipp(scenario: string, o: SippOptions): Promise<SippResult> {
  const written = fileURLToPath(new URL(`../../interop/sipp/${scenario}.xml`, import.meta.url))
  const folder = mkdtempSync(path.join(tmpdir(), `stc-sipp-${scenario}-`))
  // SIPp puts no keywords into the names of files.
  const file = o.file === undefined ? written : path.join(folder, 'scenario.xml')
  if (o.file !== undefined) writeFileSync(file, readFileSync(written, 'utf8').replaceAll('[file]', o.file))
  const address = o.local ?? '127.0.0.1'
  const port = await freePorts(2)
  const media = await freePorts(4)
  const limitMs = PATIENCE * (o.timeoutMs ?? 15_000)
  const sipp = run(
    'sipp',
    [
      '-sf', file, '-i', address, '-p', `${port}`, '-mi', address, '-mp', `${media}`,
      // One that talks answers in the middle of a call as phones do (OPTIONS).
      ...(o.file === undefined ? ['-rtp_echo'] : ['-aa']),
      '-s', o.service ?? 'service', '-m', `${o.calls ?? 1}`, '-r', `${o.perSecond ?? 1}`,
      // A reply that SIPp did not wait for is a failed call, as is a call that hangs.
      '-timeout', `${Math.ceil(limitMs / 1000)}s`, '-timeout_error', '-recv_timeout', `${limitMs - 1000}`,
      '-t', o.transport === 'tcp' ? 't1' : 'u1', '-nostdin', '-skip_rlimit',
      '-trace_err', '-error_file', 'errors.log', '-trace_msg', '-message_file', 'messages.log',
      '-au', o.user ?? 'sipp', '-ap', o.password ?? 'secret',
      '-key', 'user', o.user ?? 'sipp',
      ...Object.entries(o.keys ?? {}).flatMap(([k, v]) => ['-key', k, v]),
      `${o.remote.address}:${o.remote.port}`,
    ],
    { cwd: folder, env: { ...process.env, TERM: 'dumb' } },
  )
  const read = (name: string): string => (existsSync(path.join(folder, name)) ? readFileSync(path.join(folder, name), 'utf8') : '')
  try {
    const code = await within(limitMs / PATIENCE + 5000, `end of sipp ${scenario}`, sipp.exit, sipp.tail)
    const errors = read('errors.log')
    return { passed: code === 0, code, errors: code === 0 || errors !== '' ? errors : sipp.tail(), messages: read('messages.log') }
  } finally {
    await sipp.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** How many calls had a 200: an answer may come twice, where its request did. */
export const callsAnswered = (messages: string): number => new Set([...messages.matchAll(/^SIP\/2\.0 200 OK[\s\S]*?^Call-ID: *(\S+)/gim)].map((m) => m[1])).size

/** Fails with SIPp's own words. */
export async function mustPass(scenario: string, o: SippOptions): Promise<SippResult> {
  const result = await runSipp(scenario, o)
  if (!result.passed) throw new Error(`sipp ${scenario} failed with ${result.code}:\n${result.errors.slice(0, 3000)}\n${result.messages.slice(-6000)}`)
  return result
}
