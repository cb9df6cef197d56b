/** The page's phone at the telephone system, as its windows show it. */
import { err, type Fault, ok, type Result } from '../../base/result.ts'
import type { PageFault, PageLine, PageLineCall, PageMessage, PageSnapshot, PastCall } from '../../model/page.ts'
import type { RunningCall } from '../calls.ts'
import type { LineNews, LineRing, LineRun } from '../own-line.ts'

/** What the page sees of a client's line. */
export interface HubLine {
  readonly number: string
  readonly registered: boolean
  readonly fault: Fault | undefined
  readonly rings: readonly LineRing[]
  refuse(id: string): Result<void>
  hold(run: LineRun, on: boolean): void
  transfer(run: LineRun, to: string): void
  subscribe(listener: (n: LineNews) => void): Disposable
}

export interface LineViewHost {
  readonly client: { readonly calls: readonly RunningCall[]; shownBy(call: RunningCall): RunningCall; readonly upstream?: { readonly line?: HubLine } | undefined } | undefined
  readonly people: { missedOnLine(number: string, at: number): void }
  tell(m: PageMessage): void
  /** A call beside its roster. */
  changed(id: number): void
  onBrowser(): void
}

const KNOWN = 50

export class LineView {
  readonly #host: LineViewHost
  /** Of the calls that ended last, by their sentence: the page has words of its own for the codes. */
  #last: Fault | undefined
  /** Telephone calls so far, by Call-ID: what showed one of them may end after it. */
  readonly #known = new Set<string>()

  constructor(host: LineViewHost) {
    this.#host = host
  }
  get #line(): HubLine | undefined {
    return this.#host.client?.upstream?.line
  }
  /** There is a client with a line now. */
  begin(): void {
    this.#line?.subscribe((n) => {
      if (n.kind === 'missed') this.#host.people.missedOnLine(n.ring.number, n.ring.at)
      else if (n.kind === 'failed') this.#host.tell({ k: 'notice', fault: plain(n.fault) })
      else this.#tell()
    })
    this.#tell()
  }
  get inSnapshot(): Pick<PageSnapshot, 'line'> {
    const line = this.#page
    return line === undefined ? {} : { line }
  }
  get #page(): PageLine | undefined {
    const line = this.#line
    if (line === undefined) return undefined
    const call = this.#running
    const shown = call === undefined ? undefined : this.#call(call)
    return { number: line.number, registered: line.registered, rings: line.rings, ...(line.fault === undefined ? {} : { fault: plain(line.fault) }), ...(shown === undefined ? {} : { call: shown }) }
  }
  get #running(): RunningCall | undefined {
    return this.#host.client?.calls.findLast((c) => c.line !== undefined)
  }
  #call(call: RunningCall): PageLineCall | undefined {
    const { state, number, outgoing, held } = call.line!.call
    if (state === 'over') return undefined
    return { call: this.#host.client!.shownBy(call).id, number, outgoing, state: state === 'incoming' ? 'calling' : state, held }
  }
  /** The telephone call that this one is, or shows. */
  callOf(call: RunningCall): RunningCall | undefined {
    if (call.line !== undefined) return call
    return call.sipCalls.length === 0 ? undefined : this.#host.client?.calls.find((c) => c.line !== undefined && c.sipCalls.some((id) => call.sipCalls.includes(id)))
  }
  /** It shows a telephone call, or showed one. */
  covers(call: RunningCall): boolean {
    return call.line === undefined && call.sipCalls.some((id) => this.#known.has(id))
  }
  /** A call began or ended: a telephone call may be shown by another one now. */
  changed(call: RunningCall): void {
    const telephone = this.callOf(call)
    if (telephone === undefined) return
    for (const id of telephone.sipCalls) this.#known.add(id)
    if (this.#known.size > KNOWN) this.#known.delete(this.#known.values().next().value!)
    this.#host.changed(telephone.id)
    this.#host.onBrowser()
    this.#tell()
  }
  /** Of a telephone call that has ended. */
  pastOf(call: RunningCall, _reason: string, fault: Fault | undefined): Partial<PastCall> {
    if (call.line === undefined) return {}
    this.#last = fault
    return { telephone: true, direction: call.line.call.outgoing ? 'out' : 'in' }
  }
  faultOf(reason: string): { readonly fault?: PageFault } {
    return this.#last?.message === reason ? { fault: plain(this.#last) } : {}
  }

  hold(on: boolean): Result<void> {
    return this.#with((line, run) => line.hold(run, on))
  }
  transfer(number: string): Result<void> {
    return this.#with((line, run) => line.transfer(run, number))
  }
  refuse(id: string): Result<void> {
    return this.#line?.refuse(id) ?? err('LINE_NONE')
  }
  /** What to dial to take a call that rings. */
  ring(id: string): Result<LineRing> {
    const ring = this.#line?.rings.find((r) => r.id === id)
    return ring === undefined ? err('LINE_OVER') : ok(ring)
  }
  #with(run: (line: HubLine, of: LineRun) => void): Result<void> {
    const [line, call] = [this.#line, this.#running]
    if (line === undefined || call?.line === undefined) return err(line === undefined ? 'LINE_NONE' : 'PAGE_NO_CALL')
    run(line, call.line)
    return ok(undefined)
  }
  #tell(): void {
    const line = this.#page
    if (line !== undefined) this.#host.tell({ k: 'line', line })
  }
}

const plain = (f: Fault): PageFault => ({ code: f.code, message: f.message })
