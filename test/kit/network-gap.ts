/** The network between clients and a server, which a test can take away for a while: TCP stands still, datagrams are lost. */
import { createSocket, type Socket as Udp } from 'node:dgram'
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'

export class NetworkGap {
  /** The server's, TCP and UDP: known once it runs. */
  server = 0
  readonly #tcp: Server
  readonly #front: Udp
  readonly #backs = new Map<number, Udp>()
  readonly #sockets = new Set<Socket>()
  #gone = false

  private constructor(tcp: Server, front: Udp) {
    this.#tcp = tcp
    this.#front = front
    tcp.on('connection', (near) => this.#relay(near))
    front.on('message', (data, from) => {
      if (!this.#gone) this.#back(from.port).send(data, this.server, '127.0.0.1')
    })
  }
  static async start(t: TestContext): Promise<NetworkGap> {
    const [tcp, front] = [createServer().listen(0, '127.0.0.1'), createSocket('udp4').bind(0, '127.0.0.1')]
    await Promise.all([once(tcp, 'listening'), once(front, 'listening')])
    const gap = new NetworkGap(tcp, front)
    t.after(() => {
      tcp.close()
      for (const s of gap.#sockets) s.destroy()
      for (const s of [front, ...gap.#backs.values()]) s.close()
    })
    return gap
  }
  get tcp(): number {
    return (this.#tcp.address() as AddressInfo).port
  }
  /** For the server's configuration. */
  get advertise(): { readonly address: string; readonly port: number }[] {
    return [{ address: '127.0.0.1', port: this.#front.address().port }]
  }
  set gone(gone: boolean) {
    this.#gone = gone
    for (const s of this.#sockets) {
      if (gone) s.pause()
      else s.resume()
    }
  }

  #relay(near: Socket): void {
    const far = connect(this.server, '127.0.0.1')
    for (const [from, into] of [[near, far], [far, near]] as const) {
      this.#sockets.add(from)
      from.on('data', (b) => into.write(b))
      from.on('error', () => {})
      from.on('close', () => {
        this.#sockets.delete(from)
        into.destroy()
      })
      if (this.#gone) from.pause()
    }
  }
  #back(client: number): Udp {
    const known = this.#backs.get(client)
    if (known !== undefined) return known
    const made = createSocket('udp4')
    made.on('message', (data) => {
      if (!this.#gone) this.#front.send(data, client, '127.0.0.1')
    })
    this.#backs.set(client, made)
    return made
  }
}
