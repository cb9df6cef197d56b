/** A child process of a bench: orders in, reports out. */
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export class BenchProcess<Order extends { readonly kind: string }, Report extends { readonly kind: string }> {
  readonly #process: ChildProcess
  readonly #listeners = new Set<(r: Report) => void>()

  /** `entry` is beside this file. */
  constructor(entry: string) {
    this.#process = fork(fileURLToPath(new URL(entry, import.meta.url)), [], { serialization: 'advanced', execArgv: [] })
    this.#process.on('message', (r) => {
      for (const listener of [...this.#listeners]) listener(r as Report)
    })
  }
  get pid(): number {
    return this.#process.pid ?? -1
  }
  order(o: Order): void {
    if (this.#process.connected) this.#process.send(o)
  }
  on(listener: (r: Report) => void): void {
    this.#listeners.add(listener)
  }
  /** The next report of this kind that fits, or an error after `limitMs` or when the process gives up. */
  next<K extends Report['kind']>(kind: K, limitMs: number, fits: (r: Extract<Report, { kind: K }>) => boolean = () => true): Promise<Extract<Report, { kind: K }>> {
    return new Promise((resolve, reject) => {
      const done = (): void => {
        clearTimeout(timer)
        this.#listeners.delete(listener)
      }
      const timer = setTimeout(() => {
        done()
        reject(new Error(`nothing heard of "${kind}" for ${limitMs} ms`))
      }, limitMs)
      const listener = (r: Report): void => {
        if (r.kind === kind && fits(r as Extract<Report, { kind: K }>)) {
          done()
          resolve(r as Extract<Report, { kind: K }>)
        } else if (r.kind === 'failed' || r.kind === 'over') {
          done()
          reject(new Error(JSON.stringify(r)))
        }
      }
      this.#listeners.add(listener)
    })
  }
  stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#process.kill('SIGKILL'), 3000)
      this.#process.once('exit', () => {
        clearTimeout(timer)
        resolve()
      })
      this.#process.send({ kind: 'stop' })
    })
  }
}
