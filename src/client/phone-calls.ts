/** The calls as their phones see them: ringing, answered once the room and the port are there, digits, hang-up. */
import { signalTone } from '../audio/tones.ts'
import type { HandsetMedia, MediaCommand } from '../media/api.ts'
import type { CallEvent, PhoneLeg, Roster } from '../model/roster.ts'
import type { RunningCall } from './calls.ts'
import type { CallRef, Handset, HandsetEvent } from './handset/port.ts'
import { phoneLegOf } from './phone-leg.ts'
import { signalFor } from './signals.ts'
import { stateTeller } from './speech/announcer.ts'
import { codeSpoken, labelSpoken, NOT_HOST, type Speak, type Spoken, spokenFor, whoIsHere } from './speech/spoken.ts'

type Dial = Extract<HandsetEvent, { kind: 'dial' }>

export interface PhoneCall {
  readonly ref: CallRef
  readonly handset: Handset
  readonly contact: string
  /** The media thread's number for this phone leg. */
  readonly phone: number
  running: RunningCall | undefined
  answered: boolean
  /** A person listens; robots need no signals. */
  readonly person: boolean
  joined: boolean
  /** How its sound gets here. */
  leg: PhoneLeg | undefined
  /** Our RTP port towards the phone, once it is open. */
  local: { readonly address: string; readonly port: number } | undefined
  digits: string
}

export class PhoneCalls {
  readonly #calls = new Map<CallRef, PhoneCall>()
  readonly #media: (c: MediaCommand) => void
  /** A call lost its last phone. */
  readonly #onAbandoned: (call: RunningCall) => void
  readonly #voice: Speak | undefined

  constructor(media: (c: MediaCommand) => void, onAbandoned: (call: RunningCall) => void, voice?: Speak) {
    this.#voice = voice
    this.#media = media
    this.#onAbandoned = onAbandoned
  }

  get(ref: CallRef): PhoneCall | undefined {
    return this.#calls.get(ref)
  }
  byPhone(phone: number): PhoneCall | undefined {
    return this.all.find((p) => p.phone === phone)
  }
  of(call: RunningCall): PhoneCall[] {
    return this.all.filter((p) => p.running === call)
  }
  get all(): PhoneCall[] {
    return [...this.#calls.values()]
  }

  /** 180 to the phone, a leg for its sound. */
  open(handset: Handset, e: Dial, phone: number): PhoneCall {
    const p: PhoneCall = { ref: e.call, handset, contact: e.contact, phone, running: undefined, answered: false, person: e.media.kind !== 'pcm', joined: false, leg: phoneLegOf(e.media), local: undefined, digits: '' }
    this.#calls.set(e.call, p)
    handset.command({ kind: 'ringing', call: e.call })
    this.#media({ op: 'phone.open', phone, bind: bindFor(e.media), media: e.media })
    return p
  }

  /** Another codec, address or direction. */
  changed(p: PhoneCall, media: HandsetMedia): void {
    this.#media({ op: 'phone.set', phone: p.phone, media })
    p.leg = phoneLegOf(media) ?? p.leg
    p.running?.phoneIs(p.leg)
  }

  /** A phone that crashed and dials the same room again keeps its membership (DESIGN §5). */
  sameCaller(handset: Handset, e: Dial, room: string): RunningCall | undefined {
    return this.all.find((p) => p.handset === handset && personOf(p.contact) === personOf(e.contact) && p.running?.over === false && p.running.name === room)?.running
  }

  /** 200 OK once we are in the group and our port is known. */
  answer(p: PhoneCall, news: { readonly joined?: true; readonly local?: PhoneCall['local'] }): void {
    if (news.joined === true) p.joined = true
    if (news.local !== undefined) p.local = news.local
    if (p.answered || !p.joined || p.local === undefined) return
    p.answered = true
    p.handset.command({ kind: 'answer', call: p.ref, local: p.local })
    // Of a telephone call the page shows it, and the other side speaks at once.
    const label = p.running === undefined || p.running.line !== undefined ? undefined : labelSpoken(p.running.roster)
    if (label !== undefined) void this.#say(p, label)
  }

  /** What happens in the call, for ears: a tone, and words where a tone is not enough. */
  event(call: RunningCall, e: CallEvent): void {
    const [tone, words] = [signalFor(e), spokenFor(call.roster, e)]
    for (const p of this.of(call)) {
      if (tone !== undefined && p.answered && p.person) this.#media({ op: 'phone.play', phone: p.phone, pcm: signalTone(tone) })
      if (words !== undefined) void this.#say(p, words)
    }
  }
  /** What the phone of a call through a provider is told, by the leg there. */
  throughProvider(leg: number): (r: Roster) => void {
    return stateTeller(this.#voice, (pcm) => this.#media({ op: 'call.play', call: leg, pcm }))
  }
  async #say(p: PhoneCall, words: Spoken): Promise<void> {
    if (this.#voice === undefined || !p.answered || !p.person) return
    const pcm = await this.#voice(words)
    if (pcm !== undefined && this.#calls.get(p.ref) === p) this.#media({ op: 'phone.play', phone: p.phone, pcm })
  }

  /** Interpreted here and never sent on (DESIGN §5): `*1` mutes and unmutes, `*5` tells who is here, `*6` the security code, `*7` locks and unlocks. */
  digit(p: PhoneCall | undefined, digit: string): void {
    if (p === undefined) return
    // To the other end: menus and mailboxes have keys of their own.
    if (p.running?.line !== undefined) return p.running.line.digit(digit)
    p.digits = (p.digits + digit).slice(-2)
    const call = p.running
    if (call === undefined) return
    if (p.digits === '*1') call.toggleMute()
    else if (p.digits === '*5') void this.#say(p, whoIsHere(call.roster))
    else if (p.digits === '*6') void this.#say(p, codeSpoken(call.roster))
    else if (p.digits === '*7') this.#lock(p, call)
  }

  #lock(p: PhoneCall, call: RunningCall): void {
    // Owners are hosts too.
    if (call.roster.members.find((m) => m.self)?.role === undefined) return void this.#say(p, NOT_HOST)
    call.input({ kind: 'command', command: { do: 'decide', decision: { act: call.roster.policy?.state.locked === true ? 'unlock' : 'lock' } } })
  }

  /** Ends it from our side, in the way that its state asks for. */
  hangUp(p: PhoneCall, reason: string, status: number): void {
    p.running = undefined
    p.handset.command(p.answered ? { kind: 'hangup', call: p.ref, reason } : { kind: 'refuse', call: p.ref, status, reason })
    this.ended(p)
  }

  /** It will have no sound: it hears why, and its call goes when nobody else is in it. */
  failed(p: PhoneCall, reason: string): void {
    const call = p.running
    this.hangUp(p, reason, 500)
    if (call !== undefined && this.of(call).length === 0) this.#onAbandoned(call)
  }

  ended(p: PhoneCall): void {
    if (!this.#calls.delete(p.ref)) return
    this.#media({ op: 'phone.close', phone: p.phone })
    const call = p.running
    p.running = undefined
    if (call !== undefined && this.of(call).length === 0) this.#onAbandoned(call)
  }
}

/** User and host without the port: a softphone takes another one at each start. */
const personOf = (contact: string): string => contact.replace(/:\d+$/, '')

/** The address of ours that this phone can reach: loopback for loopback. */
function bindFor(media: HandsetMedia): string {
  if (media.kind !== 'rtp') return ''
  const { address } = media.remote
  if (address.startsWith('127.')) return '127.0.0.1'
  if (address === '::1') return '::1'
  return address.includes(':') ? '::' : '0.0.0.0'
}
