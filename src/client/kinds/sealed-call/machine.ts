/** One call through a provider: looks for the other side's stc, agrees on keys with it, and says what may be heard (table.ts). */
import { signalTone } from '../../../audio/tones.ts'
import { type Instant, instant } from '../../../base/brand.ts'
import { sameBytes } from '../../../base/bytes.ts'
import type { ServerMessage } from '../../../protocol/wire/messages.ts'
import type { Fault, Result } from '../../../base/result.ts'
import type { SealedMedia } from '../../../media/api.ts'
import { displayName, type Identity, safeText } from '../../../model/identity.ts'
import type { CallCarrier, CallCodec, CallProgress } from '../../../vault/api/calls.ts'
import { type CallNews, decodeNews } from '../../../vault/api/call-news.ts'
import type { CallIn, CallMachine, CallOut, DialogNews, VaultRequest } from '../../call.ts'
import { mayBeCalled } from './number.ts'
import { type Event, next, passing, type Policy, type State, toneOf } from './table.ts'

export interface SealedCallOptions {
  /** The leg at the provider, which names the call to the media thread. */
  readonly call: number
  /** Dialled, or as the network says who calls. */
  readonly number: string
  readonly outgoing: boolean
  readonly policy: Policy
  /** What may bring the messages of the agreement, the best first. */
  readonly carriers: readonly CallCarrier[]
  /** That the two people know; the other side must have the same. */
  readonly password?: (number: string) => string | undefined
  /** The published cascade in place of all else: labelled, not authenticated. */
  readonly chained?: (number: string) => boolean
  /** Without our certificate: the words alone. */
  readonly anonymous: boolean
  /** The key that this number had the last time. */
  readonly expected: (number: string) => string | undefined
  /** Whom its certificate named then; empty where nobody vouched for it. */
  readonly nameOf: (number: string) => string | undefined
  readonly remember: (number: string, keyId: string, name: string) => void
}

const CONVERTS = 'The other side has stc, but the way between converts the sound: ask the provider for one codec on both sides'
/** The digit that accepts what is not sealed. */
export const ACCEPT = '*'
const SEEK_MS = 8000
/** As long as the vault tries. */
const AGREE_MS = 20_000
/** Halves of a second in which most frames did not open. */
const UNOPENED = 3
const SEEK_AGAIN_MS = 1500

const CARRIER_WORDS: Readonly<Record<CallCarrier, string>> = { server: 'over the server', message: 'in the signalling', 'in-band': 'in the sound' }

export class SealedCallMachine implements CallMachine {
  readonly #o: SealedCallOptions
  #policy: Policy
  #state: State = 'early'
  #media: Omit<SealedMedia, 'session' | 'sealed' | 'up' | 'down'> | undefined
  #session: number | undefined
  /** Of the keys that were lost, while others are being looked for: what opens under them ends the search. */
  #old: number | undefined
  #keyed = false
  #words: readonly string[] = []
  /** Of the agreement that runs: nobody's until its keys stand. */
  #nextWords: readonly string[] = []
  /** A password was tried, and the agreement did not come to its end. */
  #tried = false
  /** Of this session: nothing is agreed on any more, whoever asks for it. */
  #barred = false
  #profile: 'chained' | undefined
  /** Where the two meet at the server. */
  #meeting: Uint8Array | undefined
  /** What we told the other side of us, and it us. */
  #holds = false
  #held = false
  /** The agreement failed: these keys, if there are any, are nobody's. */
  #broken = false
  #peer: { readonly identity?: Identity; readonly keyId?: string } | undefined
  /** Who was taken for the other side, by a person or as there was nothing against it. */
  #taken: { readonly keyId?: string; readonly named: boolean } | undefined
  #unopened = 0
  /** A frame opened under the keys that stand. */
  #heard = false
  #deadline: { readonly at: Instant; readonly what: 'nobody' | 'seek' } | undefined
  #tickAt: Instant | undefined
  readonly #asked = new Map<number, { readonly call: VaultRequest['call']; readonly session: number | undefined }>()
  #nextRef = 1
  /** The session that is being begun, and still wanted. */
  #beginRef: number | undefined
  #out: CallOut[] = []
  #now: Instant = instant(0)
  #over = false

  constructor(options: SealedCallOptions) {
    this.#o = options
    // Once sealed, always required.
    this.#policy = options.expected(options.number) === undefined ? options.policy : 'require'
  }

  step(input: CallIn, now: Instant): { readonly out: readonly CallOut[]; readonly wakeAt?: Instant } {
    this.#now = now
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
    else if (input.kind === 'vault') this.#answer(input.ref, input.result)
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
    } else if (news.kind === 'answered') {
      this.#event('answered')
      if (this.#o.outgoing) this.#probe()
    } else if (news.kind === 'reached') {
      this.#event('found')
      this.#step('start', 'message')
    } else if (news.kind === 'message') this.#step('message', 'message', news.bytes)
    else if (news.kind === 'hold') this.#hold(news.held)
    else if (news.kind === 'fax') this.#note('SEALED_CALL_FAX', 'A fax as data (T.38) cannot be sealed and was refused: the call stays what it is, a fax has to go as sound', true)
    else this.#note('SEALED_CALL_NO_CODEC', 'The codec of this call cannot be sealed')
  }

  /** Whoever is called is asked; whoever calls asks. */
  #probe(): void {
    if (this.#o.carriers.includes('message')) this.#out.push({ kind: 'signal', call: this.#o.call, what: 'probe' })
  }
  #hold(held: boolean): void {
    if (held === this.#holds) return
    this.#holds = held
    this.#sayState()
  }
  #sayState(): void {
    if (this.#keyed && this.#session !== undefined) this.#ask({ call: 'call.state', args: { session: this.#session, hold: this.#holds, mute: false } })
  }
  #wire(m: ServerMessage): void {
    if ((m.k !== 'call-met' && m.k !== 'call-message') || this.#meeting === undefined || !sameBytes(m.token, this.#meeting)) return
    if (m.k === 'call-message') return this.#step('message', 'server', m.message)
    this.#event('found')
    this.#step('start', 'server')
  }

  /** Whoever describes a call anew gets silence, not the sound, until there are keys for it. */
  #renew(codec: CallCodec): void {
    this.#begin(codec)
    if (this.#barred && this.#state === 'doubt') return
    this.#event('renewed')
    if (this.#o.outgoing && this.#state !== 'early') this.#probe()
  }
  /** Another codec, another party: keys of their own. `seek`: the other side is looked for. */
  #begin(codec: CallCodec, seek = true): void {
    this.#endSession()
    this.#beginRef = this.#ask(this.#beginning(codec, seek))
  }
  #beginning(codec: CallCodec, seek: boolean): VaultRequest {
    const { carriers, anonymous, number } = this.#o
    const password = this.#o.password?.(number)
    this.#meeting = undefined
    this.#leave()
    this.#broken = false
    this.#barred = this.#tried
    // Not when the keys are confirmed: the first frame may be told of before that.
    this.#heard = false
    // What was sealed once is never less.
    return { call: 'call.begin', args: { codec, carriers: seek && !this.#barred ? carriers : [], anonymous, ...(password === undefined ? {} : { password }), ...(this.#o.chained?.(number) === true && this.#o.expected(number) === undefined ? { profile: 'chained' } : {}) } }
  }
  #endSession(): void {
    for (const session of [this.#session, this.#old]) if (session !== undefined) this.#ask({ call: 'call.end', args: { session } })
    this.#session = this.#old = this.#beginRef = undefined
    this.#keyed = false
  }

  #news(n: CallNews): void {
    if (n.kind === 'message') this.#step('message', 'in-band', n.bytes, n.sealed)
    else if (n.kind === 'meeting') {
      this.#meeting = n.token
      if (this.#o.carriers.includes('server')) this.#out.push({ kind: 'send', message: { k: 'call-meet', token: n.token } })
    } else if (n.kind === 'ready') {
      if (!this.#o.carriers.includes('in-band')) return
      this.#event('found')
      this.#step('start', 'in-band')
    } else if (n.kind === 'path' && n.path === 'converts') {
      this.#note('SEALED_CALL_CONVERTS', CONVERTS)
      this.#event('converts')
    } else if (n.kind === 'low') this.#step('rekey', 'in-band')
    else if (n.kind === 'heard') this.#heard = true
    // What was lost opens again: the other party is back. Also while another is being agreed with: music on hold is over before that.
    else if (n.kind === 'back' && this.#old !== undefined && (this.#state === 'lost' || this.#state === 'agreeing')) this.#back()
  }
  #back(): void {
    if (this.#session !== undefined) this.#ask({ call: 'call.end', args: { session: this.#session } })
    this.#session = this.#old
    // One that is being begun beside would take the place of the keys.
    this.#old = this.#beginRef = undefined
    this.#keyed = true
    this.#heard = true
    this.#barred = false
    this.#leave()
    this.#event('opened')
  }
  /** What ends after the words, and before its keys stood, may have been a try: another would be a second one. */
  #leave(): void {
    const begun = this.#nextWords.length > 0 && !this.#tried
    this.#nextWords = []
    if (!begun || this.#o.password?.(this.#o.number) === undefined) return
    this.#tried = true
    this.#note('KEYAGREEMENT_PASSWORD', 'An agreement did not come to its end: somebody in the way may try passwords. In this call there is no other', true)
  }
  #step(input: 'start' | 'tick' | 'rekey' | 'message', carrier?: CallCarrier, message?: Uint8Array, sealed?: boolean): void {
    if (this.#session === undefined || this.#barred) return
    // The agreement was begun by the other side: we may not have been told that it can hear us.
    if (input === 'message' && !this.#keyed) this.#event('found')
    this.#ask({ call: 'call.step', args: { session: this.#session, input, ...(carrier === undefined ? {} : { carrier }), ...(message === undefined ? {} : { message }), ...(sealed === undefined ? {} : { sealed }) } })
  }

  #answer(ref: number, result: Result<unknown>): void {
    const asked = this.#asked.get(ref)
    this.#asked.delete(ref)
    if (asked === undefined) return
    if (asked.call === 'call.begin') return this.#begun(ref, result as Result<{ readonly session: number }>)
    // Of a session that is no more, or of none.
    if (asked.call === 'call.end' || asked.session === undefined || asked.session !== this.#session) return
    if (!result.ok) return this.#failed(result.fault)
    if (asked.call === 'call.step') this.#progress(result.value as CallProgress)
  }
  #begun(ref: number, result: Result<{ readonly session: number }>): void {
    const wanted = ref === this.#beginRef
    if (wanted) this.#beginRef = undefined
    if (!wanted && result.ok) this.#ask({ call: 'call.end', args: { session: result.value.session } })
    else if (wanted && !result.ok) this.#failed(result.fault)
    else if (wanted && result.ok) {
      this.#session = result.value.session
      this.#apply()
    }
  }
  #progress(p: CallProgress): void {
    this.#tickAt = p.wakeInMs === undefined ? undefined : instant(this.#now + p.wakeInMs)
    for (const f of p.refused) this.#note(f.code, f.message)
    if (p.shortString !== undefined) this.#nextWords = p.shortString.words
    for (const bytes of p.send) {
      if (p.carrier === 'message') this.#out.push({ kind: 'signal', call: this.#o.call, what: bytes })
      else if (p.carrier === 'server' && this.#meeting !== undefined) this.#out.push({ kind: 'send', message: { k: 'call-message', token: this.#meeting, message: bytes } })
    }
    if (p.state !== undefined && p.state.hold !== this.#held) {
      this.#held = p.state.hold
      this.#note('SEALED_CALL_STATE', p.state.hold ? 'The other side holds the call' : 'The other side is back')
      this.#tell()
    }
    if (p.confirmed !== undefined && p.confirmed.epoch === 0) this.#confirmed(p.confirmed)
    else if (p.failed !== undefined) this.#failed(p.failed)
  }
  #confirmed({ identity, keyId, numbers = [], profile, missed }: NonNullable<CallProgress['confirmed']>): void {
    this.#profile = profile === 'chained' ? profile : undefined
    this.#words = this.#nextWords
    this.#nextWords = []
    if (missed.length > 0) this.#note('SEALED_CALL_CARRIER', `Both sides could agree on keys ${missed.map((c) => CARRIER_WORDS[c]).join(' and ')}, and that led nowhere: something on the way takes it out. The keys are as good`)
    const expected = this.#o.expected(this.#o.number)
    const before = this.#taken ?? (expected === undefined ? undefined : { keyId: expected, named: (this.#o.nameOf(this.#o.number) ?? '') !== '' })
    this.#keyed = true
    if (this.#old !== undefined) this.#ask({ call: 'call.end', args: { session: this.#old } })
    this.#old = undefined
    this.#peer = { ...(identity === undefined ? {} : { identity }), ...(keyId === undefined ? {} : { keyId }) }
    const doubt = before === undefined ? undefined : this.#doubtOf(before)
    if (doubt !== undefined) {
      this.#note('SEALED_CALL_ANOTHER_KEY', `${doubt}: nobody hears you. Press ${ACCEPT} to talk all the same, or hang up`, true)
      return this.#event('mismatch')
    }
    const fits = mayBeCalled(numbers, this.#o.number)
    if (before === undefined && !fits) {
      this.#note('SEALED_CALL_OTHER_NUMBER', `The certificate of who is there is for ${safeText(numbers.join(', '), 128)}, not for ${safeText(this.#o.number, 64)}${this.#o.outgoing ? `: nobody hears you. Press ${ACCEPT} to talk all the same, or hang up` : ''}`, true)
      // What we dialled is what we meant; who calls is the network's word, and the certificate is better.
      if (this.#o.outgoing) return this.#event('mismatch')
    }
    if (this.#profile === undefined) this.#know(fits || expected !== undefined)
    this.#event('confirmed')
    if (this.#holds) this.#sayState()
  }
  /** Why who is there now may not be who was: another key, nobody any more who vouches for it, or no key at all by which to tell. */
  #doubtOf(before: { readonly keyId?: string; readonly named: boolean }): string | undefined {
    const { identity, keyId } = this.#peer ?? {}
    if (keyId !== before.keyId) return `Somebody else answers than before under ${safeText(this.#o.number, 64)}`
    if (before.named && identity === undefined) return `Nobody vouches any more for the certificate of ${safeText(this.#o.number, 64)}`
    // The same password is the same people.
    return keyId === undefined && this.#o.password?.(this.#o.number) === undefined ? 'New keys without a certificate: the words have changed and have to be compared again' : undefined
  }
  /** Beyond this call only what is this number's: the network's word of who calls makes no key its. */
  #know(remember = true): void {
    this.#policy = 'require'
    const { identity, keyId } = this.#peer ?? {}
    this.#taken = { named: identity !== undefined, ...(keyId === undefined ? {} : { keyId }) }
    if (keyId !== undefined && remember) this.#o.remember(this.#o.number, keyId, identity === undefined ? '' : displayName(identity))
  }
  #failed(fault: Fault): void {
    this.#broken = true
    // It is told of by its own name.
    if (!this.#keyed && this.#o.password?.(this.#o.number) !== undefined) this.#tried = true
    this.#note(fault.code, fault.message, true)
    this.#event('failed')
  }

  /** Judged by the half second: single frames are lost and changed on any way. */
  #frames(opened: number, refused: number): void {
    if (!this.#keyed || (this.#state !== 'sealed' && this.#state !== 'lost')) return
    this.#unopened = refused > opened ? this.#unopened + 1 : 0
    if (this.#unopened >= UNOPENED) this.#heard ? this.#event('unopened') : this.#converted()
    else if (this.#state === 'lost' && opened > refused) this.#event('opened')
  }

  /** Keys stand, agreed on beside the sound, and no frame ever opened: the sound arrives as another. Agreeing again would lead here again. */
  #converted(): void {
    this.#note('SEALED_CALL_CONVERTS', CONVERTS, true)
    if (this.#media !== undefined) this.#begin(this.#media.codec, false)
    this.#event('converts')
  }

  /** A person decided: with keys that stand it is sealed with whoever that is, without it is open. */
  #accepted(): void {
    if (this.#state === 'doubt' && this.#keyed) {
      this.#know()
      this.#enter('sealed')
    } else if (this.#state === 'doubt' || this.#state === 'asking' || this.#state === 'lost') {
      // Keys that stand never let anything out unsealed: an open call has none.
      if ((this.#keyed || this.#broken) && this.#media !== undefined) this.#begin(this.#media.codec, !this.#broken)
      this.#event('accepted')
    }
  }

  #event(e: Event): void {
    const state = next(this.#state, e, this.#policy)
    if (state !== this.#state) this.#enter(state)
  }
  #enter(state: State): void {
    this.#state = state
    this.#unopened = 0
    const limit = state === 'seeking' ? SEEK_MS : state === 'agreeing' ? AGREE_MS : state === 'lost' ? SEEK_AGAIN_MS : undefined
    this.#deadline = limit === undefined ? undefined : { at: instant(this.#now + limit), what: state === 'lost' ? 'seek' : 'nobody' }
    this.#apply()
    this.#tell()
    const tone = toneOf(state)
    if (tone !== undefined) this.#out.push({ kind: 'media', command: { op: 'call.play', call: this.#o.call, pcm: signalTone(tone) } })
    if (state === 'asking') this.#note('SEALED_CALL_ASKS', `This call is not sealed: nobody hears you. Press ${ACCEPT} to talk all the same`, true)
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
  /** Whoever is there now is looked for, and whoever was there is listened for. */
  #seekAgain(): void {
    if (this.#media === undefined || this.#session === undefined || this.#tried) return
    // Without keys every frame opens, and would be taken for the other side.
    if (this.#keyed) this.#old = this.#session
    else this.#endSession()
    this.#session = undefined
    this.#keyed = false
    this.#beginRef = this.#ask(this.#beginning(this.#media.codec, true))
    this.#probe()
  }

  #apply(): void {
    if (this.#media === undefined || this.#session === undefined) return
    // Whatever led here: called sealed and without keys, nothing passes.
    const passes = this.#state === 'sealed' && !this.#keyed ? passing('doubt', this.#policy) : passing(this.#state, this.#policy)
    const sealed: SealedMedia = { ...this.#media, session: this.#session, sealed: this.#keyed, ...passes, ...(this.#old === undefined ? {} : { old: this.#old }), fillUp: this.#media.fillUp && this.#state !== 'early' }
    this.#out.push({ kind: 'media', command: { op: 'call.seal', call: this.#o.call, sealed } })
  }
  #tell(): void {
    const { identity, keyId } = this.#peer ?? {}
    this.#out.push({ kind: 'event', event: { kind: 'sealed-call', at: this.#now, state: this.#state, number: safeText(this.#o.number, 64), words: this.#keyed && (this.#state === 'sealed' || this.#state === 'doubt') ? this.#words : [], ...(identity === undefined ? {} : { peer: identity }), ...(keyId === undefined ? {} : { keyId }), ...(this.#profile === undefined ? {} : { profile: this.#profile }), ...(this.#held ? { held: true } : {}) } })
  }
  #note(code: string, text: string, prominent?: true): void {
    this.#out.push({ kind: 'event', event: { kind: 'note', at: this.#now, code, text, ...(prominent === undefined ? {} : { prominent }) } })
  }
  #ask(request: VaultRequest): number {
    const ref = this.#nextRef++
    this.#asked.set(ref, { call: request.call, session: this.#session })
    this.#out.push({ kind: 'vault', ref, request })
    return ref
  }
  #end(reason: string): void {
    this.#endSession()
    this.#deadline = this.#tickAt = undefined
    this.#over = true
    this.#out.push({ kind: 'event', event: { kind: 'phase', phase: 'left', at: this.#now, reason } }, { kind: 'over', reason })
  }
}
