/** Which calls run through providers, read off what passes between the two halves: who is called, when it is answered, which codec it has. */
import { isNobody, sameNumber } from '../../model/telephone-number.ts'
import { type SipMessage, type SipRequest, tagOf, unescapeUri, type Uri } from '../../protocol/sip/index.ts'
import { type DescribedAudio, isEmergencyUri, type TunnelMessage } from '../../telephony/relay/index.ts'
import type { OtherCodec } from '../../media/api.ts'
import type { PhoneLeg } from '../../model/roster.ts'
import type { DialogNews } from '../call.ts'
import { phoneLegAt } from '../phone-leg.ts'
import type { LegNews } from './media.ts'

export interface WatchedCall {
  /** The leg at the provider. */
  readonly call: number
  readonly number: string
  readonly outgoing: boolean
  /** Domain of the account that it runs on; empty where that is not known. */
  readonly account: string
  /** The network does not say who calls. */
  readonly withheld: boolean
  /** As its SIP names it, at both sides. */
  readonly callId: string
}

/** Where the phone of a call takes its packets, by its own description. */
export interface PhoneOfCall {
  readonly callId: string
  readonly address: string
  readonly port: number
  /** How its sound gets here; undefined: as before. */
  readonly leg: PhoneLeg | undefined
}

export interface WatchOptions {
  readonly isEmergency: (number: string) => boolean
  readonly onCall: (call: WatchedCall) => void
  readonly onPhone?: (call: number, at: PhoneOfCall) => void
  readonly onNews: (call: number, news: DialogNews) => void
}

const CODECS = ['g722', 'pcmu', 'pcma'] as const
const REMEMBERED = 500

type Invite = Omit<WatchedCall, 'call'>

export class CallWatch {
  readonly #o: WatchOptions
  /** Beginning calls by direction and number of the request. */
  readonly #invites = new Map<string, Invite>()
  readonly #calls = new Map<number, Invite>()
  /** Described before it was known which call it is: answered with nothing before the 200. */
  readonly #early = new Map<number, LegNews>()

  constructor(options: WatchOptions) {
    this.#o = options
  }

  readonly passing = (towards: 'provider' | 'phone', m: TunnelMessage, parsed: SipMessage | undefined, account: string): void => {
    if (m.k === 'sip-request' && parsed?.kind === 'request' && parsed.method === 'INVITE' && tagOf(parsed.to) === '') {
      // Nothing stands between a caller and help, nor listens.
      if (isEmergencyUri(parsed.uri, this.#o.isEmergency)) return
      const outgoing = towards === 'provider'
      const uri = outgoing ? parsed.uri : parsed.from.uri
      const number = userOf(uri)
      const invite = { number, outgoing, account, withheld: !outgoing && isWithheld(parsed), callId: parsed.callId }
      this.#invites.set(`${towards} ${m.id}`, invite)
      if (this.#invites.size > REMEMBERED) this.#invites.delete(this.#invites.keys().next().value!)
      if (m.streams !== undefined) this.#known(m.streams.up, invite)
    } else if (m.k === 'sip-response' && parsed?.kind === 'response' && parsed.cseq.method === 'INVITE') {
      const invite = this.#invites.get(`${towards === 'phone' ? 'provider' : 'phone'} ${m.id}`)
      if (invite === undefined) return
      if (m.streams !== undefined) this.#known(m.streams.up, invite)
      const call = [...this.#calls].find(([, i]) => i === invite)?.[0]
      if (call !== undefined && parsed.status >= 200 && parsed.status < 300) this.#o.onNews(call, { kind: 'answered' })
    }
  }
  #known(call: number, invite: Invite): void {
    if (this.#calls.has(call)) return
    this.#calls.set(call, invite)
    this.#o.onCall({ call, ...invite })
    const described = this.#early.get(call)
    this.#early.delete(call)
    if (described !== undefined) this.onDescribed(described)
  }

  readonly onDescribed = (news: LegNews): void => {
    const { call, side, local, far, answeredBy } = news
    const known = this.#calls.get(call)
    if (known !== undefined && side === 'phone' && local !== undefined) this.#o.onPhone?.(call, { callId: known.callId, address: local.address, port: local.port, leg: phoneLegAt(local.address, local.srtp !== undefined) })
    if (local === undefined || far === undefined) return
    // What is offered is not so yet, and may be refused.
    if (side === 'provider' && answeredBy === undefined) return
    if (known === undefined) return side === 'provider' ? this.#remember(news) : undefined
    if (side === 'phone') return this.#o.onNews(call, { kind: 'hold', held: !local.receives })
    const [answer, offer] = answeredBy === 'local' ? [local, far] : [far, local]
    const format = answer.formats.find((f) => has(offer, f.name) && f.name !== 'telephone-event' && f.name !== 'cn')
    const codec = CODECS.find((c) => c === format?.name)
    const keys = keysOf(local, format?.clockHz)
    const { receives } = local
    if (format === undefined || codec === undefined) return this.#o.onNews(call, { kind: 'no-codec', receives, ...otherCodec(format?.name, local, far), ...keys })
    this.#o.onNews(call, { kind: 'media', codec, payloadType: format.payloadType, receives, ...keys })
  }
  #remember(news: LegNews): void {
    this.#early.set(news.call, news)
    if (this.#early.size > REMEMBERED) this.#early.delete(this.#early.keys().next().value!)
  }
  callsOf(callId: string): number[] {
    return [...this.#calls].flatMap(([call, i]) => (i.callId === callId ? [call] : []))
  }
  readonly onClosed = (call: number): void => {
    this.#early.delete(call)
    if (this.#calls.delete(call)) this.#o.onNews(call, { kind: 'over' })
  }
}

const userOf = (uri: Uri): string => (uri.kind === 'sip' ? (unescapeUri(uri.user ?? '') ?? '') : uri.text.replace(/^[a-z]+:/i, ''))
/** Nobody's name (RFC 3323 §4.1.1.3), or our own number: what trunks put in where they know nothing. */
function isWithheld({ from, to, uri }: SipRequest): boolean {
  const caller = userOf(from.uri)
  return isNobody(caller) || (from.uri.kind === 'sip' && from.uri.host.toLowerCase() === 'anonymous.invalid') || [to.uri, uri].some((own) => sameNumber(userOf(own), caller))
}

const has = (d: DescribedAudio, name: string): boolean => d.formats.some((f) => f.name === name)

/** By what type a phone sends its keys: by the clock of its sound (RFC 4733 §2.1), or by whatever clock there is. */
function keysOf({ formats }: DescribedAudio, clockHz = 8000): { telephoneEvent?: number } {
  const events = formats.filter((f) => f.name === 'telephone-event')
  const event = events.find((f) => f.clockHz === clockHz) ?? events[0]
  return event === undefined ? {} : { telephoneEvent: event.payloadType }
}
/** Each side names the types that it takes (RFC 3264 §6.1). */
function otherCodec(name: string | undefined, provider: DescribedAudio, phone: DescribedAudio): { other?: OtherCodec } {
  const [there, here] = [provider, phone].map((d) => d.formats.find((f) => f.name === name)?.payloadType)
  return name === undefined || there === undefined || here === undefined ? {} : { other: { name, takes: here, sends: there } }
}
