/**
 * Whole calls through a provider in virtual time: the machine of the kind, the vault's part of it and the media thread's, twice, and a line between
 * them that loses, repeats, reorders, and that somebody may sit on. Packets of 20 ms unless a phone has other packet times.
 */
import assert from 'node:assert/strict'
import { type CodecFactory, codecFactory, codecNamed } from '../../src/audio/codecs.ts'
import { type Instant, instant, ssrc } from '../../src/base/brand.ts'
import type { Result } from '../../src/base/result.ts'
import type { CallIn, CallOut } from '../../src/client/call.ts'
import { SealedCallMachine } from '../../src/client/kinds/sealed-call/machine.ts'
import type { SealedCallOptions } from '../../src/client/kinds/sealed-call/options.ts'
import type { State } from '../../src/client/kinds/sealed-call/table.ts'
import type { CryptoPort } from '../../src/crypto/port.ts'
import type { MediaEvent, SealedMedia } from '../../src/media/api.ts'
import type { BridgeEnd, TakenPacket } from '../../src/media/plain/bridge-end.ts'
import { SealedCall } from '../../src/media/session/sealed-call.ts'
import { applyEvent, type CallEvent, emptyRoster, type Roster } from '../../src/model/roster.ts'
import { decodeMessage, type Message } from '../../src/protocol/keyagreement/messages.ts'
import { Meetings } from '../../src/server/meetings.ts'
import type { CallCarrier, CallCodec, VaultCalls } from '../../src/vault/api/calls.ts'
import { CallEngine } from '../../src/vault/inside/call-engine.ts'
import { CallSession } from '../../src/vault/inside/call-session.ts'
import { CallRates } from '../../src/vault/inside/rates.ts'
import { callHandlers } from '../../src/vault/inside/handlers/call.ts'
import type { VaultState } from '../../src/vault/inside/state.ts'
import { judge, person } from './agreement.ts'
import { crypto } from './certificates.ts'
import { SeededNumbers } from './seeded-random.ts'
import { VirtualClock } from './virtual-clock.ts'

export type Person = ReturnType<typeof person>
export interface SideOptions extends Partial<Pick<SealedCallOptions, 'policy' | 'carriers' | 'password' | 'chained' | 'number' | 'anonymous' | 'expected' | 'nameOf' | 'remember'>> {
  readonly identity?: Person
  /** Octets of a packet of its phone. */
  readonly packet?: number
  /** Frames under one key. */
  readonly frames?: number
  /** In place of the real one. */
  readonly crypto?: CryptoPort
  /** An ordinary phone: no stc there. */
  readonly plain?: true
}
type Vaulted = Pick<VaultState, 'crypto' | 'clock' | 'calls' | 'rates' | 'newCall' | 'endCall'>

const CALL = 1
const ENCODED_SILENCE: Readonly<Record<CallCodec, number>> = { pcmu: 0xff, pcma: 0xd5, g722: 0xfa }

/** A frame that says its number; the lowest bits are given away. */
export function numbered(n: number, octets = 160): Uint8Array {
  const frame = new Uint8Array(octets).fill(0x54)
  for (let i = 0; i < 4; i++) frame[i] = ((n >> (7 * i)) & 0x7f) << 1
  return frame
}
export const numberOf = (frame: Uint8Array): number => [0, 1, 2, 3].reduce((n, i) => n + ((frame[i]! >> 1) << (7 * i)), 0)
export const isNumbered = (frame: Uint8Array): boolean => frame.subarray(4).every((o) => o >> 1 === 0x2a)

export class Side {
  readonly name: string
  readonly o: SideOptions
  readonly world: SealedCallWorld
  readonly machine: SealedCallMachine | undefined
  readonly events: CallEvent[] = []
  readonly states: State[] = []
  readonly notes: string[] = []
  /** What its phone gets. */
  readonly heard: Uint8Array[] = []
  /** What leaves towards the other side, as it passes the provider. */
  readonly sent: Uint8Array[] = []
  /** Frames from the other side, as its media thread counts them, every half second. */
  readonly frames = { opened: 0, refused: 0 }
  readonly remembered = new Map<string, string>()
  readonly names = new Map<string, string>()
  roster: Roster
  #cancelWake: () => void = () => {}
  readonly #engine: CallEngine
  readonly #vault: Vaulted
  #media: SealedCall | undefined
  readonly #phone = this.#end('phone')
  readonly #wire = this.#end('wire')
  #sequence = 100
  #timestamp = 5000
  #spoken = 0

  constructor(world: SealedCallWorld, name: string, outgoing: boolean, o: SideOptions) {
    this.world = world
    this.name = name
    this.o = o
    this.roster = emptyRoster(name, 'sealed')
    this.#engine = new CallEngine(o.crypto ?? crypto, world.clock, o.frames)
    const calls = new Map<number, CallSession>()
    let next = 1
    const known = { verifyOther: (chain: Parameters<typeof judge>[0]) => judge(chain) }
    const vault = {
      crypto: o.crypto ?? crypto, clock: world.clock, calls, rates: new CallRates(world.clock.now()), identity: { ...(o.identity ?? { chain: [], signer: undefined }), known },
      newCall: (options: ConstructorParameters<typeof CallSession>[1]) => {
        const session = new CallSession(next++, { ...options, frames: (c) => this.#engine.command(c) })
        calls.set(session.id, session)
        return { ok: true, value: session }
      },
      endCall: (id: number) => {
        calls.get(id)?.end()
        calls.delete(id)
      },
    }
    this.#vault = vault as unknown as Vaulted
    if (o.plain === true) return
    this.machine = new SealedCallMachine({
      call: CALL, number: o.number ?? 'other', outgoing, policy: o.policy ?? 'prefer', anonymous: o.anonymous ?? o.identity === undefined, carriers: o.carriers ?? ['server', 'message', 'in-band'],
      expected: o.expected ?? ((n) => this.remembered.get(n)), nameOf: o.nameOf ?? ((n) => this.names.get(n)),
      remember: o.remember ?? ((n, key, name) => {
        this.remembered.set(n, key)
        this.names.set(n, name)
      }),
      ...(o.password === undefined ? {} : { password: o.password }), ...(o.chained === undefined ? {} : { chained: o.chained }),
    })
  }
  get state(): State | undefined {
    return this.states.at(-1)
  }
  get other(): Side {
    return this.world.otherOf(this)
  }
  get words(): string {
    return this.roster.securityCode
  }
  get session(): number {
    return Math.max(0, ...(this.#vault.calls as Map<number, CallSession>).keys())
  }
  /** The number of what its phone said last. */
  get lastSaid(): number {
    return this.#spoken - 1
  }
  get media(): SealedCall | undefined {
    return this.#media
  }

  input(i: CallIn): void {
    if (this.machine === undefined) return
    const { out, wakeAt } = this.machine.step(i, this.world.clock.now())
    this.#cancelWake()
    this.#cancelWake = wakeAt === undefined ? () => {} : this.world.clock.at(wakeAt, () => this.input({ kind: 'tick' }))
    for (const o of out) this.#carryOut(o)
  }
  #carryOut(o: CallOut): void {
    if (o.kind === 'event') {
      this.events.push(o.event)
      this.roster = applyEvent(this.roster, o.event)
      if (o.event.kind === 'sealed-call' && o.event.state !== this.state) this.states.push(o.event.state)
      if (o.event.kind === 'note') this.notes.push(o.event.code)
    } else if (o.kind === 'vault') void this.#ask(o.ref, o.request.call as keyof VaultCalls, o.request.args)
    else if (o.kind === 'media' && o.command.op === 'call.seal') this.#seal(o.command.sealed)
    else if (o.kind === 'media' && o.command.op === 'call.play') this.#media?.play(o.command.pcm)
    else if (o.kind === 'signal') this.world.signal(this, o.what)
    else if (o.kind === 'send') this.world.server(this, o.message)
    else if (o.kind === 'over') this.#media?.close()
  }
  async #ask(ref: number, call: keyof VaultCalls, args: unknown): Promise<void> {
    const handler = (callHandlers as Record<string, (v: unknown, a: unknown) => Promise<Result<unknown>>>)[call]!
    const result = await handler(this.#vault, args)
    this.input({ kind: 'vault', ref, result })
  }
  #seal(sealed: SealedMedia | undefined): void {
    if (sealed === undefined) {
      this.#media?.close()
      this.#media = undefined
      return
    }
    if (this.#media !== undefined) return this.#media.set(sealed)
    const emit = (event: MediaEvent): void => {
      if (event.op === 'call.frames') {
        this.frames.opened += event.opened
        this.frames.refused += event.refused
      }
      this.input({ kind: 'media', event })
    }
    const vault = { frames: async (b: Parameters<CallEngine['run']>[0]) => this.#engine.run(b) ?? { ...b, frames: b.frames.map((f) => ({ ...f, data: new Uint8Array(0), fault: 'VAULT_SESSION_UNKNOWN' as const })) } }
    this.#media = new SealedCall({ call: CALL, phone: this.#phone, wire: this.#wire, vault, codec: (name) => codecNamed(this.world.codecs, name), scheduler: this.world.clock, emit }, sealed)
  }

  /** An end of the bridge that says who gets what passes. */
  #end(which: 'phone' | 'wire'): BridgeEnd {
    const to = (payloadType: number, payload: Uint8Array, p?: TakenPacket): void => {
      if (which === 'phone') this.heard.push(payload)
      else {
        this.sent.push(payload)
        this.world.carry(this, { ...(p ?? this.#packet(payload)), payloadType, payload })
      }
    }
    const end = { gate: undefined, ssrc: ssrc(which === 'phone' ? 7 : 9), pass: (p: TakenPacket) => to(p.payloadType, p.payload, p), fill: ({ payloadType, payload }: { payloadType: number; payload: Uint8Array }) => to(payloadType, payload) }
    return end as unknown as BridgeEnd
  }
  #packet(payload: Uint8Array): TakenPacket {
    const p = { ssrc: ssrc(3), generation: 0, sequence: this.#sequence++ & 0xffff, timestamp: this.#timestamp >>> 0, marker: false, payloadType: 0, payload }
    this.#timestamp += payload.length
    return p
  }

  /** Its phone says something. */
  says(payload = numbered(this.#spoken++, this.o.packet ?? 160), payloadType = 0): void {
    const p = { ...this.#packet(payload), payloadType }
    if (this.#media === undefined) {
      if (this.machine !== undefined) this.sent.push(p.payload)
      this.world.carry(this, p)
    } else this.#wire.gate!(p)
  }
  saysPacket(p: TakenPacket): void {
    this.#wire.gate!(p)
  }
  skips(octets: number): void {
    this.#timestamp += octets
    this.#spoken++
  }
  presses(digit: string): void {
    this.input({ kind: 'media', event: { op: 'call.digit', call: CALL, digit } })
  }
  /** From the line. */
  gets(p: TakenPacket): void {
    if (this.#media === undefined) this.heard.push(p.payload)
    else this.#phone.gate!(p)
  }
}

export interface WorldOptions {
  readonly codecs?: CodecFactory
  readonly seed?: string
  readonly codec?: CallCodec
  /** Of another world beside, where somebody is in both. */
  readonly clock?: VirtualClock
  readonly a?: SideOptions
  readonly b?: SideOptions
}

export class SealedCallWorld {
  readonly clock: VirtualClock
  readonly a: Side
  readonly b: Side
  readonly codec: CallCodec
  readonly codecs: CodecFactory
  readonly numbers: SeededNumbers
  /** What somebody on the way makes of a packet of sound, and of a message of the agreement. */
  between: (p: TakenPacket, from: Side) => readonly TakenPacket[] = (p) => [p]
  messages: (bytes: Uint8Array, from: Side, carrier: CallCarrier) => readonly Uint8Array[] = (m) => [m]
  /** The provider lets questions through. */
  probes = true
  serverUp = true
  serverMs = 10
  readonly meetings: Meetings
  latencyMs: (p: TakenPacket) => number = () => 40
  speaking = true

  constructor({ seed = 'call', codec = 'pcmu', clock = new VirtualClock(), codecs = codecFactory(), a = {}, b = {} }: WorldOptions = {}) {
    this.clock = clock
    this.numbers = new SeededNumbers(seed)
    this.codec = codec
    this.codecs = codecs
    this.a = new Side(this, 'a', true, a)
    this.b = new Side(this, 'b', false, b)
    this.meetings = new Meetings((session, message) => {
      const to = session === 'a' ? this.a : this.b
      this.later(this.serverMs, () => to.input({ kind: 'wire', message }))
    })
  }
  otherOf(side: Side): Side {
    return side === this.a ? this.b : this.a
  }
  later(ms: number, run: () => void): void {
    this.clock.at(instant(this.clock.now() + ms), run)
  }

  /** Both get their codec; the call is answered 20 ms later. */
  begin(): void {
    for (const side of [this.a, this.b]) {
      side.input({ kind: 'start' })
      side.input({ kind: 'dialog', news: { kind: 'media', codec: this.codec, payloadType: 0, telephoneEvent: 101, receives: true } })
      this.later(20, () => side.input({ kind: 'dialog', news: { kind: 'answered' } }))
    }
  }
  /** It begins, and phones talk. */
  async call(ms: number): Promise<void> {
    this.begin()
    await this.clock.advance(20)
    await this.talk(ms)
  }
  async talk(ms: number, each?: (at: Instant) => void): Promise<void> {
    for (let at = 0; at < ms; at += 20) {
      for (const side of [this.a, this.b]) {
        const every = (side.o.packet ?? 160) / 8
        if (this.speaking && this.clock.now() % every < 20) side.says()
      }
      each?.(this.clock.now())
      await this.clock.advance(20)
    }
  }

  /** Until it is so, and for that long at most. */
  async talkUntil(so: () => boolean, mostMs: number): Promise<void> {
    for (let ms = 0; ms < mostMs && !so(); ms += 100) await this.talk(100)
  }

  carry(from: Side, p: TakenPacket): void {
    for (const q of this.between(p, from)) this.later(this.latencyMs(q), () => from.other.gets(q))
  }
  signal(from: Side, what: 'probe' | Uint8Array): void {
    const to = from.other
    if (what === 'probe') {
      if (this.probes && to.o.plain !== true && (to.o.carriers ?? ['message']).includes('message')) this.later(80, () => from.input({ kind: 'dialog', news: { kind: 'reached' } }))
    } else for (const bytes of this.messages(what, from, 'message')) this.later(40, () => to.input({ kind: 'dialog', news: { kind: 'message', bytes } }))
  }
  server(from: Side, m: Extract<CallOut, { kind: 'send' }>['message']): void {
    if (!this.serverUp) return
    const now = this.clock.now()
    if (m.k === 'call-meet') this.meetings.meet(from.name, m.token, now)
    else if (m.k === 'call-message') for (const bytes of this.messages(m.message, from, 'server')) this.meetings.message(from.name, m.token, bytes, now)
  }

  /** Both seal, and each hears what the other says. */
  async assertSealed(): Promise<void> {
    assert.deepEqual([this.a.state, this.b.state], ['sealed', 'sealed'], [this.a.notes, this.b.notes].join(' | '))
    await this.talk(400)
    for (const side of [this.a, this.b]) side.heard.length = side.sent.length = 0
    await this.talk(1000)
    for (const side of [this.a, this.b]) {
      const good = side.heard.filter(isNumbered).length
      assert.ok(good >= 48, `${side.name} heard ${good} of 50 frames`)
      assert.ok(side.sent.every((f) => !isNumbered(f)), `${side.name} said something unsealed`)
    }
  }
  silence(octets = 160): Uint8Array {
    return new Uint8Array(octets).fill(ENCODED_SILENCE[this.codec])
  }
}

export const typeOf = (bytes: Uint8Array): Message['type'] | undefined => decodeMessage(bytes)?.type
export { person }
