/** One process of the demo, seen from the orchestrator: orders in, reports out, ends with its parent. */
import { type ChildProcess, fork } from 'node:child_process'
import type { Order, Report, Role } from './script.ts'

export class Child {
  readonly name: string
  readonly #process: ChildProcess
  readonly #listeners = new Set<(r: Report) => void>()
  readonly exited: Promise<number>
  /** What it wrote on its standard error, newest last; shown when it fails. */
  #complaints = ''

  constructor(name: string, entry: string, role: Role) {
    this.name = name
    // Its own group of signals: Ctrl-C reaches the orchestrator alone, which ends everybody in order.
    this.#process = fork(entry, [], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'], serialization: 'advanced', detached: true })
    this.#process.on('message', (r) => {
      for (const listener of [...this.#listeners]) listener(r as Report)
    })
    this.#process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#complaints = (this.#complaints + text).slice(-4000)
    })
    this.exited = new Promise((resolve) => {
      this.#process.on('exit', (code, signal) => {
        resolve(code ?? (signal === null ? 1 : 128))
        for (const listener of [...this.#listeners]) listener({ kind: 'over', reason: `the process ended (${code ?? signal})` })
      })
    })
    this.order({ kind: 'role', role })
  }

  get pid(): number {
    return this.#process.pid ?? -1
  }
  get complaints(): string {
    return this.#complaints
  }
  order(o: Order): void {
    if (this.#process.connected) this.#process.send(o)
  }
  on(listener: (r: Report) => void): void {
    this.#listeners.add(listener)
  }
  /** The first report of this kind, or an error in words after `limitMs` or when the child fails. */
  next<K extends Report['kind']>(kind: K, limitMs: number): Promise<Extract<Report, { kind: K }>> {
    return new Promise((resolve, reject) => {
      const finish = (): void => {
        clearTimeout(timer)
        this.#listeners.delete(listener)
      }
      const timer = setTimeout(() => {
        finish()
        reject(new Error(`${this.name}: nothing heard of "${kind}" for ${limitMs} ms\n${this.#complaints}`))
      }, limitMs)
      const listener = (r: Report): void => {
        if (r.kind === kind) {
          finish()
          resolve(r as Extract<Report, { kind: K }>)
        } else if (r.kind === 'failed' || r.kind === 'over') {
          finish()
          reject(new Error(`${this.name}: ${r.kind === 'failed' ? `${r.message} [${r.code}]` : r.reason}\n${this.#complaints}`))
        }
      }
      this.#listeners.add(listener)
    })
  }
  /** Asks it to leave, and ends it when it does not within three seconds. */
  async stop(): Promise<void> {
    this.order({ kind: 'stop' })
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), 3000)
    await this.exited
    clearTimeout(timer)
  }
}
