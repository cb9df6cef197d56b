/** The client: phones on one side, the server on the other, calls in between. */
import { instant } from '../base/brand.ts'
import { chance } from '../base/chance.ts'
import { err, makeFault, ok, type Fault, type Result } from '../base/result.ts'
import type { CallKind, DialogNews } from './call.ts'
import { lineKey, RunningCall, shows } from './calls.ts'
import { Connection } from './connection.ts'
import type { CallRef, Handset, HandsetEvent } from './handset/port.ts'
import type { ClientOptions, Learnt, MediaCommand, MediaEvent } from './options.ts'
import { type PhoneCall, PhoneCalls } from './phone-calls.ts'
import { chooseKind, dial } from './switch.ts'
import { openUpstream, type PhoneOfCall, type PhoneUpstream, SHUT, type WatchedCall } from './phone-upstream.ts'
import { Rings } from './rings.ts'

const CALLS_LIMIT = 64
/** A leave is signed behind what the vault is busy with. */
const LEAVE_MS = 2000
/** One server, one hop. */
export const HOP = 1

export class Client {
  readonly #o: ClientOptions
  /** Absent where there is no server of ours. */
  readonly connection: Connection | undefined
  /** Where phones go on to from here. */
  readonly upstream: PhoneUpstream | undefined
  /** Calling people, and being called. */
  readonly rings: Rings
  readonly #phones: PhoneCalls
  readonly #calls = new Map<number, RunningCall>()
  /** Calls through providers by their leg there. */
  readonly #throughProviders = new Map<number, RunningCall>()
  /** Phones that dialled a room which their client is about to leave. */
  #waiting: { readonly p: PhoneCall; readonly kind: CallKind; readonly room: string }[] = []
  readonly #subscriptions: Disposable[] = []
  #next = 1
  #stopping = false
  /** Somebody looks at this client. */
  watched: () => boolean = () => false

  constructor(options: ClientOptions) {
    this.#o = options
    this.#phones = new PhoneCalls((c) => options.media.command(c), (call) => call.input({ kind: 'leave' }), options.voice)
    this.rings = new Rings({
      vault: options.vault, crypto: options.crypto, scheduler: options.scheduler, send: (m) => this.#send(m), blocked: options.blocked ?? (() => false),
      tell: (news) => options.observer?.onRing?.(news), report: (fault) => options.observer?.onRingRefused?.(fault),
    })
    this.connection = options.connection === undefined ? undefined : new Connection({
      ...options.connection,
      vault: options.vault, scheduler: options.scheduler, agent: options.agent, hop: HOP,
      media: (c) => options.media.command(c),
      chance: () => chance(options.crypto),
      onUp: (welcome) => {
        options.observer?.onServer?.(true, { welcome })
        this.rings.onUp(welcome.capabilities)
        this.upstream?.onUp(welcome.capabilities)
        for (const call of this.#calls.values()) call.input({ kind: 'channel', up: true })
      },
      onDown: (fault) => {
        options.observer?.onServer?.(false, { fault })
        this.upstream?.onDown(fault.message)
        this.rings.onDown()
        for (const call of this.#calls.values()) call.input({ kind: 'channel', up: false, reason: fault.message })
      },
      attentive: () => this.#calls.size > 0 || this.watched(),
      onSilent: (silent) => options.observer?.onServerSilent?.(silent),
      onMessage: (m) => {
        this.upstream?.onMessage(m)
        this.rings.onMessage(m)
        if (m.k === 'revocation') return this.learn(m.proofs)
        if (m.k === 'attestation') return this.#endorse(m.collateral)
        if (m.k === 'notice') return this.#learnNotice(m.notice)
        if (m.k === 'pbx-certificate' || m.k === 'pbx-roster') this.#conference(m.conference, m.k === 'pbx-roster' ? m.members.flatMap((x) => x.call ?? []) : [])
        for (const call of this.#calls.values()) call.onWire(m)
      },
    })
    const { media, scheduler, crypto, dialPlan, upstream, kinds, voice } = options
    const sealsCalls = chooseKind(kinds, { kind: 'call', room: '' }) !== undefined
    this.upstream = upstream && openUpstream(upstream, { media, scheduler, crypto, dialPlan, hop: HOP, sealsCalls, ...(voice === undefined || options.speaksLabel === false ? {} : { voice }), send: (m) => this.#send(m), heardAt: () => this.connection?.heardAt, refusesCalls: (callId) => this.#refusesCalls(callId), onCall: (c) => this.#throughProvider(c), onCallPhone: (call, at) => this.#phoneOf(call, at), onCallNews: (call, news) => this.#throughProviders.get(call)?.input({ kind: 'dialog', news }), onCallDigit: (call, digit) => this.#throughProviders.get(call)?.onMedia({ op: 'call.digit', call, digit }) })
    this.#subscriptions.push(media.subscribe((e) => this.#onMedia(e)))
  }

  /** Calls judge for themselves what a block notice means for them. */
  #learnNotice(notice: Uint8Array): void {
    void this.#o.vault.call('notice.learn', { notice }).then((r) => {
      if (r.ok && r.value.news) this.#o.observer?.onNotice?.()
      for (const call of this.#calls.values()) call.onWire({ k: 'notice', notice })
    })
  }

  get calls(): readonly RunningCall[] {
    return [...this.#calls.values()]
  }

  /** Whose voice is in this call. */
  handsetsOf(call: RunningCall): readonly { readonly ref: CallRef; readonly line: string }[] {
    return this.#phones.of(call).map((p) => ({ ref: p.ref, line: p.handset.line }))
  }

  /** Statements about revocation, from wherever: signed by authorities, the vault judges. Rooms look again at their members when something is new. */
  learn(proofs: Learnt): void {
    void this.#o.vault.call('revocation.update', { proofs }).then((r) => {
      if (!r.ok || !r.value.changed) return
      this.#o.observer?.onProofs?.(proofs)
      this.#recheck()
    })
  }

  /** What Intel says about platforms: the vault judges it, and then the enclaves of members again. */
  #endorse(collateral: readonly Uint8Array[]): void {
    void this.#o.vault.call('attestation.update', { collateral }).then((r) => {
      if (r.ok && r.value.changed) this.#recheck()
    })
  }
  #recheck(): void {
    for (const call of this.#calls.values()) call.input({ kind: 'recheck' })
  }

  #add(call: RunningCall): void {
    this.#calls.set(call.id, call)
    this.attend()
  }
  /** Somebody begins to look at this client, or to talk: whether the server is there is asked more often. */
  attend(): void {
    this.connection?.attend()
  }

  start(): void {
    void this.connection?.start()
  }

  addHandset(handset: Handset): void {
    this.#subscriptions.push(handset.subscribe((e) => this.#onPhone(handset, e)), handset)
  }

  /** Leaves all rooms, says goodbye to phones and server. Resolves when the leaves were sent. */
  async stop(): Promise<void> {
    this.#stopping = true
    for (const call of this.#calls.values()) call.input({ kind: 'leave' })
    await this.upstream?.line?.end()
    this.upstream?.relay.down('the telephone service ends')
    await this.#until(() => this.#calls.size === 0, LEAVE_MS)
    for (const s of this.#subscriptions) s[Symbol.dispose]()
    this.upstream?.close()
    await this.connection?.stop()
    this.#o.media.command({ op: 'stop' })
    await this.#o.beforeEnd?.()
    await this.#o.vault.close()
  }

  async #until(done: () => boolean, limitMs: number): Promise<void> {
    const { scheduler } = this.#o
    const end = scheduler.now() + limitMs
    while (!done() && scheduler.now() < end) await new Promise<void>((resolve) => void scheduler.at(instant(scheduler.now() + 10), resolve))
  }

  #send(m: Parameters<Connection['send']>[0]): Result<void> {
    return this.connection?.send(m) ?? err('CLIENT_NO_CHANNEL')
  }

  #onPhone(handset: Handset, e: HandsetEvent): void {
    this.#o.observer?.onPhone?.(e)
    if (e.kind === 'dial') return this.#onDial(handset, e)
    if (e.kind === 'registered' || e.kind === 'unregistered') return
    const p = this.#phones.get(e.call)
    if (p === undefined) return
    if (e.kind === 'media') this.#phones.changed(p, e.media)
    else if (e.kind === 'dtmf') this.#phones.digit(p, e.digit)
    else this.#phones.ended(p)
  }

  #onDial(handset: Handset, e: Extract<HandsetEvent, { kind: 'dial' }>): void {
    const refuse = (status: number, fault: Fault): void => handset.command({ kind: 'refuse', call: e.call, status, reason: fault.message })
    // A call that rings is taken, whatever number it says that it comes from: the dial plan is for what is dialled here.
    if (e.answers !== undefined) return this.upstream?.line === undefined ? refuse(480, makeFault('LINE_OVER')) : this.#onLine(handset, e, this.upstream.line)
    const dialled = dial(this.#o.dialPlan, e.target)
    // What is no room is called on the handset's own line, help first of all: its telephone system knows who may.
    const line = e.media.kind === 'stream' ? this.upstream?.line : undefined
    if (line !== undefined && dialled.kind !== 'target' && (dialled.kind !== 'emergency' || line.kind === 'open' || this.connection?.up === true)) return this.#onLine(handset, e, line)
    // 503 at once, so that the phone's second server is used; before every other check (DESIGN §1).
    if (dialled.kind === 'emergency') return refuse(503, makeFault('CLIENT_EMERGENCY', e.target))
    const kind = dialled.kind === 'target' ? chooseKind(this.#o.kinds, dialled.target) : undefined
    if (dialled.kind === 'unknown' || kind === undefined) return refuse(404, makeFault('CLIENT_UNKNOWN_NUMBER', e.target))
    if (this.#stopping) return refuse(503, makeFault('CLIENT_ENDING'))
    if (this.connection?.up !== true) return refuse(503, this.connection?.lastFault ?? makeFault('CLIENT_NO_CHANNEL'))
    const running = this.#phones.sameCaller(handset, e, dialled.target.room)
    if (running !== undefined) return this.#takeOver(this.#phones.open(handset, e, this.#next++), running)
    if (this.#calls.size >= CALLS_LIMIT) return refuse(486, makeFault('CLIENT_BUSY'))
    const { room } = dialled.target
    // One certificate has one place in a room.
    const here = [...this.#calls.values()].find((c) => c.name === room && c.kind === 'sealed')
    if (here !== undefined && this.#phones.of(here).length > 0) return refuse(486, makeFault('CLIENT_ROOM_TAKEN', room))
    const p = this.#phones.open(handset, e, this.#next++)
    if (here === undefined) this.#start(p, kind, room)
    else this.#waiting.push({ p, kind, room })
  }

  /** Calls a number, or takes a call that rings. */
  #onLine(handset: Handset, e: Extract<HandsetEvent, { kind: 'dial' }>, line: NonNullable<PhoneUpstream['line']>): void {
    const { vault, scheduler, media, observer, kinds } = this.#o
    const ring = line.rings.find((r) => r.id === e.answers)
    const { number, name } = ring ?? { number: e.target, name: '' }
    const target = { kind: 'line', room: number, name } as const
    const kind = chooseKind(kinds, target)
    if (kind === undefined || this.#stopping) return handset.command({ kind: 'refuse', call: e.call, status: 503, reason: makeFault('CLIENT_ENDING').message })
    const [p, leg, id] = [this.#phones.open(handset, e, this.#next++), this.#next++, this.#next++]
    const call = new RunningCall(id, number, leg, p.phone, kind.start(target, { conference: leg, hop: HOP, phone: p.phone }), { vault, scheduler, media: (c) => media.command(c), send: (m) => this.#send(m) }, {
      ...observer,
      onJoined: (c) => {
        observer?.onJoined?.(c)
        for (const x of this.#phones.of(c)) this.#phones.answer(x, { joined: true })
      },
      onOver: (c, reason, fault) => {
        this.#calls.delete(c.id)
        c.line?.hangup()
        // At once, and not when somebody has answered the BYE: what was said of this call is not said of the next.
        for (const x of this.calls) if (x.line === undefined && x.kind === 'sealed' && shows(x, c)) x.input({ kind: 'dialog', news: { kind: 'over' } })
        observer?.onOver?.(c, reason, fault)
        for (const x of this.#phones.of(c)) this.#phones.hangUp(x, reason === 'left' || fault === undefined ? '' : reason, 480)
      },
    }, line.kind)
    const news = (n: DialogNews): void => call.input({ kind: 'dialog', news: n })
    const run = e.answers === undefined ? ok(line.dial(number, leg, news)) : line.answer(e.answers, leg, news)
    if (!run.ok) return this.#phones.hangUp(p, run.fault.message, 480)
    p.running = call
    call.line = run.value
    // Behind a server of ours its rosters name calls by Call-ID. Providers choose theirs, so that of those nothing is believed.
    call.sipCalls = [line.kind === 'open' ? lineKey(id) : run.value.call.callId]
    this.#add(call)
    call.input({ kind: 'start' })
  }

  /** Who shows a call of the page's phone: its sealed call, or its conference, where it is one. */
  shownBy(call: RunningCall): RunningCall {
    const others = this.calls.filter((c) => c.line === undefined && shows(c, call))
    // Of several it is not known which one is heard: it is shown as what it is at least.
    return others.length === 1 ? others[0]! : call
  }

  /** Where the packets of a call through a provider go to here is known: maybe to the page's phone, in one of its calls. No provider says or chooses that. */
  #phoneOf(leg: number, { callId, address, port, leg: phoneLeg }: PhoneOfCall): void {
    this.#throughProviders.get(leg)?.phoneIs(phoneLeg)
    const [provided, own] = [this.#throughProviders.get(leg), this.calls.find((c) => c.line?.call.callId === callId && c.line.local?.port === port && c.line.local.address === address)]
    if (provided === undefined || own === undefined || shows(provided, own)) return
    provided.sipCalls = [lineKey(own.id)]
    this.#o.observer?.onShown?.(own)
  }

  /** The server has seen a call of ours in a conference of the PBX: its roster begins. */
  #conference(name: string, sipCalls: readonly string[]): void {
    const kind = chooseKind(this.#o.kinds, { kind: 'conference', room: name })
    const running = [...this.#calls.values()].find((c) => c.kind === 'bridged' && c.name === name && c.line === undefined)
    if (running !== undefined && sipCalls.length > 0) running.sipCalls = sipCalls
    if (kind === undefined || this.#stopping || running !== undefined) return
    if (this.#calls.size >= CALLS_LIMIT) return
    const id = this.#next++
    const { vault, scheduler, media, observer } = this.#o
    const machine = kind.start({ kind: 'conference', room: name }, { conference: id, hop: HOP, phone: id })
    const call = new RunningCall(id, name, id, id, machine, { vault, scheduler, media: (c) => media.command(c), send: (m) => this.#send(m) }, {
      ...observer,
      onOver: (c, reason, fault) => {
        this.#calls.delete(c.id)
        observer?.onOver?.(c, reason, fault)
      },
    }, 'bridged')
    call.sipCalls = sipCalls
    this.#add(call)
    call.input({ kind: 'start' })
  }

  /** Calls that are not to be sealed have no kind: their packets pass, and nobody looks. */
  #throughProvider({ call: leg, number, outgoing, account, withheld, callId }: WatchedCall): void {
    const target = { kind: 'call', room: number, outgoing, account, withheld } as const
    const kind = chooseKind(this.#o.kinds, target)
    if (kind === undefined) return
    // Refused at the door already; what came past it all the same has nobody to judge it, and a gate that stays shut.
    const refusal = this.#refusesCalls(callId)
    if (refusal !== undefined) {
      this.#o.upstream?.report(refusal.fault, number)
      return this.#gated({ op: 'call.seal', call: leg, sealed: SHUT })
    }
    const id = this.#next++
    const { vault, scheduler, observer } = this.#o
    const tell = this.#phones.throughProvider(leg)
    const call = new RunningCall(id, number, id, id, kind.start(target, { conference: leg, hop: HOP, phone: leg }), { vault, scheduler, media: (c) => this.#gated(c), send: (m) => this.#send(m), signal: (c, what) => this.upstream?.inCall(c, what) }, {
      ...observer,
      onEvent: (c, e) => {
        observer?.onEvent?.(c, e)
        if (e.kind === 'sealed-call' || e.kind === 'phone-leg') tell(c.roster)
      },
      onOver: (c, reason, fault) => {
        this.#calls.delete(c.id)
        this.#throughProviders.delete(leg)
        observer?.onOver?.(c, reason, fault)
      },
    })
    call.leg = leg
    this.#add(call)
    this.#throughProviders.set(leg, call)
    call.input({ kind: 'start' })
  }

  /** `callId`: of the call that wants to begin. The page's phone's own end of it is no other call. */
  #refusesCalls(callId: string): { readonly status: number; readonly fault: Fault } | undefined {
    if (this.#stopping) return { status: 503, fault: makeFault('CLIENT_ENDING') }
    const others = this.calls.filter((c) => c.line?.call.callId !== callId)
    return others.length < CALLS_LIMIT ? undefined : { status: 486, fault: makeFault('CLIENT_BUSY') }
  }

  #gated(c: MediaCommand): void {
    if (c.op === 'call.seal') this.upstream?.gate(c.call, c.sealed)
    this.#o.media.command(c)
  }

  #start(p: PhoneCall, kind: CallKind, room: string): void {
    const id = this.#next++
    const machine = kind.start({ kind: 'room', room }, { conference: id, hop: HOP, phone: p.phone })
    const { vault, scheduler, media, observer } = this.#o
    p.running = new RunningCall(id, room, id, p.phone, machine, { vault, scheduler, media: (c) => media.command(c), send: (m) => this.#send(m) }, {
      ...observer,
      onEvent: (c, e) => {
        observer?.onEvent?.(c, e)
        this.#phones.event(c, e)
      },
      onJoined: (c) => {
        observer?.onJoined?.(c)
        for (const x of this.#phones.of(c)) this.#phones.answer(x, { joined: true })
      },
      onOver: (c, reason, fault) => {
        this.#calls.delete(c.id)
        observer?.onOver?.(c, reason, fault)
        for (const x of this.#phones.of(c)) this.#phones.hangUp(x, reason, fault?.code === 'CLIENT_ROOM_REFUSED' ? 403 : 480)
        this.#startWaiting(c.name)
      },
    })
    this.#add(p.running)
    p.running.phoneIs(p.leg)
    p.running.input({ kind: 'start' })
  }

  /** The last that dialled gets the room; whoever hung up in the meantime is gone. */
  #startWaiting(room: string): void {
    const mine = this.#waiting.filter((w) => w.room === room && this.#phones.get(w.p.ref) === w.p)
    this.#waiting = this.#waiting.filter((w) => w.room !== room)
    const last = mine.pop()
    for (const { p } of mine) this.#phones.hangUp(p, 'replaced by a newer call', 480)
    if (last === undefined) return
    if (this.#stopping) this.#phones.hangUp(last.p, 'the telephone service ends', 480)
    else this.#start(last.p, last.kind, room)
  }

  /** The new leg takes the room over; the old one hears that it was replaced. */
  #takeOver(p: PhoneCall, call: RunningCall): void {
    const before = this.#phones.of(call)
    p.running = call
    call.phone = p.phone
    call.phoneIs(p.leg)
    call.input({ kind: 'phone', phone: p.phone })
    for (const old of before) this.#phones.hangUp(old, 'replaced by a newer call', 480)
    if (call.joinedAt !== undefined) this.#phones.answer(p, { joined: true })
  }

  #onMedia(e: MediaEvent): void {
    this.#o.observer?.onMedia?.(e)
    this.upstream?.onMedia(e)
    if (e.op === 'phone.opened') {
      const p = this.#phones.byPhone(e.phone)
      if (p !== undefined) this.#phones.answer(p, { local: e.local })
    } else if (e.op === 'fault') this.#onMediaFault(e)
    else if (e.op === 'hop.worn') this.connection?.keysWorn(e.generation)
    else if (e.op === 'phone.dtmf') this.#phones.digit(this.#phones.byPhone(e.phone), e.digit)
    for (const call of this.#calls.values()) call.onMedia(e)
  }

  /** A leg that never opened: no port was free, or a codec is missing. */
  #onMediaFault(e: Extract<MediaEvent, { op: 'fault' }>): void {
    const p = this.#phones.all.find((x) => x.local === undefined && e.about === `phone ${x.phone}`)
    if (p !== undefined) this.#phones.failed(p, e.message)
  }
}
