/**
 * A telephone call of the page's phone: its microphone and speaker patched to the line, and who is at the other end, whom no certificate names.
 * What may be said of who can hear it is its roster's kind; where the call is sealed, or in a conference, that has a roster of its own.
 */
import { type Instant, instant } from '../../../base/brand.ts'
import type { Fault } from '../../../base/result.ts'
import type { CallEvent } from '../../../model/roster.ts'
import type { CallIn, CallMachine, CallOut, DialogNews } from '../../call.ts'

export interface LineMachineOptions {
  /** Safe to show. */
  readonly number: string
  readonly name: string
  /** The media thread's numbers of the page's sound and of the line. */
  readonly phone: number
  readonly leg: number
}

export class LineMachine implements CallMachine {
  readonly #o: LineMachineOptions
  #muted = false
  #held = false
  #out: CallOut[] = []
  #now: Instant = instant(0)
  #over = false

  constructor(options: LineMachineOptions) {
    this.#o = options
  }
  step(input: CallIn, now: Instant): { readonly out: readonly CallOut[] } {
    this.#now = now
    if (!this.#over) this.#handle(input)
    const out = this.#out
    this.#out = []
    return { out }
  }
  #handle(input: CallIn): void {
    if (input.kind === 'start') this.#start()
    else if (input.kind === 'dialog') this.#dialog(input.news)
    else if (input.kind === 'leave') this.#end('left')
    else if (input.kind === 'mute') {
      this.#muted = input.muted
      this.#patch()
      this.#event({ kind: 'note', at: this.#now, code: input.muted ? 'CLIENT_MUTED' : 'CLIENT_UNMUTED', text: input.muted ? 'You are muted' : 'You can be heard' })
    }
  }
  /** Patched from the beginning: ringing and announcements come before the answer. */
  #start(): void {
    const { number, name } = this.#o
    this.#patch()
    this.#event({
      kind: 'conference', at: this.#now, state: { current: true, locked: false, recorded: false, weAreHost: false, more: 0 },
      members: [], callers: [{ leaf: 1, number, name, self: false, presence: {} }],
    })
  }
  #dialog(news: DialogNews): void {
    if (news.kind === 'answered') {
      this.#event({ kind: 'phase', phase: 'member', at: this.#now })
      this.#out.push({ kind: 'joined' })
    } else if (news.kind === 'hold') {
      this.#held = news.held
      this.#patch()
    } else if (news.kind === 'over') this.#end(news.fault?.message ?? 'hung up', news.fault)
  }
  #patch(): void {
    const { phone, leg } = this.#o
    this.#out.push({ kind: 'media', command: { op: 'phone.patch', phone, with: leg, muted: this.#muted || this.#held } })
  }
  #event(event: CallEvent): void {
    this.#out.push({ kind: 'event', event })
  }
  #end(reason: string, fault?: Fault): void {
    this.#over = true
    this.#event({ kind: 'phase', phase: 'left', at: this.#now, reason })
    this.#out.push({ kind: 'over', reason, ...(fault === undefined ? {} : { fault }) })
  }
}
