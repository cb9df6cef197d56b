/**
 * A gateway that loses datagrams, between a SIP phone or server and its next hop: SIP passes by its port, and where a description
 * names a port for sound it names one of ours, so that sound passes here as well. For one peer on the near side.
 */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import type { TestContext } from 'node:test'
import { SeededNumbers } from './seeded-random.ts'

interface At {
  readonly address: string
  readonly port: number
}
type Side = 'near' | 'far'

/** One call's two doors: what comes to one leaves by the other, as a symmetric peer would send it. */
interface Doors {
  readonly near: Socket
  readonly far: Socket
  /** Whom each door stands for. */
  readonly at: Partial<Record<Side, At>>
}

export class LossyGateway {
  seen = 0
  lost = 0
  readonly #near: Socket
  readonly #far: Socket
  readonly #remote: At
  readonly #share: number
  readonly #random: SeededNumbers
  #peer: At | undefined
  readonly #calls = new Map<string, Promise<Doors>>()

  private constructor(near: Socket, far: Socket, remote: At, share: number, seed: number) {
    this.#near = near
    this.#far = far
    this.#remote = remote
    this.#share = share
    this.#random = new SeededNumbers(seed)
    near.on('message', (data, from) => {
      this.#peer = from
      void this.#signal(data, 'near', far, () => this.#remote)
    })
    far.on('message', (data) => void this.#signal(data, 'far', near, () => this.#peer))
  }
  /** Loses that share (0 to 1) of what passes to and from `remote`. */
  static async start(t: TestContext, remote: At, share: number, seed: number): Promise<LossyGateway> {
    const g = new LossyGateway(await bound(), await bound(), remote, share, seed)
    t.after(async () => {
      g.#near.close()
      g.#far.close()
      for (const doors of g.#calls.values()) for (const side of ['near', 'far'] as const) (await doors)[side].close()
    })
    return g
  }
  get port(): number {
    return this.#near.address().port
  }

  #pass(data: Uint8Array, by: Socket, to: At | undefined): void {
    this.seen++
    if (this.#random.u32() / 2 ** 32 < this.#share) this.lost++
    else if (to !== undefined) by.send(data, to.port, to.address)
  }
  async #signal(data: Buffer, from: Side, by: Socket, to: () => At | undefined): Promise<void> {
    this.#pass(await this.#rewritten(data, from), by, to())
  }
  /** The same message with our port for sound. */
  async #rewritten(data: Buffer, from: Side): Promise<Buffer> {
    const text = data.toString('latin1')
    const split = text.indexOf('\r\n\r\n')
    const [head, body] = [text.slice(0, split), text.slice(split + 4)]
    const address = /^c=IN IP4 (\S+)/m.exec(body)?.[1]
    const port = Number(/^m=audio (\d+)/m.exec(body)?.[1] ?? 0)
    const call = /^Call-ID: *(\S+)/im.exec(head)?.[1]
    if (split < 0 || address === undefined || port === 0 || call === undefined) return data
    const made = this.#calls.get(call) ?? this.#open()
    this.#calls.set(call, made)
    const doors = await made
    doors.at[from] = { address, port }
    const changed = body.replace(/^m=audio \d+/m, `m=audio ${doors[from].address().port}`).replace(/^a=rtcp:.*\r\n/m, '')
    return Buffer.from(`${head.replace(/^Content-Length: *\d+/im, `Content-Length: ${changed.length}`)}\r\n\r\n${changed}`, 'latin1')
  }
  async #open(): Promise<Doors> {
    const doors: Doors = { near: await bound(), far: await bound(), at: {} }
    doors.near.on('message', (data) => this.#pass(data, doors.far, doors.at.near))
    doors.far.on('message', (data) => this.#pass(data, doors.near, doors.at.far))
    return doors
  }
}

async function bound(): Promise<Socket> {
  const s = createSocket('udp4').bind(0, '127.0.0.1')
  await once(s, 'listening')
  return s
}
