/** UDP between clients and a server, in the hands of a test: swallowed or passed on, and measured. */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import type { TestContext } from 'node:test'

/** A firewall before the server's UDP port: it swallows everything until it is opened. */
export class Firewall {
  readonly #front: Socket
  /** The port that it stands before. */
  server = 0
  readonly #backs = new Map<number, Socket>()
  open = false
  swallowed = 0
  readonly #longest = new Map<number, number>()
  readonly #shortest = new Map<number, number>()
  private constructor(front: Socket) {
    this.#front = front
    front.on('message', (data, from) => {
      this.#longest.set(from.port, Math.max(data.length, this.#longest.get(from.port) ?? 0))
      this.#shortest.set(from.port, Math.min(data.length, this.#shortest.get(from.port) ?? data.length))
      if (!this.open) this.swallowed++
      else this.#back(from.port).send(data, this.server, '127.0.0.1')
    })
  }
  static async start(t: TestContext): Promise<Firewall> {
    const front = createSocket('udp4').bind(0, '127.0.0.1')
    await once(front, 'listening')
    const wall = new Firewall(front)
    t.after(() => {
      front.close()
      for (const b of wall.#backs.values()) b.close()
    })
    return wall
  }
  /** For the server's configuration. */
  get advertised(): { advertise: { address: string; port: number }[] } {
    return { advertise: [{ address: '127.0.0.1', port: this.#front.address().port }] }
  }
  /** The longest datagram of each client: its audio. */
  get longest(): number[] {
    return [...this.#longest.values()]
  }
  /** The shortest datagram of each client: its question whether the way is open. */
  get shortest(): number[] {
    return [...this.#shortest.values()]
  }
  #back(client: number): Socket {
    const known = this.#backs.get(client)
    if (known !== undefined) return known
    const made = createSocket('udp4')
    made.on('message', (data) => this.open && this.#front.send(data, client, '127.0.0.1'))
    this.#backs.set(client, made)
    return made
  }
}
