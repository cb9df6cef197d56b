/**
 * The vault's sessions of one call: the one that counts, the one from before it while another party is looked for, and one that is being begun. An answer
 * of the vault for any other is dropped, and what it began for nobody is ended.
 */
import { sameBytes } from '../../../base/bytes.ts'
import type { Fault, Result } from '../../../base/result.ts'
import type { CallCarrier, CallCodec, CallProgress } from '../../../vault/api/calls.ts'
import type { VaultRequest } from '../../call.ts'
import type { SealedCallOptions } from './options.ts'
import { PRESENT, same, type Standing } from './standing.ts'

export type SessionNews =
  | { readonly kind: 'begun' }
  | { readonly kind: 'progress'; readonly progress: CallProgress }
  | { readonly kind: 'failed'; readonly fault: Fault }

export interface SessionsPorts {
  readonly ask: (ref: number, request: VaultRequest) => void
  readonly note: (code: string, text: string, prominent: true) => void
}

export class Sessions {
  readonly #o: SealedCallOptions
  readonly #ports: SessionsPorts
  readonly #asked = new Map<number, { readonly call: VaultRequest['call']; readonly session: number | undefined }>()
  #nextRef = 1
  #current: number | undefined
  #old: number | undefined
  /** The session that is being begun, and still wanted. */
  #beginRef: number | undefined
  #keyed = false
  #broken = false
  #tried = false
  #barred = false
  /** Of the agreement that runs: nobody's until its keys stand. */
  #words: readonly string[] = []
  /** A frame opened under the keys that stand. */
  heard = false
  /** What we say of ourselves, under whatever keys there are. */
  #own = PRESENT
  /** Where the two meet at the server. */
  meeting: Uint8Array | undefined

  constructor(options: SealedCallOptions, ports: SessionsPorts) {
    this.#o = options
    this.#ports = ports
  }
  meetsAt(token: Uint8Array): boolean {
    return this.meeting !== undefined && sameBytes(token, this.meeting)
  }
  get current(): number | undefined {
    return this.#current
  }
  /** Of the keys that were lost, while others are being looked for: what opens under them ends the search. */
  get old(): number | undefined {
    return this.#old
  }
  get beginning(): boolean {
    return this.#beginRef !== undefined
  }
  get keyed(): boolean {
    return this.#keyed
  }
  /** The agreement failed: these keys, if there are any, are nobody's. */
  get broken(): boolean {
    return this.#broken
  }
  /** A password was tried, and the agreement did not come to its end. */
  get tried(): boolean {
    return this.#tried
  }
  /** Of this session: nothing is agreed on any more, whoever asks for it. */
  get barred(): boolean {
    return this.#barred
  }

  /** Another codec, another party: keys of their own. `seek`: the other side is looked for. */
  begin(codec: CallCodec, seek = true): void {
    this.end()
    this.#begin(codec, seek)
  }
  /** Whoever is there now is looked for, and whoever was there is listened for. */
  beginBeside(codec: CallCodec): void {
    // Without keys every frame opens, and would be taken for the other side.
    if (this.#keyed) this.#old = this.#current
    else this.end()
    this.#current = undefined
    this.#keyed = false
    this.#begin(codec, true)
  }
  #begin(codec: CallCodec, seek: boolean): void {
    const { carriers, anonymous, number } = this.#o
    const password = this.#o.password?.(number)
    this.meeting = undefined
    this.#leave()
    this.#broken = false
    this.#barred = this.#tried
    // Not when the keys are confirmed: the first frame may be told of before that.
    this.heard = false
    // What was sealed once is never less.
    const chained = this.#o.chained?.(number) === true && this.#o.expected(number) === undefined
    this.#beginRef = this.#ask({ call: 'call.begin', args: { codec, carriers: seek && !this.#barred ? carriers : [], anonymous, ...(password === undefined ? {} : { password }), ...(chained ? { profile: 'chained' } : {}) } })
  }
  /** To the keys from before. */
  back(): void {
    if (this.#current !== undefined) this.#ask({ call: 'call.end', args: { session: this.#current } })
    this.#current = this.#old
    // One that is being begun beside would take the place of the keys.
    this.#old = this.#beginRef = undefined
    this.#keyed = true
    this.heard = true
    this.#barred = this.#broken = false
    this.#leave()
  }
  end(): void {
    for (const session of [this.#current, this.#old]) if (session !== undefined) this.#ask({ call: 'call.end', args: { session } })
    this.#current = this.#old = this.#beginRef = undefined
    this.#keyed = false
  }

  step(input: 'start' | 'tick' | 'rekey' | 'message', carrier?: CallCarrier, message?: Uint8Array, sealed?: boolean): void {
    if (this.#current !== undefined) this.#ask({ call: 'call.step', args: { session: this.#current, input, ...(carrier === undefined ? {} : { carrier }), ...(message === undefined ? {} : { message }), ...(sealed === undefined ? {} : { sealed }) } })
  }
  get own(): Standing {
    return this.#own
  }
  stand(changed: Partial<Standing>): void {
    const now = { ...this.#own, ...changed }
    if (same(now, this.#own)) return
    this.#own = now
    this.#say()
  }
  /** The keys stand. `again`: they did before; what was to be said since may not have arrived, or could not be said. */
  sayAnew(again: boolean): void {
    if (again || !same(this.#own, PRESENT)) this.#say()
  }
  #say(): void {
    if (this.#keyed && this.#current !== undefined) this.#ask({ call: 'call.state', args: { session: this.#current, ...this.#own } })
  }

  answer(ref: number, result: Result<unknown>): SessionNews | undefined {
    const asked = this.#asked.get(ref)
    this.#asked.delete(ref)
    if (asked === undefined) return undefined
    if (asked.call === 'call.begin') return this.#begun(ref, result as Result<{ readonly session: number }>)
    // Of a session that is no more, or of none.
    if (asked.call === 'call.end' || asked.session === undefined || asked.session !== this.#current) return undefined
    if (!result.ok) return { kind: 'failed', fault: result.fault }
    if (asked.call !== 'call.step') return undefined
    const progress = result.value as CallProgress
    if (progress.shortString !== undefined) this.#words = progress.shortString.words
    return { kind: 'progress', progress }
  }
  #begun(ref: number, result: Result<{ readonly session: number }>): SessionNews | undefined {
    const wanted = ref === this.#beginRef
    if (wanted) this.#beginRef = undefined
    if (!wanted) {
      if (result.ok) this.#ask({ call: 'call.end', args: { session: result.value.session } })
      return undefined
    }
    if (!result.ok) return { kind: 'failed', fault: result.fault }
    this.#current = result.value.session
    return { kind: 'begun' }
  }

  /** The keys stand; gives their words. */
  confirm(): readonly string[] {
    const words = this.#words
    this.#words = []
    this.#keyed = true
    if (this.#old !== undefined) this.#ask({ call: 'call.end', args: { session: this.#old } })
    this.#old = undefined
    return words
  }
  fail({ code }: Fault): void {
    this.#broken = true
    // Where nobody has answered nothing was tried. All else is told of by its own name.
    if (code === 'KEYAGREEMENT_TIMEOUT' && this.#words.length === 0) return
    if (!this.#keyed && this.#o.password?.(this.#o.number) !== undefined) this.#tried = true
  }
  /** What ends after the words, and before its keys stood, may have been a try: another would be a second one. */
  #leave(): void {
    const begun = this.#words.length > 0 && !this.#tried
    this.#words = []
    if (!begun || this.#o.password?.(this.#o.number) === undefined) return
    this.#tried = true
    this.#ports.note('KEYAGREEMENT_PASSWORD', 'An agreement did not come to its end: somebody in the way may try passwords. In this call there is no other', true)
  }

  #ask(request: VaultRequest): number {
    const ref = this.#nextRef++
    this.#asked.set(ref, { call: request.call, session: this.#current })
    this.#ports.ask(ref, request)
    return ref
  }
}
