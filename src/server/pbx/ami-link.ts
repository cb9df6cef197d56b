/** The connection to Asterisk's manager interface, with its socket and timers. */
import type { Scheduler, Stop } from '../../base/ports.ts'
import type { Fault, Result } from '../../base/result.ts'
import type { TcpEvents, TcpStream } from '../../net/tcp.ts'
import { AmiClient, type AmiField, type AmiIn, type AmiMessage, type AmiOptions } from '../../protocol/asterisk/index.ts'

export interface AmiLinkOptions extends AmiOptions {
  readonly scheduler: Scheduler
  readonly connect: (events: TcpEvents) => TcpStream
  readonly onUp: () => void
  readonly onDown: (fault: Fault) => void
  readonly onEvent: (e: AmiMessage) => void
}

export class AmiLink {
  readonly #o: AmiLinkOptions
  readonly #client: AmiClient
  readonly #answers = new Map<number, (r: Result<readonly AmiMessage[]>) => void>()
  #socket: TcpStream | undefined
  #cancelWake: Stop = () => {}
  #nextRef = 1

  constructor(options: AmiLinkOptions) {
    this.#o = options
    this.#client = new AmiClient(options)
  }
  get up(): boolean {
    return this.#client.state === 'up'
  }
  start(): void {
    this.#step({ kind: 'start' })
  }
  stop(): void {
    this.#step({ kind: 'stop' })
  }
  /** The response, then the events of its list. */
  action(action: string, ...fields: readonly AmiField[]): Promise<Result<readonly AmiMessage[]>> {
    const ref = this.#nextRef++
    return new Promise((resolve) => {
      this.#answers.set(ref, resolve)
      this.#step({ kind: 'action', ref, action, fields })
    })
  }

  #step(input: AmiIn): void {
    const { out, wakeAt } = this.#client.step(input, this.#o.scheduler.now())
    this.#cancelWake()
    this.#cancelWake = wakeAt === undefined ? () => {} : this.#o.scheduler.at(wakeAt, () => this.#step({ kind: 'tick' }))
    for (const o of out) {
      switch (o.kind) {
        case 'connect': this.#connect(); break
        case 'send': this.#socket?.send(o.bytes); break
        case 'close': this.#close(); break
        case 'up': this.#o.onUp(); break
        case 'down': this.#o.onDown(o.fault); break
        case 'event': this.#o.onEvent(o.event); break
        case 'answer': {
          const resolve = this.#answers.get(o.ref)
          this.#answers.delete(o.ref)
          resolve?.(o.result)
        }
      }
    }
  }
  #connect(): void {
    this.#close()
    const socket: TcpStream = this.#o.connect({
      connected: () => this.#step({ kind: 'connected' }),
      bytes: (bytes) => this.#step({ kind: 'bytes', bytes }),
      closed: (reason, refused) => {
        if (this.#socket === socket) this.#socket = undefined
        this.#step({ kind: 'closed', reason, ...(refused ? { refused } : {}) })
      },
    })
    this.#socket = socket
  }
  #close(): void {
    this.#socket?.close()
    this.#socket = undefined
  }
}
