/** A TCP relay that a test can cut, or make swallow everything. */
import { connect, createServer, type Server, type Socket } from 'node:net'

export class TcpSwitch {
  readonly port: number
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #mode: 'pass' | 'cut' | 'swallow' = 'pass'

  private constructor(server: Server, port: number, to: number) {
    this.#server = server
    this.port = port
    server.on('connection', (near) => {
      if (this.#mode === 'cut') return near.destroy()
      const far = connect(to, '127.0.0.1')
      for (const [from, into] of [[near, far], [far, near]] as const) {
        this.#sockets.add(from)
        from.on('data', (b) => into.write(b))
        from.on('error', () => {})
        from.on('close', () => {
          this.#sockets.delete(from)
          into.destroy()
        })
        if (this.#mode === 'swallow') from.pause()
      }
    })
  }
  static async to(port: number): Promise<TcpSwitch> {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return new TcpSwitch(server, (server.address() as { port: number }).port, port)
  }
  get mode(): 'pass' | 'cut' | 'swallow' {
    return this.#mode
  }
  /** `swallow`: connections stand, nothing passes, as while a cable is out: what was said meanwhile comes when they pass again. */
  set mode(mode: 'pass' | 'cut' | 'swallow') {
    this.#mode = mode
    for (const s of this.#sockets) {
      if (mode === 'swallow') s.pause()
      else s.resume()
    }
  }
  cut(): void {
    this.mode = 'cut'
    for (const s of this.#sockets) s.destroy()
  }
  close(): void {
    this.cut()
    this.#server.close()
  }
}
