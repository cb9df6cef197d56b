/**
 * The way to a provider from a machine that moves between networks. It begins at the one of our addresses that the system's routes name; when that
 * changes, or nobody answers any more and the provider's name leads elsewhere, the way that was is closed and another one opened. A name that has never
 * resolved, or no route at all, is a way that is down and tried again; without a route the way stays open for what belongs to a call. Looked at, not
 * waited for: a datagram from an address that is gone fails without a word on most systems.
 */
import { type Instant, instant } from '../base/brand.ts'
import type { Scheduler } from '../base/ports.ts'
import { type Fault, makeFault, ok, type Result } from '../base/result.ts'
import { type AddressPort, sameAddress, showAddress } from '../net/address.ts'
import type { PbxTransport, WayUser } from './pbx-transport.ts'
import { sourceOf } from './stream-transport.ts'
import type { SipFlow, TransportListener, TransportName } from './transport.ts'

export type Places = readonly [AddressPort, ...AddressPort[]]

export interface RoamingOptions {
  readonly name: TransportName
  readonly scheduler: Scheduler
  /** Where it is, as its name says now. */
  readonly resolve: () => Promise<Result<Places>>
  /** Our address on the way there; undefined: none leads there now. */
  readonly route: (to: AddressPort) => Promise<string | undefined>
  /** It is still one of this machine's. */
  readonly owns: (address: string) => boolean
  readonly open: (places: Places, local: string) => Promise<Result<PbxTransport>>
  /** Why there is no way; undefined: there is one again, from `local`. Each said once. */
  readonly tell: (fault: Fault | undefined, local: string) => void
}

/** Two system calls: cheap enough for a move to be noticed before a phone gives up. */
const LOOK_MS = 2000
/** So long a name is waited for where it is known what it said before: without DNS that takes half a minute. */
const NAME_MS = 1000
/** Where there is no way at all. Looking up a name is somebody else's work. */
const RETRY_MS = 5000
/** Something was asked, and nothing at all has come for so long: the name may lead elsewhere by now. */
const SILENT_MS = 20_000
const NOWHERE: AddressPort = { address: '0.0.0.0', port: 0 }

interface Open {
  readonly transport: PbxTransport
  readonly places: Places
  readonly local: string
}

export class RoamingWay implements PbxTransport {
  readonly name: TransportName
  readonly #o: RoamingOptions
  #open: Open | undefined
  #routed = false
  #listener: TransportListener | undefined
  #watcher: (up: boolean) => void = () => {}
  #shown = false
  #user: WayUser = { busy: () => false, moved: () => {} }
  /** It began at another address before. */
  #hasMoved = false
  #told: string | undefined
  /** Since when something was asked and nothing came, or there was no connection. */
  #silentSince: Instant | undefined
  /** Where it was last. */
  #known: Places | undefined
  #lookup: Promise<Result<Places>> | undefined
  /** What its name said, for the next look. */
  #found: Result<Places> | undefined
  #stop: () => void = () => {}
  #stopWaiting: () => void = () => {}
  #closed = false

  constructor(options: RoamingOptions) {
    this.name = options.name
    this.#o = options
  }
  get local(): AddressPort {
    return this.#open?.transport.local ?? NOWHERE
  }
  way(within?: SipFlow): SipFlow | undefined {
    // What belongs to a call is sent again by itself, and the network may be back by then.
    return this.#routed || within !== undefined ? this.#open?.transport.way(within) : undefined
  }
  watch(listener: (up: boolean) => void): void {
    this.#watcher = listener
  }
  roam(user: WayUser): void {
    this.#user = user
  }
  listen(listener: TransportListener): void {
    this.#listener = listener
    if (this.#open !== undefined) this.#listen(this.#open.transport)
  }
  send(data: Uint8Array, flow: SipFlow): boolean {
    if (wantsAnswer(data)) this.#silentSince ??= this.#o.scheduler.now()
    // Of a connection that was before: the one that is now may have its number.
    return sameAddress(flow.local, this.local) && this.#open?.transport.send(data, flow) === true
  }
  close(): void {
    this.#closed = true
    this.#stop()
    this.#stopWaiting()
    this.#open?.transport.close()
  }

  /** Opens it, or says why not, and goes on looking until it is closed. Fails with SIP_BIND alone, for those who take that for a reason to end: all else passes. */
  async start(): Promise<Result<void>> {
    const opened = await this.#tried(this.#begin())
    this.#later()
    return !opened.ok && opened.fault.code === 'SIP_BIND' ? opened : ok(undefined)
  }

  #later(): void {
    if (this.#closed) return
    const { scheduler } = this.#o
    const ms = this.#open === undefined ? RETRY_MS : LOOK_MS
    this.#stop = scheduler.at(instant(scheduler.now() + ms), () => void this.#tried(this.#look()).then(() => this.#later()))
  }
  /** What the system throws (no more files, no more memory) is a way that is down, and the looking goes on. */
  async #tried<T>(work: Promise<Result<T>>): Promise<Result<T>> {
    try {
      return await work
    } catch (e) {
      const fault = thrown(e)
      return this.#closed ? { ok: false, fault } : this.#off(fault)
    }
  }
  async #look(): Promise<Result<void>> {
    const open = this.#open
    if (open === undefined) return this.#begin()
    const remote = open.transport.way()?.remote ?? open.places[0]
    const local = await this.#o.route(remote)
    if (this.#closed) return ok(undefined)
    if (local === undefined) {
      this.#off(makeFault('RELAY_NO_WAY', `no route to ${showAddress(remote)}`))
      // In a network of the other family of addresses its name has another one.
      const idle = !this.#user.busy()
      return this.#follow(open, idle, idle)
    }
    const now = this.#o.scheduler.now()
    if (open.transport.way() === undefined) this.#silentSince ??= now
    const silent = this.#silentSince !== undefined && now - this.#silentSince >= SILENT_MS
    // A call that stands need not end because another network was joined besides.
    if (!this.#stillGood(open.local, local) && (silent || !this.#user.busy() || !this.#o.owns(open.local))) return this.#begin()
    this.#on(open)
    return this.#follow(open, silent, this.#silentSince !== undefined)
  }
  /** Where its name leads by now: asked for at one look, followed at a later one if that is still wanted. */
  async #follow(open: Open, asks: boolean, wanted: boolean): Promise<Result<void>> {
    const found = this.#found
    this.#found = undefined
    if (found === undefined && asks) void this.#lookUp()
    if (found === undefined || !wanted) return ok(undefined)
    this.#silentSince = undefined
    const elsewhere = found.ok && !sameSet(found.value, open.places) && (await this.#o.route(found.value[0])) !== undefined
    return elsewhere ? this.#begin(found.value) : ok(undefined)
  }
  /** Beside the looks, one at a time: where nobody answers for names each takes one of the few threads that the process has for such things. */
  #lookUp(): Promise<Result<Places>> {
    this.#lookup ??= this.#o.resolve().catch((e: unknown): Result<Places> => ({ ok: false, fault: thrown(e) })).then((found) => {
      this.#lookup = undefined
      this.#found = found
      return found
    })
    return this.#lookup
  }
  /** Where it is, as its name says; where that does not come, where it was. */
  async #where(): Promise<Result<Places>> {
    const { scheduler } = this.#o
    const known = this.#known
    if (known === undefined) return this.#lookUp()
    const late = new Promise<undefined>((resolve) => {
      this.#stopWaiting = scheduler.at(instant(scheduler.now() + NAME_MS), () => resolve(undefined))
    })
    const found = await Promise.race([this.#lookUp(), late])
    this.#stopWaiting()
    return found?.ok === true ? found : ok(known)
  }

  /** IPv6 hosts take another address of their network every day, and keep the one before for a week (RFC 8981): the provider goes on to find us there. */
  #stillGood(before: string, now: string): boolean {
    return before === now || (sourceOf(before, true) === sourceOf(now, true) && this.#o.owns(before))
  }
  /** From the beginning: the name, the route, a socket. What was there stays until name and route are found, not until there is another socket. */
  async #begin(found?: Places): Promise<Result<void>> {
    const places: Result<Places> = found === undefined ? await this.#where() : ok(found)
    this.#found = undefined
    const local = places.ok ? await this.#o.route(places.value[0]) : undefined
    if (this.#closed) return ok(undefined)
    if (!places.ok) return this.#off(places.fault)
    this.#known = places.value
    if (local === undefined) return this.#off(makeFault('RELAY_NO_WAY', `no route to ${showAddress(places.value[0])}`))
    this.#drop(local)
    const opened = await this.#o.open(places.value, local)
    if (!opened.ok) return this.#off(opened.fault)
    if (this.#closed) {
      opened.value.close()
      return ok(undefined)
    }
    this.#open = { transport: opened.value, places: places.value, local }
    this.#silentSince = undefined
    if (this.#listener !== undefined) this.#listen(opened.value)
    opened.value.watch?.(() => this.#show())
    this.#on(this.#open)
    return ok(undefined)
  }
  /** Its port may be wanted again, so it goes first. Who waits for an answer is told: none comes there any more. Calls that came from elsewhere in those places end with `moved`. */
  #drop(next: string): void {
    const open = this.#open
    if (open === undefined) return
    this.#open = undefined
    this.#routed = false
    this.#show()
    const { transport, places, local } = open
    const flows = this.name === 'UDP' ? places.map((remote): SipFlow => ({ transport: 'UDP', local: transport.local, remote })) : [transport.way()]
    transport.close()
    for (const flow of flows) if (flow !== undefined) this.#listener?.lost(flow)
    this.#hasMoved ||= local !== next
  }

  #listen(transport: PbxTransport): void {
    const mine = (): boolean => this.#open?.transport === transport
    transport.listen({
      message: (data, flow) => {
        if (!mine()) return
        this.#silentSince = undefined
        this.#listener?.message(data, flow)
      },
      lost: (flow) => mine() && this.#listener?.lost(flow),
      silent: (flow, forMs) => mine() && this.#listener?.silent?.(flow, forMs),
    })
  }
  #on(open: Open): void {
    this.#routed = true
    if (this.#told !== undefined) this.#o.tell(undefined, open.local)
    this.#told = undefined
    this.#show()
    if (!this.#hasMoved) return
    this.#hasMoved = false
    this.#user.moved()
  }
  #off(fault: Fault): Result<never> {
    this.#routed = false
    if (this.#told !== fault.message) this.#o.tell(fault, '')
    this.#told = fault.message
    this.#show()
    return { ok: false, fault }
  }
  #show(): void {
    const up = this.way() !== undefined
    if (up === this.#shown) return
    this.#shown = up
    this.#watcher(up)
  }
}

const thrown = (e: unknown): Fault => makeFault('RELAY_NO_WAY', e instanceof Error ? e.message : String(e))
/** No answer of ours (`SIP/2.0 …`) and no ACK. */
const wantsAnswer = (data: Uint8Array): boolean => !['SIP/', 'ACK '].some((head) => [...head].every((c, i) => data[i] === c.charCodeAt(0)))
const sameSet = (a: Places, b: Places): boolean => a.length === b.length && a.every((x) => b.some((y) => sameAddress(x, y)))
