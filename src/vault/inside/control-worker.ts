/** Entry of the thread that holds the keys. MLS work of 20–200 ms happens here and stalls no frame. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { createNodeCrypto } from '../../crypto/node/index.ts'
import type { PipeId } from '../api/calls.ts'
import type { VaultOptions } from '../api/options.ts'
import type { FromControl, ToControl } from '../api/worker-messages.ts'
import type { VaultControl } from './control.ts'
import { openControl } from './open-control.ts'
import { systemClock } from './system-clock.ts'
import type { TlsPipe } from './tls-pipe.ts'

const { options, commands } = workerData as { readonly options: VaultOptions; readonly commands: MessagePort }
const host = parentPort!
const tell = (m: FromControl): void => host.postMessage(m)
const pipes = new Map<PipeId, TlsPipe>()
const opened = openControl(createNodeCrypto(), systemClock, options, (c) => commands.postMessage(c))
options.pkcs8.fill(0)

if (opened.ok) {
  const control = opened.value
  host.on('message', (m: ToControl) => take(control, m))
  tell({ op: 'ready' })
} else {
  tell({ op: 'ready', fault: opened.fault })
}

function take(control: VaultControl, m: ToControl): void {
  switch (m.op) {
    case 'call':
      void control.call(m.name, m.input as never).then((result) => tell({ op: 'answer', id: m.id, result }))
      return
    case 'pipe.open':
      openPipe(control, m)
      return
    case 'pipe.feed':
      pipes.get(m.pipe)?.feed(m.bytes)
      return
    case 'pipe.write':
      pipes.get(m.pipe)?.write(m.bytes)
      return
    case 'pipe.end':
      pipes.get(m.pipe)?.end()
      return
    case 'close':
      control.close()
      commands.close()
      host.close()
  }
}

function openPipe(control: VaultControl, { pipe: id, serverName, protocols }: Extract<ToControl, { op: 'pipe.open' }>): void {
  const pipe = control.pipe(id, { serverName, protocols })
  if (!pipe.ok) {
    tell({ op: 'pipe.secured', pipe: id, result: pipe })
    tell({ op: 'pipe.closed', pipe: id, reason: pipe.fault.message })
    return
  }
  pipes.set(id, pipe.value)
  pipe.value.onCipher((bytes) => tell({ op: 'pipe.cipher', pipe: id, bytes }))
  void pipe.value.secured.then((result) => {
    tell({ op: 'pipe.secured', pipe: id, result })
    // Only now: the host hears first that the connection is secured, then what comes over it.
    if (result.ok) pipe.value.onPlain((bytes) => tell({ op: 'pipe.plain', pipe: id, bytes }))
  })
  pipe.value.onClose((reason) => {
    pipes.delete(id)
    // After the reason why it was not secured, when that was it.
    void pipe.value.secured.then(() => tell({ op: 'pipe.closed', pipe: id, reason }))
  })
}
