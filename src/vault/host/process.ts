/**
 * Starts a vault in a process of its own and talks to it over one socket pair. The file of the key is opened here and read there:
 * its octets are never in this process.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import path from 'node:path'
import type { Writable } from 'node:stream'
import { deserialize } from 'node:v8'
import { type Fault, type Result, err, ok } from '../../base/result.ts'
import { encodeCbor } from '../../protocol/wire/cbor.ts'
import { withoutCertificates } from '../../protocol/x509/pem.ts'
import { CLIENT_LIMITS, FROM_VAULT, frame, numbered, PIPE_CHUNK, TO_VAULT, Unframer, type VaultReport } from '../api/border.ts'
import { CALL_NAMES, type ProcessOptions, type Sealing } from '../api/call-shapes.ts'
import type { FromControl, ToControl } from '../api/worker-messages.ts'
import type { Bundle } from './bundle.ts'
import { HostedVault, type LinkEvents, type VaultLink } from './hosted.ts'

/** With `keyFile` the key is in that file, PEM; without, in `pkcs8`. */
export interface ProcessStart extends ProcessOptions {
  readonly bundle: Bundle
  /** How to start it in an enclave; its folder has the same bundle. */
  readonly enclave?: EnclaveStart
}

export interface EnclaveStart {
  /** `gramine-sgx`. */
  readonly loader: string
  /** Where bin/build-enclave.mjs put everything. */
  readonly folder: string
}

export interface ProcessVault {
  readonly vault: HostedVault
  readonly report: VaultReport
  readonly pid: number
}

const SOCKET_FD = 3
const END_MS = 2000

export async function startVaultProcess(start: ProcessStart): Promise<Result<ProcessVault>> {
  const { bundle, enclave, ...options } = start
  const opened = openKey(options.keyFile)
  if (!opened.ok) return opened
  // No descriptor goes into an enclave: the file's text does, sealed for it as it should be.
  const keyText = enclave === undefined || opened.value === undefined ? {} : { keyText: withoutCertificates(new Uint8Array(readFileSync(opened.value))) }
  let link: ProcessLink | undefined
  const vault = new HostedVault((events) => (link = new ProcessLink(enclave === undefined ? spawnVault(bundle.file, opened.value) : spawnEnclave(enclave), events)), 'VAULT_STOPPED')
  if (opened.value !== undefined) closeSync(opened.value)
  const report = await link!.started
  const refuse = async (fault: Fault): Promise<{ ok: false; fault: Fault }> => {
    await vault.close()
    return { ok: false, fault }
  }
  if (report === undefined) return refuse(err('VAULT_START', link!.lastWords()).fault)
  // Something else than the file that was measured.
  if (report.measurement !== bundle.hash) return refuse(err('VAULT_START', `it runs ${report.measurement.slice(0, 16)}… instead of ${bundle.hash.slice(0, 16)}…`).fault)
  if (enclave !== undefined && !report.enclave) return refuse(err('VAULT_START', 'it says that it runs in no enclave').fault)
  link!.open({ ...options, ...keyText })
  const fault = await vault.ready
  return fault === undefined ? ok({ vault, report, pid: link!.pid }) : refuse(fault)
}

/** Starts one without a key, to see what it can have, and ends it. */
export async function probeVault(bundle: Bundle, enclave?: EnclaveStart): Promise<Result<VaultReport>> {
  let link: ProcessLink | undefined
  const vault = new HostedVault((events) => (link = new ProcessLink(enclave === undefined ? spawnVault(bundle.file, undefined) : spawnEnclave(enclave), events)), 'VAULT_STOPPED')
  const report = await link!.started
  const words = link!.lastWords()
  await vault.close()
  return report === undefined ? err('VAULT_START', words) : ok(report)
}

/** Starts an enclave, has it seal a key's file for itself, and ends it. */
export async function sealInEnclave(enclave: EnclaveStart, sealing: Sealing): Promise<Result<string>> {
  let link: ProcessLink | undefined
  const vault = new HostedVault((events) => (link = new ProcessLink(spawnEnclave(enclave), events)), 'VAULT_STOPPED')
  const report = await link!.started
  const sealed = report === undefined ? err('VAULT_START', link!.lastWords()) : await link!.seal(sealing)
  await vault.close()
  return sealed
}

function openKey(file: string | undefined): Result<number | undefined> {
  if (file === undefined) return ok(undefined)
  try {
    return ok(openSync(file, 'r'))
  } catch (e) {
    const { code } = e as NodeJS.ErrnoException
    return code === 'ENOENT' ? err('IDENTITY_FILE_MISSING', file) : err('IDENTITY_FILE_UNREADABLE', `${file} (${code ?? 'unknown reason'})`)
  }
}

/** What it needs to lock itself in is allowed until it has done so; nothing else ever. */
const flags = (bundle: string): string[] => [
  '--permission', `--allow-fs-read=${bundle}`, '--allow-worker', '--allow-ffi', '--disable-sigusr1', '--disable-warning=ExperimentalWarning', '--disable-warning=SecurityWarning',
]
/** Windows starts nothing without it. */
const environment = (): NodeJS.ProcessEnv => (process.platform === 'win32' ? { SystemRoot: process.env['SystemRoot'] } : {}) as NodeJS.ProcessEnv

/** The bare process: a socket at descriptor 3, the open file of the key at 4, its complaints at 2. */
export const spawnVault = (bundle: string, key: number | undefined): ChildProcess =>
  spawn(process.execPath, [...flags(bundle), bundle], { cwd: '/', env: environment(), stdio: ['ignore', 'ignore', 'pipe', 'pipe', key ?? 'ignore'], windowsHide: true })

/** Arguments and environment are in the manifest that was measured; the way in and out is standard input and output. */
const spawnEnclave = ({ loader, folder }: EnclaveStart): ChildProcess =>
  spawn(loader, [path.join(folder, ENCLAVE_NAME)], { cwd: folder, env: { PATH: process.env['PATH'] ?? '' } as NodeJS.ProcessEnv, stdio: ['pipe', 'pipe', 'pipe'] })
/** Of manifest and signature. */
export const ENCLAVE_NAME = 'stc-vault'

class ProcessLink implements VaultLink {
  /** Undefined when it never came to say it. */
  readonly started: Promise<VaultReport | undefined>
  readonly #child: ChildProcess
  readonly #output: Writable
  readonly #events: LinkEvents
  readonly #gone: Promise<void>
  #isStarted: (report: VaultReport | undefined) => void = () => {}
  /** On its standard error, until it stands; afterwards nothing is kept. */
  #words = ''

  #isSealed: (sealed: Result<string>) => void = () => {}

  constructor(child: ChildProcess, events: LinkEvents) {
    this.#events = events
    this.started = new Promise((resolve) => { this.#isStarted = resolve })
    this.#child = child
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#words = (this.#words + text).slice(-2000)
    })
    this.#gone = new Promise((resolve) => {
      const gone = (reason: string): void => {
        events.dead(reason)
        this.#isSealed(err('VAULT_STOPPED', reason))
        resolve()
      }
      // Its last words may come after its end.
      this.#child.once('close', () => this.#isStarted(undefined))
      this.#child.once('error', (e) => {
        this.#isStarted(undefined)
        gone(e.message)
      })
      this.#child.once('exit', (code, signal) => gone(`its process ended with ${signal ?? code}`))
    })
    const socket = this.#child.stdio[SOCKET_FD] as Socket | null | undefined
    const input = socket ?? this.#child.stdout!
    this.#output = socket ?? this.#child.stdin!
    const unframer = new Unframer(CLIENT_LIMITS, (kind, body) => this.#take(kind, body))
    input.on('data', (octets: Buffer) => unframer.push(octets))
    this.#output.on('error', () => {})
    input.on('error', () => {})
    input.on('close', () => events.dead('its process closed the connection'))
  }

  get pid(): number {
    return this.#child.pid ?? -1
  }
  lastWords(): string {
    const lines = this.#words.split('\n').map((l) => l.trim()).filter((l) => l !== '')
    return lines.find((l) => /error/i.test(l)) ?? lines.at(-1) ?? 'it ended without a word'
  }
  open(options: ProcessOptions): void {
    this.#write(frame(TO_VAULT.open, encodeCbor(options)))
  }
  seal(sealing: Sealing): Promise<Result<string>> {
    this.#write(frame(TO_VAULT.seal, encodeCbor(sealing)))
    return new Promise((resolve) => { this.#isSealed = resolve })
  }
  send(m: ToControl): void {
    switch (m.op) {
      case 'call':
        return this.#write(numbered(TO_VAULT.call, m.id, Uint8Array.of(CALL_NAMES.indexOf(m.name)), encodeCbor(m.input)))
      case 'pipe.open':
        return this.#write(numbered(TO_VAULT.pipeOpen, m.pipe, encodeCbor({ serverName: m.serverName, protocols: m.protocols })))
      case 'pipe.feed':
        return this.#inChunks(TO_VAULT.pipeFeed, m.pipe, m.bytes)
      case 'pipe.write':
        return this.#inChunks(TO_VAULT.pipeWrite, m.pipe, m.bytes)
      case 'pipe.end':
        return this.#write(numbered(TO_VAULT.pipeEnd, m.pipe))
      case 'close':
        return this.#write(frame(TO_VAULT.close))
    }
  }
  frames(id: number, packed: Uint8Array): void {
    this.#write(numbered(TO_VAULT.frames, id, packed))
  }
  async end(): Promise<void> {
    this.send({ op: 'close' })
    this.#output.end()
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), END_MS)
    await this.#gone
    clearTimeout(timer)
    this.#output.destroy()
  }

  #inChunks(kind: number, pipe: number, bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += PIPE_CHUNK) this.#write(numbered(kind, pipe, bytes.subarray(at, at + PIPE_CHUNK)))
  }
  #write(octets: Uint8Array): void {
    if (this.#output.writable) this.#output.write(octets)
  }

  #take(kind: number, body: Uint8Array): void {
    if (kind === FROM_VAULT.started) return this.#isStarted(deserialize(body) as VaultReport)
    if (kind === FROM_VAULT.ready) {
      this.#words = ''
      return this.#events.control({ op: 'ready', fault: deserialize(body) as Fault } as FromControl)
    }
    if (kind === FROM_VAULT.sealed) return this.#isSealed(deserialize(body) as Result<string>)
    const id = new DataView(body.buffer, body.byteOffset).getUint32(0)
    const rest = body.slice(4)
    switch (kind) {
      case FROM_VAULT.answer:
        return this.#events.control({ op: 'answer', id, result: deserialize(rest) as Result<unknown> })
      case FROM_VAULT.frames:
        return this.#events.frames(id, rest)
      case FROM_VAULT.pipeSecured:
        return this.#events.control({ op: 'pipe.secured', pipe: id, result: deserialize(rest) } as FromControl)
      case FROM_VAULT.pipeCipher:
        return this.#events.control({ op: 'pipe.cipher', pipe: id, bytes: rest })
      case FROM_VAULT.pipePlain:
        return this.#events.control({ op: 'pipe.plain', pipe: id, bytes: rest })
      default:
        return this.#events.control({ op: 'pipe.closed', pipe: id, reason: new TextDecoder().decode(rest) })
    }
  }
}
