/** The thread at the border: the socket, the frames, and the start of the control thread once it is known who we are. */
import { MessageChannel, Worker } from 'node:worker_threads'
import { createNodeCrypto } from '../../../crypto/node/index.ts'
import type { VaultReport } from '../../api/border.ts'
import type { ProcessOptions } from '../../api/call-shapes.ts'
import type { FromControl } from '../../api/worker-messages.ts'
import type { ControlData } from '../control-thread.ts'
import { FrameEngine } from '../frame-engine.ts'
import { systemClock } from '../system-clock.ts'
import { Border } from './border.ts'
import { type Channel, openSocket, openStandard } from './channel.ts'
import { openEnclave } from './enclave.ts'
import { ownKey, sealFor } from './own-key.ts'
import { dropPermissions } from './harden.ts'

export interface BorderData {
  readonly role: 'border'
  /** The text of the bundle, to start the control thread from. */
  readonly program: string
  readonly report: VaultReport
}

/** For the control thread to wipe what it has; it may be in the middle of a commit. */
const FAREWELL_MS = 500
/** What the host does not read: it is not there any more, or will not be of use again. */
const UNREAD_LIMIT = 64 * 1024 * 1024

export function runBorder(data: BorderData): void {
  const open = data.report.enclave ? openStandard : openSocket
  const thread: BorderThread = new BorderThread(data, open({ data: (octets) => thread.border.push(octets), end: () => thread.end() }))
  thread.border.started(data.report)
}

class BorderThread {
  readonly border: Border
  readonly #data: BorderData
  readonly #engine = new FrameEngine(createNodeCrypto(), systemClock)
  #control: Worker | undefined
  #ending = false

  readonly #enclave = openEnclave()

  constructor(data: BorderData, channel: Channel) {
    this.#data = data
    this.border = new Border({
      open: (options) => this.#open(options),
      seal: (sealing) => sealFor(this.#enclave, sealing),
      control: (m) => this.#control?.postMessage(m),
      frames: (packed) => this.#engine.runPacked(packed),
      send: (octets) => {
        channel.write(octets)
        if (channel.waiting > UNREAD_LIMIT) this.end()
      },
      close: () => this.end(),
    })
  }

  #open({ keyFile, unlock, pkcs8, keyText, ...options }: ProcessOptions): void {
    const key = ownKey({ keyFile, unlock, pkcs8, keyText }, this.#enclave)
    if (!key.ok) return this.border.ready(key.fault)
    const { program, report } = this.#data
    const keys = new MessageChannel()
    keys.port2.on('message', (c: Parameters<FrameEngine['command']>[0]) => this.#engine.command(c))
    const workerData = {
      role: 'control', commands: keys.port1,
      options: { ...options, pkcs8: key.value, keyProtection: report.enclave ? 'enclave' : report.isolated ? 'process' : 'in-process', measurement: report.measurement },
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
