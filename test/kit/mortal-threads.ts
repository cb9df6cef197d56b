/** Before anything else of the program: its media threads end when it gets SIGHUP, as if they had crashed. */
import { syncBuiltinESMExports } from 'node:module'
import workers from 'node:worker_threads'

const planes: workers.Worker[] = []
workers.Worker = class extends workers.Worker {
  constructor(...args: ConstructorParameters<typeof workers.Worker>) {
    super(...args)
    if (String(args[0]).includes('plane-worker')) planes.push(this)
  }
}
syncBuiltinESMExports()
process.on('SIGHUP', () => void planes[0]?.terminate())
