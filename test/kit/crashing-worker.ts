/** A thread that dies at the first batch it is given. */
import { type MessagePort, parentPort } from 'node:worker_threads'

parentPort!.on('message', (m: { readonly port: MessagePort }) => {
  m.port.on('message', () => {
    throw new Error('crash on purpose')
  })
})
