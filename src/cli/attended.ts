/** What goes along with every client that runs: its log, its trace of SIP, and the door where other commands ask how it is. */
import { uptime } from 'node:os'
import path from 'node:path'
import type { ClientConfig } from '../client/config.ts'
import { observeAll } from '../client/observers.ts'
import { ClientWatch, type WatchedClient } from '../client/watch.ts'
import type { KeyProtection } from '../model/identity.ts'
import { realScheduler } from '../net/scheduler.ts'
import { SipTrace, type TracedMessage } from '../telephony/trace.ts'
import { ClientLog, logFile } from './client-log.ts'
import type { ClientExtras, RealClient } from './compose-client.ts'
import { openControl } from './control.ts'
import { roomsOf, type ShownRoom } from './rooms-known.ts'
import { version } from './version.ts'

export interface ClientStatus {
  readonly version: string
  readonly pid: number
  readonly config: string
  readonly page?: string
  readonly lines: readonly (WatchedClient & { readonly name: string; readonly identity?: { readonly name: string; readonly notAfter: number }; readonly phones: RealClient['phones']; readonly keys: KeyProtection })[]
  readonly warnings: readonly string[]
}

/** How the keys are kept: as the vault that holds them reports. */
export const keptKeys = (report: RealClient['vault']['report']): KeyProtection => (report?.enclave === true ? 'enclave' : report?.isolated === true ? 'process' : 'in-process')

type Attendant = Pick<RealClient, 'client' | 'phones' | 'warnings' | 'identity' | 'vault'>

export class Attended implements AsyncDisposable {
  readonly #file: string
  readonly #trace = new SipTrace(realScheduler(false))
  readonly #log: ClientLog
  readonly #lines: { readonly name: string; readonly config: ClientConfig; readonly watch: ClientWatch; running?: Attendant; identity?: { name: string; notAfter: number } }[] = []
  #page: string | undefined
  #control: AsyncDisposable | undefined

  constructor(config: Pick<ClientConfig, 'data'>, file: string) {
    this.#file = path.resolve(file)
    this.#log = new ClientLog(logFile(config, file))
    this.#log.write({ level: 'info', text: `stc ${version} starts` })
  }

  /** `name` is empty where there is one line alone. */
  extras(config: ClientConfig, name: string, extras: ClientExtras): ClientExtras {
    const watch = new ClientWatch(realScheduler(false), config.server?.host ?? '', () => uptime() * 1000)
    this.#lines.push({ name, config, watch })
    return { ...extras, trace: this.#trace, providerWay: (host, fault, from) => {
      extras.providerWay?.(host, fault, from)
      this.#log.write({ level: fault === undefined ? 'info' : 'warn', ...(name === '' ? {} : { line: name }), ...(fault === undefined ? {} : { code: fault.code }), text: `telephone provider ${host}: ${fault?.message ?? `reached again, from ${from}`}` })
    }, observer: observeAll(watch.observer, this.#log.observer(name), ...(extras.observer === undefined ? [] : [extras.observer])) }
  }

  /** The clients in the order of their lines; `page`: its address without what lets one in. */
  async open(running: readonly Attendant[], page?: string): Promise<void> {
    this.#page = page?.replace(/#.*$/s, '')
    for (const [i, line] of this.#lines.entries()) {
      const one = running[i]
      if (one === undefined) continue
      line.running = one
      void one.identity().then((own) => {
        if (own !== undefined) line.identity = { name: own.subject, notAfter: own.notAfter }
      })
    }
    this.#control = await openControl(this.#file, { status: () => this.#status(), rooms: () => this.#rooms(), trace: (): readonly TracedMessage[] => this.#trace.messages })
  }

  #status(): ClientStatus {
    return {
      version, pid: process.pid, config: this.#file, ...(this.#page === undefined ? {} : { page: this.#page }), warnings: [...new Set(this.#lines.flatMap((l) => l.running?.warnings ?? []))],
      lines: this.#lines.map((l) => ({
        name: l.name, ...l.watch.snapshot, phones: l.running?.phones ?? [], keys: keptKeys(l.running?.vault.report), ...(l.identity === undefined ? {} : { identity: l.identity }),
      })),
    }
  }
  #rooms(): ShownRoom[] {
    return this.#lines.flatMap((l) => roomsOf(l.config, l.watch.snapshot.calls))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#control?.[Symbol.asyncDispose]()
    this.#log.write({ level: 'info', text: 'stc ends' })
  }
}
