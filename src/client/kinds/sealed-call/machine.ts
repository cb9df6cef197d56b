/** One call through a provider: looks for the other side's stc, agrees on keys with it, and says what may be heard (table.ts). */
import { type Instant, instant } from '../../../base/brand.ts'
import type { Fault } from '../../../base/result.ts'
import type { SealedMedia } from '../../../media/api.ts'
import type { CallCarrier, CallCodec, CallProgress } from '../../../vault/api/calls.ts'
import { type CallNews, decodeNews } from '../../../vault/api/call-news.ts'
import type { CallIn, CallMachine, CallOut, DialogNews } from '../../call.ts'
import { ACCEPT, type SealedCallOptions } from './options.ts'
import { Party } from './party.ts'
import { type SessionNews, Sessions } from './sessions.ts'
import { changesOf, PRESENT, same, type Standing } from './standing.ts'
import { type Event, next, passing, type Policy, type State, toneOf } from './table.ts'
import { Teller } from './teller.ts'

/** Of the vault's none has this number: what goes there does not come back. */
const NO_SESSION = 0
const SEEK_MS = 8000
/** As long as the vault tries. */
const AGREE_MS = 20_000
/** Halves of a second in which most frames did not open. */
const UNOPENED = 3
const SEEK_AGAIN_MS = 1500

export class SealedCallMachine implements CallMachine {
  readonly #o: SealedCallOptions
  #state: State = 'early'
  #media: Omit<SealedMedia, 'session' | 'sealed' | 'up' | 'down'> | undefined
  readonly #sessions: Sessions
  #words: readonly string[] = []
  #profile: 'chained' | undefined
  /** Of us, and what the other side says of itself. */
  #own = PRESENT
  #far = PRESENT
  readonly #party: Party
  readonly #teller: Teller
  #unopened = 0
  #deadline: { readonly at: Instant; readonly what: 'nobody' | 'seek' } | undefined
  #tickAt: Instant | undefined
  #out: CallOut[] = []
  #now: Instant = instant(0)
  #over = false
  readonly #known: boolean

  constructor(options: SealedCallOptions) {
    this.#o = options
    this.#party = new Party(options)
    this.#teller = new Teller(options, this.#now, (o) => this.#out.push(o))
    this.#sessions = new Sessions(options, { ask: (ref, request) => this.#out.push({ kind: 'vault', ref, request }), note: (...note) => this.#teller.note(...note) })
    this.#known = options.expected(options.number) !== undefined
  }
  /** Once sealed, always required. */
  get #policy(): Policy {
    return this.#known || this.#party.taken ? 'require' : this.#o.policy
  }

  step(input: CallIn, now: Instant): { readonly out: readonly CallOut[]; readonly wakeAt?: Instant } {
    this.#now = this.#teller.now = now
    // What the vault began for a call that is over has to be ended.
    if (!this.#over || input.kind === 'vault') this.#handle(input)
    if (!this.#over) this.#time()
    const out = this.#out
    this.#out = []
    const wakeAt = Math.min(this.#deadline?.at ?? Number.POSITIVE_INFINITY, this.#tickAt ?? Number.POSITIVE_INFINITY)
    return wakeAt === Number.POSITIVE_INFINITY ? { out } : { out, wakeAt: instant(wakeAt) }
  }

  #handle(input: CallIn): void {
    if (input.kind === 'start') this.#tell()
    else if (input.kind === 'dialog') this.#dialog(input.news)
    else if (input.kind === 'vault') this.#answer(this.#sessions.answer(input.ref, input.result))
    else if (input.kind === 'mute') this.#mute(input.muted)
    else if (input.kind === 'leave') this.#end('left')
    else if (input.kind === 'wire') this.#wire(input.message)
    else if (input.kind === 'media' && 'call' in input.event && input.event.call === this.#o.call) {
      const e = input.event
      if (e.op === 'call.news') for (const n of decodeNews(e.news)) this.#news(n)
      else if (e.op === 'call.frames') this.#frames(e.opened, e.refused)
      else if (e.op === 'call.digit' && e.digit === ACCEPT) this.#accepted()
    }
  }

  #dialog(news: DialogNews): void {
    if (news.kind === 'over') return this.#end('the call is over')
    if (news.kind === 'media') {
      const fresh = this.#media === undefined || this.#media.codec !== news.codec
      this.#media = { codec: news.codec, payloadType: news.payloadType, fillUp: news.receives, ...(news.telephoneEvent === undefined ? {} : { telephoneEvent: news.telephoneEvent }) }
      if (fresh) this.#renew(news.codec)
      else this.#apply()
    } else if (news.kind === 'no-codec') this.#unsealable(news)
    else if (news.kind === 'answered') {
      this.#event('answered')
      if (this.#bare) this.#event('unsealable')
      else if (this.#o.outgoing) this.#probe()
    } else if (news.kind === 'reached') {
      this.#event('found')
      this.#step('start', 'message')
    } else if (news.kind === 'message') this.#step('message', 'message', news.bytes)
    else if (news.kind === 'hold') this.#stand({ ...this.#own, hold: news.held })
    else this.#teller.fax()
  }

  /** Whoever is called is asked; whoever calls asks. */
  #probe(): void {
    if (this.#o.carriers.includes('message')) this.#out.push({ kind: 'signal', call: this.#o.call, what: 'probe' })
  }
  /** Also in a call that is open. */
  #mute(muted: boolean): void {
    this.#teller.muted(muted)
    this.#stand({ ...this.#own, mute: muted })
    this.#apply()
  }
  #stand(now: Standing): void {
    if (same(now, this.#own)) return
    this.#own = now
    this.#sessions.say(now)
  }
  #wire(m: Extract<CallIn, { kind: 'wire' }>['message']): void {
    if ((m.k !== 'call-met' && m.k !== 'call-message') || !this.#sessions.meetsAt(m.token)) return
    if (m.k === 'call-message') return this.#step('message', 'server', m.message)
    this.#event('found')
    this.#step('start', 'server')
  }

  /** Whoever describes a call anew gets silence, not the sound, until there are keys for it. */
  #renew(codec: CallCodec): void {
    this.#begin(codec)
    if (this.#sessions.barred && this.#state === 'doubt') return
    this.#event('renewed')
    if (this.#o.outgoing && this.#state !== 'early') this.#probe()
  }
  /** The codec has no room for what sealing needs: there are no keys for it, and none are looked for. */
  get #bare(): boolean {
    return this.#media !== undefined && this.#media.codec === undefined
  }
  /** Its sound still goes through the gate, which is closed where nothing may pass, and tells of key presses. */
  #unsealable({ other, receives, telephoneEvent }: Extract<DialogNews, { kind: 'no-codec' }>): void {
    const fresh = !this.#bare
    this.#media = { codec: undefined, payloadType: other?.sends ?? 0, fillUp: receives, ...(other === undefined ? {} : { other }), ...(telephoneEvent === undefined ? {} : { telephoneEvent }) }
    if (fresh) {
      this.#sessions.end()
      this.#tickAt = undefined
      // What it said of itself, it said under keys that are no more.
      this.#far = PRESENT
      this.#teller.note('SEALED_CALL_NO_CODEC', 'The codec of this call cannot be sealed: allow G.722 or G.711 at both phones and at the provider', true)
    }
    this.#apply()
    if (fresh) this.#event('unsealable')
  }
  #begin(codec: CallCodec | undefined, seek = true): void {
    if (codec === undefined) return
    this.#sessions.begin(codec, seek)
    // Until the vault has begun nothing passes.
    this.#apply()
  }

  #news(n: CallNews): void {
    if (n.kind === 'message') this.#step('message', 'in-band', n.bytes, n.sealed)
    else if (n.kind === 'meeting') {
      this.#sessions.meeting = n.token
      if (this.#o.carriers.includes('server')) this.#out.push({ kind: 'send', message: { k: 'call-meet', token: n.token } })
    } else if (n.kind === 'ready') {
      if (!this.#o.carriers.includes('in-band')) return
      this.#event('found')
      this.#step('start', 'in-band')
    } else if (n.kind === 'path' && n.path === 'converts') {
      this.#teller.converts()
      this.#event('converts')
    } else if (n.kind === 'low') this.#step('rekey', 'in-band')
    else if (n.kind === 'heard') this.#sessions.heard = true
    // What was lost opens again: the other party is back. Also while another is being agreed with: music on hold is over before that.
    else if (n.kind === 'back' && this.#sessions.old !== undefined && (this.#state === 'lost' || this.#state === 'agreeing')) this.#back()
  }
  #back(): void {
    this.#sessions.back()
    this.#event('opened')
  }
  #step(input: 'start' | 'tick' | 'rekey' | 'message', carrier?: CallCarrier, message?: Uint8Array, sealed?: boolean): void {
    if (this.#sessions.current === undefined || this.#sessions.barred) return
    // The agreement was begun by the other side: we may not have been told that it can hear us.
    if (input === 'message' && !this.#sessions.keyed) this.#event('found')
    this.#sessions.step(input, carrier, message, sealed)
  }

  #answer(news: SessionNews | undefined): void {
    if (news?.kind === 'failed') this.#failed(news.fault)
    if (news?.kind === 'progress') this.#progress(news.progress)
    else if (news !== undefined) this.#apply()
  }
  #progress(p: CallProgress): void {
    this.#tickAt = p.wakeInMs === undefined ? undefined : instant(this.#now + p.wakeInMs)
    for (const f of p.refused) this.#teller.note(f.code, f.message)
    for (const bytes of p.send) {
      if (p.carrier === 'message') this.#out.push({ kind: 'signal', call: this.#o.call, what: bytes })
      else if (p.carrier === 'server' && this.#sessions.meeting !== undefined) this.#out.push({ kind: 'send', message: { k: 'call-message', token: this.#sessions.meeting, message: bytes } })
    }
    if (p.state !== undefined && !same(p.state, this.#far)) {
      for (const text of changesOf(this.#far, p.state)) this.#teller.note('SEALED_CALL_STATE', text)
      this.#far = p.state
      this.#tell()
    }
    if (p.confirmed !== undefined && p.confirmed.epoch === 0) this.#confirmed(p.confirmed)
    else if (p.failed !== undefined) this.#failed(p.failed)
  }
  #confirmed(c: NonNullable<CallProgress['confirmed']>): void {
    this.#profile = c.profile === 'chained' ? c.profile : undefined
    this.#words = this.#sessions.confirm()
    // Under keys of their own it says so anew.
    this.#far = PRESENT
    this.#teller.missed(c.missed)
    const { event, note } = this.#party.judge(c)
    if (note !== undefined) this.#teller.note(note.code, note.text, true)
    this.#event(event)
  }
  #failed(fault: Fault): void {
    this.#sessions.fail()
    this.#teller.note(fault.code, fault.message, true)
    this.#event('failed')
  }

  /** Judged by the half second: single frames are lost and changed on any way. */
  #frames(opened: number, refused: number): void {
    if (!this.#sessions.keyed || (this.#state !== 'sealed' && this.#state !== 'lost')) return
    this.#unopened = refused > opened ? this.#unopened + 1 : 0
    if (this.#unopened >= UNOPENED) this.#sessions.heard ? this.#event('unopened') : this.#converted()
    else if (this.#state === 'lost' && opened > refused) this.#event('opened')
  }

  /** Keys stand, agreed on beside the sound, and no frame ever opened: the sound arrives as another. Agreeing again would lead here again. */
  #converted(): void {
    this.#teller.converts(true)
    if (this.#media !== undefined) this.#begin(this.#media.codec, false)
    this.#event('converts')
  }

  /** A person decided: with keys that stand it is sealed with whoever that is, without it is open. */
  #accepted(): void {
    if (this.#state === 'doubt' && this.#sessions.keyed) {
      this.#party.take()
      this.#enter('sealed')
    } else if (this.#state === 'doubt' || this.#state === 'asking' || this.#state === 'lost') {
      // Keys that stand never let anything out unsealed: an open call has none.
      const { keyed, broken } = this.#sessions
      if ((keyed || broken) && this.#media !== undefined) this.#begin(this.#media.codec, !broken)
      this.#event('accepted')
    }
  }

  #event(e: Event): void {
    if (e === 'found' && this.#bare) return
    const state = next(this.#state, e, this.#policy)
    if (state !== this.#state) this.#enter(state, e === 'opened')
  }
  /** `again`: under keys that stood before; what was to be said since may not have arrived, or could not be said. */
  #enter(state: State, again = false): void {
    this.#state = state
    this.#unopened = 0
    const limit = state === 'seeking' ? SEEK_MS : state === 'agreeing' ? AGREE_MS : state === 'lost' ? SEEK_AGAIN_MS : undefined
    this.#deadline = limit === undefined ? undefined : { at: instant(this.#now + limit), what: state === 'lost' ? 'seek' : 'nobody' }
    this.#apply()
    this.#tell()
    const tone = toneOf(state)
    if (tone !== undefined) this.#teller.tone(tone)
    if (state === 'asking') this.#teller.asks()
    if (state === 'sealed' && (again || !same(this.#own, PRESENT))) this.#sessions.say(this.#own)
  }
  #time(): void {
    const { at, what } = this.#deadline ?? {}
    if (at !== undefined && this.#now >= at) {
      this.#deadline = undefined
      if (what === 'nobody') this.#event('nobody')
      else this.#seekAgain()
    }
    if (this.#tickAt === undefined || this.#now < this.#tickAt) return
    this.#tickAt = undefined
    this.#step('tick')
  }
  #seekAgain(): void {
    if (this.#media?.codec === undefined || this.#sessions.current === undefined || this.#sessions.tried) return
    this.#sessions.beginBeside(this.#media.codec)
    this.#probe()
  }

  #apply(): void {
    if (this.#media === undefined) return
    const { current, old, keyed, beginning } = this.#sessions
    // Whatever led here: called sealed and without keys, nothing passes.
    const passes = this.#state === 'sealed' && !keyed ? passing('doubt', this.#policy) : passing(this.#state, this.#policy)
    // An open call needs no vault; one that is being begun has nothing that could pass yet. Words into one that was never looked for go through the gate.
    const apart = !this.#bare && current === undefined && !beginning && passes.up === 'pass' && passes.down === 'pass' && !this.#own.mute
    const sealed: SealedMedia = {
      ...this.#media, session: current ?? NO_SESSION, sealed: keyed, ...passes, ...(old === undefined ? {} : { old }), ...(this.#own.mute ? { muted: true } : {}), fillUp: this.#media.fillUp && this.#state !== 'early',
    }
    this.#out.push({ kind: 'media', command: { op: 'call.seal', call: this.#o.call, sealed: apart ? undefined : sealed } })
  }
  #tell(): void {
    const words = this.#sessions.keyed && (this.#state === 'sealed' || this.#state === 'doubt') ? this.#words : []
    this.#teller.call({ state: this.#state, words, ...(this.#profile === undefined ? {} : { profile: this.#profile }), ...(this.#far.hold ? { held: true } : {}), ...(this.#far.mute ? { muted: true } : {}) }, this.#party.peer)
  }
  #end(reason: string): void {
    this.#sessions.end()
    this.#deadline = this.#tickAt = undefined
    this.#over = true
    this.#out.push({ kind: 'event', event: { kind: 'phase', phase: 'left', at: this.#now, reason } }, { kind: 'over', reason })
  }
}
