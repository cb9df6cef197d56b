/** Keeps one contact registered (RFC 3261 §10.2): before it runs out, again after a failure, at once when there is a way again. */
import { type Instant, instant } from '../../../base/brand.ts'
import { toHex } from '../../../base/bytes.ts'
import type { Stop } from '../../../base/ports.ts'
import { type Fault, makeFault } from '../../../base/result.ts'
import { addressesOf, headerOf, makeAddress, noBody, paramOf, sameUri, secondsOf, type SipRequest, type SipResponse, type Uri } from '../../../protocol/sip/index.ts'
import type { LineHost } from './types.ts'
import { faultOf } from './words.ts'

const SECONDS = 600
/** Of the time that was granted. */
const AGAIN = 0.7
/** Not more often than that, s, however short the time is that was granted. */
const LEAST = 5
/** Granted for no time. */
const NOTHING_RETRY = 30
const FIRST_RETRY_MS = 5000
const LONGEST_RETRY_MS = 120_000
/** A wrong password is not tried more often: telephone systems lock who guesses out, and the server's relay counts. */
const PASSWORD_RETRY_MS = 300_000

export interface RegistrationOptions {
  readonly host: LineHost
  readonly own: Uri
  readonly registrar: Uri
  readonly contact: Uri
  readonly tell: (registered: boolean, fault?: Fault) => void
}

export class Registration {
  readonly #o: RegistrationOptions
  readonly #callId: string
  readonly #tag: string
  #cseq = 0
  #next: Stop | undefined
  #retryMs = FIRST_RETRY_MS
  /** Counts starts and losses: what was asked before is nobody's answer. */
  #round = 0
  #registered = false
  /** Those that wait for their answer. */
  #asking = 0
  #ending = false
  /** A wrong password is not shown again before that, whatever way there is. */
  #refusedUntil: Instant = instant(0)
  #seconds = SECONDS

  constructor(options: RegistrationOptions) {
    this.#o = options
    this.#callId = toHex(options.host.random.bytes(12))
    this.#tag = toHex(options.host.random.bytes(8))
  }
  start(): void {
    this.stop()
    this.#retryMs = FIRST_RETRY_MS
    const rest = this.#refusedUntil - this.#o.host.scheduler.now()
    if (rest <= 0) return this.#register()
    this.#later(rest)
    this.#is(false, makeFault('LINE_PASSWORD'))
  }
  lost(fault: Fault): void {
    this.stop()
    this.#is(false, fault)
  }
  /** No more; nobody is told. */
  stop(): void {
    this.#round++
    this.#next?.()
    this.#next = undefined
  }
  /** Calls are for somebody else from now on. */
  end(): void {
    this.stop()
    this.#ending = true
    // What is on its way may still be granted: it is given back then.
    if (this.#asking === 0) this.#giveBack()
  }
  #giveBack(): void {
    if (!this.#registered) return
    this.#registered = false
    this.#o.host.ask(() => this.#make(0), { response: () => undefined, failed: () => undefined })
  }

  #make(seconds: number): SipRequest {
    const { own, registrar, contact } = this.#o
    return {
      kind: 'request', method: 'REGISTER', uri: registrar, maxForwards: 70, via: [], from: makeAddress(own, [{ name: 'tag', value: this.#tag }]), to: makeAddress(own),
      callId: this.#callId, cseq: { number: ++this.#cseq, method: 'REGISTER' }, headers: [{ name: 'Contact', value: makeAddress(contact).text }, { name: 'Expires', value: String(seconds) }], body: noBody,
    }
  }
  #register(): void {
    const round = this.#round
    this.#asking++
    // Asked for the password in the end, it says goodbye instead.
    this.#o.host.ask(() => this.#make(this.#ending ? 0 : this.#seconds), {
      response: (r, sent) => {
        if (r.status < 200) return
        this.#asking--
        if (this.#ending) this.#ended(r, sent)
        else if (round === this.#round) this.#answered(r)
      },
      failed: () => {
        this.#asking--
        if (this.#ending) this.#giveBack()
        else if (round === this.#round) this.#failed(makeFault('LINE_NO_SERVICE'), this.#backOff())
      },
    })
  }
  #ended(r: SipResponse, sent: SipRequest): void {
    const left = headerOf(sent, 'Expires') !== '0'
    if (r.status < 300) this.#registered = left
    this.#giveBack()
  }
  #answered(r: SipResponse): void {
    if (r.status < 300) return this.#granted(r)
    const least = secondsOf(headerOf(r, 'Min-Expires'))
    // §10.2.8: as long as the registrar wants it, within reason.
    if (r.status === 423 && least !== undefined && least > this.#seconds && least <= 86_400) {
      this.#seconds = least
      return this.#register()
    }
    // 403 and 404: there is no such account, or its password is wrong.
    if (r.status === 401 || r.status === 407 || r.status === 403 || r.status === 404) this.#refused(makeFault('LINE_PASSWORD', String(r.status)))
    else this.#failed(faultOf(r), this.#backOff())
  }
  #granted(r: SipResponse): void {
    const mine = addressesOf(r, 'Contact').find((a) => sameUri(a.uri, this.#o.contact))
    const seconds = secondsOf(mine && paramOf(mine.params, 'expires')) ?? secondsOf(headerOf(r, 'Expires')) ?? this.#seconds
    this.#retryMs = FIRST_RETRY_MS
    this.#later((seconds === 0 ? NOTHING_RETRY : Math.max(LEAST, seconds * AGAIN)) * 1000)
    if (seconds > 0) this.#is(true)
    else this.#is(false, makeFault('LINE_REFUSED', 'registered for no time'))
  }
  #refused(fault: Fault): void {
    this.#refusedUntil = instant(this.#o.host.scheduler.now() + PASSWORD_RETRY_MS)
    this.#failed(fault, PASSWORD_RETRY_MS)
  }
  #failed(fault: Fault, retryMs: number): void {
    this.#later(retryMs)
    this.#is(false, fault)
  }
  #backOff(): number {
    const ms = this.#retryMs
    this.#retryMs = Math.min(LONGEST_RETRY_MS, ms * 2)
    return ms
  }
  #later(ms: number): void {
    const { scheduler } = this.#o.host
    this.#next?.()
    this.#next = scheduler.at(instant(scheduler.now() + ms), () => this.#register())
  }
  #is(registered: boolean, fault?: Fault): void {
    this.#registered = registered
    this.#o.tell(registered, fault)
  }
}
