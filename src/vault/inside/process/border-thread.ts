/** The thread at the border: the socket, the frames, and the start of the control thread once it is known who we are. */
import { closeSync, readFileSync } from 'node:fs'
import { Socket } from 'node:net'
import { MessageChannel, Worker } from 'node:worker_threads'
import { type Result, err, ok } from '../../../base/result.ts'
import { createNodeCrypto } from '../../../crypto/node/index.ts'
import { type KeyUnlock, privateKeyOf } from '../../../store/private-key.ts'
import type { VaultReport } from '../../api/border.ts'
import type { ProcessOptions } from '../../api/call-shapes.ts'
import type { FromControl } from '../../api/worker-messages.ts'
import type { ControlData } from '../control-thread.ts'
import { FrameEngine, type FrameCommand } from '../frame-engine.ts'
import { systemClock } from '../system-clock.ts'
import { Border } from './border.ts'
import { dropPermissions } from './harden.ts'

export interface BorderData {
  readonly role: 'border'
  /** The text of the bundle, to start the control thread from. */
  readonly program: string
  readonly report: VaultReport
}

/** What the process is given open: the socket, and the file of the key. */
const SOCKET_FD = 3
const KEY_FD = 4
/** For the control thread to wipe what it has; it may be in the middle of a commit. */
const FAREWELL_MS = 500
/** What the host does not read: it is not there any more, or will not be of use again. */
const UNREAD_LIMIT = 64 * 1024 * 1024

export function runBorder(data: BorderData): void {
  const socket = new Socket({ fd: SOCKET_FD, readable: true, writable: true })
  const thread = new BorderThread(data, socket)
  socket.on('data', (octets: Buffer) => thread.border.push(octets))
  socket.on('error', () => thread.end())
  socket.on('close', () => thread.end())
  thread.border.started(data.report)
}

class BorderThread {
  readonly border: Border
  readonly #data: BorderData
  readonly #engine = new FrameEngine(createNodeCrypto(), systemClock)
  #control: Worker | undefined
  #ending = false

  constructor(data: BorderData, socket: Socket) {
    this.#data = data
    this.border = new Border({
      open: (options) => this.#open(options),
      control: (m) => this.#control?.postMessage(m),
      frames: (packed) => this.#engine.runPacked(packed),
      send: (octets) => {
        if (socket.writable) socket.write(octets)
        if (socket.writableLength > UNREAD_LIMIT) this.end()
      },
      close: () => this.end(),
    })
  }

  #open({ keyFile, unlock, pkcs8: given, ...options }: ProcessOptions): void {
    const key = given !== undefined ? ok(given) : readKey(keyFile ?? '', unlock)
    if (!key.ok) return this.border.ready(key.fault)
    const { program, report } = this.#data
    const keys = new MessageChannel()
    keys.port2.on('message', (c: FrameCommand) => this.#engine.command(c))
    const workerData = {
      role: 'control', commands: keys.port1,
      options: { ...options, pkcs8: key.value, keyProtection: report.isolated ? 'process' : 'in-process', measurement: report.measurement },
    } as const satisfies ControlData & { readonly role: 'control' }
    const control = new Worker(program, { eval: true, name: 'stc-keys', workerData, transferList: [keys.port1], stdout: true, stderr: true })
    dropPermissions(['worker'])
    key.value.fill(0)
    control.on('message', (m: FromControl) => this.border.tell(m))
    // Half a vault is none: the process ends, and the client starts another.
    control.on('error', () => process.exit(1))
    control.on('exit', () => process.exit(this.#ending ? 0 : 1))
    this.#control = control
  }

  /** The host is gone, or wants it: everything is wiped, then the process ends. */
  end(): void {
    if (this.#ending) return
    this.#ending = true
    this.#engine.end()
    if (this.#control === undefined) process.exit(0)
    this.#control.postMessage({ op: 'close' })
    setTimeout(() => process.exit(0), FAREWELL_MS)
  }
}

/** From the file that the host opened and has not read. */
function readKey(name: string, unlock: KeyUnlock | undefined): Result<Uint8Array> {
  try {
    const pem = readFileSync(KEY_FD)
    closeSync(KEY_FD)
    const key = privateKeyOf(pem.toString('latin1'), name, unlock)
    unlock?.secret?.fill(0)
    pem.fill(0)
    return key
  } catch (e) {
    return err('IDENTITY_FILE_UNREADABLE', `${name} (${(e as NodeJS.ErrnoException).code ?? 'unknown reason'})`)
  }
}
