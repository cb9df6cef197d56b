/** One call through a provider: looks for the other side's stc, agrees on keys with it, and says what may be heard (table.ts). */
import { type Instant, instant } from '../../../base/brand.ts'
import type { CallCarrier, CallCodec, CallProgress } from '../../../vault/api/calls.ts'
import { type CallNews, decodeNews } from '../../../vault/api/call-news.ts'
import type { CallIn, CallMachine, CallOut, DialogNews } from '../../call.ts'
import { type Described, describedOf, gateOf } from './gate.ts'
import type { SealedCallOptions } from './options.ts'
import { Party } from './party.ts'
import { Patience } from './patience.ts'
import { type SessionNews, Sessions } from './sessions.ts'
import { asks, type Event, next, type Policy, type State, toneOf } from './table.ts'
import { Teller } from './teller.ts'
import { Ways } from './ways.ts'

/** Halves of a second in which most frames did not open. */
const UNOPENED = 3

export class SealedCallMachine implements CallMachine {
  readonly #o: SealedCallOptions
  #state: State = 'early'
  #media: Described | undefined
  readonly #sessions: Sessions
  #words: readonly string[] = []
  #profile: 'chained' | undefined
  readonly #party: Party
  readonly #teller: Teller
  readonly #ways: Ways
  #unopened = 0
  readonly #patience = new Patience()
  #tickAt: Instant | undefined
  #out: CallOut[] = []
  #now: Instant = instant(0)
  #over = false
  readonly #known: boolean

  constructor(options: SealedCallOptions) {
    this.#o = options
    this.#party = new Party(options)
    const out = (o: CallOut): void => void this.#out.push(o)
    this.#teller = new Teller(options, this.#now, out)
    this.#sessions = new Sessions(options, { ask: (ref, request) => out({ kind: 'vault', ref, request }), note: (...note) => this.#teller.note(...note) })
    this.#ways = new Ways(options, this.#sessions, out)
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
    const wakeAt = Math.min(this.#patience.at, this.#tickAt ?? Number.POSITIVE_INFINITY)
    return wakeAt === Number.POSITIVE_INFINITY ? { out } : { out, wakeAt: instant(wakeAt) }
  }

  #handle(input: CallIn): void {
    if (input.kind === 'start') this.#tell()
    else if (input.kind === 'dialog') this.#dialog(input.news)
    else if (input.kind === 'vault') this.#answer(this.#sessions.answer(input.ref, input.result))
    else if (input.kind === 'mute') this.#mute(input.muted)
    else if (input.kind === 'accept') this.#accepted()
    else if (input.kind === 'compared') this.#compared(input.words)
    else if (input.kind === 'leave') this.#end('left')
    else if (input.kind === 'wire') this.#wire(input.message)
    else if (input.kind === 'media' && 'call' in input.event && input.event.call === this.#o.call) {
      const e = input.event
      if (e.op === 'call.news') for (const n of decodeNews(e.news)) this.#news(n)
      else if (e.op === 'call.frames') this.#frames(e.opened, e.refused)
      else if (e.op === 'call.digit' && asks(this.#state) && this.#patience.key.press(e.digit, this.#now)) this.#accepted()
    }
  }

  #dialog(news: DialogNews): void {
    if (news.kind === 'over') return this.#end('the call is over')
    if (news.kind === 'media') {
      const fresh = this.#media === undefined || this.#media.codec !== news.codec
      this.#media = describedOf(news)
      if (fresh) this.#renew(news.codec)
      else this.#apply()
    } else if (news.kind === 'no-codec') this.#unsealable(news)
    else if (news.kind === 'answered') {
      this.#event('answered')
      if (this.#bare) this.#event('unsealable')
      else if (this.#o.outgoing) this.#ways.probe()
    } else if (news.kind === 'reached') {
      this.#event('found')
      this.#step('start', 'message')
    } else if (news.kind === 'message') this.#step('message', 'message', news.bytes)
    else if (news.kind === 'hold') this.#sessions.stand({ hold: news.held })
    else this.#teller.fax()
  }

  /** Also in a call that is open. */
  #mute(muted: boolean): void {
    this.#teller.muted(muted)
    this.#sessions.stand({ mute: muted })
    this.#apply()
  }
  #wire(m: Extract<CallIn, { kind: 'wire' }>['message']): void {
    const what = this.#ways.came(m)
    if (what !== 'met') return what && this.#step('message', 'server', what)
    this.#event('found')
    this.#step('start', 'server')
  }

  /** Whoever describes a call anew gets silence, not the sound, until there are keys for it. */
  #renew(codec: CallCodec): void {
    this.#begin(codec)
    if (this.#sessions.barred && this.#state === 'doubt') return
    this.#event('renewed')
    if (this.#o.outgoing && this.#state !== 'early') this.#ways.probe()
  }
  /** The codec has no room for what sealing needs: there are no keys for it, and none are looked for. */
  get #bare(): boolean {
    return this.#media !== undefined && this.#media.codec === undefined
  }
  /** Its sound still goes through the gate, which is closed where nothing may pass, and tells of key presses. */
  #unsealable(news: Extract<DialogNews, { kind: 'no-codec' }>): void {
    const fresh = !this.#bare
    this.#media = describedOf(news)
    if (fresh) {
      this.#sessions.end()
      this.#tickAt = undefined
      this.#teller.forgets()
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
    else if (n.kind === 'meeting') this.#ways.meet(n.token)
    else if (n.kind === 'ready') {
      if (!this.#o.carriers.includes('in-band')) return
      this.#event('found')
      this.#step('start', 'in-band')
    } else if (n.kind === 'path' && n.path === 'converts') {
      this.#teller.converts()
      this.#event('converts')
    } else if (n.kind === 'low') this.#step('rekey', 'in-band')
    else if (n.kind === 'heard') {
      this.#sessions.heard = true
      this.#patience.heard()
    } else if (n.kind === 'back' && this.#sessions.old !== undefined && next(this.#state, 'opened', this.#policy) === 'sealed') {
      // What was lost opens again, the other party is back: also while another is being agreed with.
      this.#sessions.back()
      this.#event('opened')
    }
  }
  #step(input: 'start' | 'tick' | 'rekey' | 'message', carrier?: CallCarrier, message?: Uint8Array, sealed?: boolean): void {
    if (this.#sessions.current === undefined || this.#sessions.barred) return
    // Whoever is there now looks for us, and says it again.
    if (input === 'message' && sealed !== true && this.#state === 'lost' && this.#sessions.keyed) return this.#patience.urge(this.#now)
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
    // Nobody is told of a search, nor told by it, that found nobody: that is music on hold.
    const unfound = (f: CallProgress['failed']): boolean => f?.code === 'KEYAGREEMENT_TIMEOUT' && this.#sessions.old !== undefined
    for (const f of p.refused) if (!unfound(f)) this.#teller.note(f.code, f.message)
    if (!unfound(p.failed)) this.#ways.send(p)
    if (p.state !== undefined && this.#teller.says(p.state)) this.#tell()
    if (p.confirmed !== undefined && p.confirmed.epoch === 0) this.#confirmed(p.confirmed)
    else if (p.failed !== undefined) this.#failed(p.failed, !unfound(p.failed))
  }
  #confirmed(c: NonNullable<CallProgress['confirmed']>): void {
    this.#profile = c.profile === 'chained' ? c.profile : undefined
    this.#words = this.#sessions.confirm()
    // Under keys of their own it says so anew.
    this.#teller.forgets()
    this.#teller.missed(c.missed)
    const { event, note } = this.#party.judge(c)
    if (note !== undefined) this.#teller.note(note.code, note.text, true)
    this.#event(event)
  }
  #failed(fault: NonNullable<CallProgress['failed']>, told = true): void {
    if (told) this.#teller.note(fault.code, fault.message, true)
    // A change of keys: those that stand are as good as they were.
    if (this.#sessions.keyed) return
    this.#sessions.fail(fault)
    this.#unless('failed')
  }
  /** Where there are keys from before, they are listened for again. */
  #unless(e: 'failed' | 'nobody'): void {
    if (this.#sessions.old === undefined || (this.#state !== 'lost' && this.#state !== 'agreeing')) return this.#event(e)
    this.#sessions.back()
    if (this.#state === 'lost') this.#apply()
    else this.#enter('lost')
  }

  /** Judged by the half second: single frames are lost and changed on any way. */
  #frames(opened: number, refused: number): void {
    if (!this.#sessions.keyed || (this.#state !== 'sealed' && this.#state !== 'lost')) return
    // While our phone holds the call the other side hears music, and may look for another party.
    this.#unopened = refused > opened && !this.#sessions.own.hold ? this.#unopened + 1 : 0
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
    } else if (asks(this.#state)) {
      // Keys that stand never let anything out unsealed: an open call has none.
      const { keyed, broken, old } = this.#sessions
      if ((keyed || broken || old !== undefined) && this.#media !== undefined) this.#begin(this.#media.codec, !broken)
      this.#event('accepted')
    }
  }

  /** Whether the key is the number's to us, where there are words to tell by. */
  get #memory(): Party['memory'] {
    return this.#state === 'sealed' && this.#sessions.keyed && this.#words.length > 0 && this.#profile === undefined ? this.#party.memory : undefined
  }
  /** What was compared belongs to the keys that stand, or is of before. */
  #compared(words: readonly string[]): void {
    if (this.#memory !== 'new' || words.join(' ') !== this.#words.join(' ')) return
    this.#party.take()
    this.#tell()
  }

  #event(e: Event): void {
    if (e === 'found' && this.#bare) return
    if (e === 'opened') this.#patience.heard()
    const state = next(this.#state, e, this.#policy)
    if (state !== this.#state) this.#enter(state, e === 'opened')
  }
  /** `again`: under keys that stood before. */
  #enter(state: State, again = false): void {
    this.#state = state
    this.#unopened = 0
    this.#patience.begin(state, this.#now)
    this.#apply()
    this.#tell()
    const tone = toneOf(state)
    if (tone !== undefined) this.#teller.tone(tone)
    if (state === 'asking') this.#teller.asks()
    if (state === 'sealed') this.#sessions.sayAnew(again)
  }
  #time(): void {
    const due = this.#patience.due(this.#now, this.#tickAt !== undefined)
    if (due === 'nobody') this.#unless(due)
    else if (due === 'seek') this.#seekAgain()
    if (this.#patience.key.due(this.#now)) this.#accepted()
    if (this.#tickAt === undefined || this.#now < this.#tickAt) return
    this.#tickAt = undefined
    this.#step('tick')
  }
  #seekAgain(): void {
    if (this.#media?.codec === undefined || this.#sessions.current === undefined || this.#sessions.tried) return
    if (this.#sessions.old === undefined) this.#sessions.beginBeside(this.#media.codec)
    this.#ways.probe()
  }

  #apply(): void {
    if (this.#media === undefined) return
    const sealed = gateOf(this.#media, this.#sessions, this.#state, this.#policy)
    this.#out.push({ kind: 'media', command: { op: 'call.seal', call: this.#o.call, sealed } })
  }
  #tell(): void {
    const words = this.#sessions.keyed && (this.#state === 'sealed' || this.#state === 'doubt') ? this.#words : []
    const memory = this.#memory
    this.#teller.call({ state: this.#state, words, ...(memory === undefined ? {} : { memory }), ...(this.#profile === undefined ? {} : { profile: this.#profile }) }, this.#party.peer)
  }
  #end(reason: string): void {
    this.#sessions.end()
    this.#patience.end()
    this.#tickAt = undefined
    this.#over = true
    this.#out.push({ kind: 'event', event: { kind: 'phase', phase: 'left', at: this.#now, reason } }, { kind: 'over', reason })
  }
}
