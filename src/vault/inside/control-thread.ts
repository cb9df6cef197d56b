/** The thread that holds the keys. MLS work of 20–200 ms happens here and stalls no frame. */
import type { MessagePort } from 'node:worker_threads'
import { createNodeCrypto } from '../../crypto/node/index.ts'
import type { PipeId } from '../api/calls.ts'
import type { VaultOptions } from '../api/options.ts'
import type { FromControl, ToControl } from '../api/worker-messages.ts'
import type { VaultControl } from './control.ts'
import type { EnclaveWorld } from './identity-keeper.ts'
import { openControl } from './open-control.ts'
import { systemClock } from './system-clock.ts'
import type { TlsPipe } from './tls-pipe.ts'

export interface ControlData {
  readonly options: VaultOptions
  /** Where the media keys go: to whoever seals and opens frames. */
  readonly commands: MessagePort
}

/** Serves `host` until it says `close`; then everything is wiped, and the thread has nothing left to do. */
export function runControl(host: MessagePort, { options, commands }: ControlData, enclave?: EnclaveWorld): void {
  const opened = openControl(createNodeCrypto(), systemClock, options, (c) => commands.postMessage(c), enclave)
  options.pkcs8.fill(0)
  const tell = (m: FromControl): void => host.postMessage(m)
  if (!opened.ok) return tell({ op: 'ready', fault: opened.fault })
  const thread = new ControlThread(opened.value, tell)
  host.on('message', (m: ToControl) => {
    thread.take(m)
    if (m.op !== 'close') return
    commands.close()
    host.close()
  })
  tell({ op: 'ready' })
}

class ControlThread {
  readonly #control: VaultControl
  readonly #tell: (m: FromControl) => void
  readonly #pipes = new Map<PipeId, TlsPipe>()

  constructor(control: VaultControl, tell: (m: FromControl) => void) {
    this.#control = control
    this.#tell = tell
  }

  take(m: ToControl): void {
    switch (m.op) {
      case 'call':
        void this.#control.call(m.name, m.input as never).then((result) => this.#tell({ op: 'answer', id: m.id, result }))
        return
      case 'pipe.open':
        return this.#open(m)
      case 'pipe.feed':
        return this.#pipes.get(m.pipe)?.feed(m.bytes)
      case 'pipe.write':
        return this.#pipes.get(m.pipe)?.write(m.bytes)
      case 'pipe.end':
        return this.#pipes.get(m.pipe)?.end()
      case 'close':
        this.#control.close()
    }
  }

  #open({ pipe: id, serverName, protocols }: Extract<ToControl, { op: 'pipe.open' }>): void {
    // A number that lives is not another's too.
    if (this.#pipes.has(id)) return
    const tell = this.#tell
    const pipe = this.#control.pipe(id, { serverName, protocols })
    if (!pipe.ok) {
      tell({ op: 'pipe.secured', pipe: id, result: pipe })
      tell({ op: 'pipe.closed', pipe: id, reason: pipe.fault.message })
      return
    }
    this.#pipes.set(id, pipe.value)
    pipe.value.onCipher((bytes) => tell({ op: 'pipe.cipher', pipe: id, bytes }))
    void pipe.value.secured.then((result) => {
      tell({ op: 'pipe.secured', pipe: id, result })
      // Only now: the host hears first that the connection is secured, then what comes over it.
      if (result.ok) pipe.value.onPlain((bytes) => tell({ op: 'pipe.plain', pipe: id, bytes }))
    })
    pipe.value.onClose((reason) => {
      this.#pipes.delete(id)
      // After the reason why it was not secured, when that was it.
      void pipe.value.secured.then(() => tell({ op: 'pipe.closed', pipe: id, reason }))
    })
  }
}
