/** The client between a phone and the room: who is answered when, with what. The call itself is a script. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Instant, Ssrc } from '../../../src/base/brand.ts'
import { ok } from '../../../src/base/result.ts'
import { createNodeCrypto } from '../../../src/crypto/node/index.ts'
import type { CallIn, CallKind, CallMachine, CallOut } from '../../../src/client/call.ts'
import { Client } from '../../../src/client/client.ts'
import type { OpenChannel } from '../../../src/client/connection.ts'
import type { CallRef, Handset, HandsetCommand, HandsetEvent } from '../../../src/client/handset/port.ts'
import type { MediaCommand, MediaEvent, RtpPhoneMedia } from '../../../src/media/api.ts'
import type { ClientMessage, ServerMessage } from '../../../src/protocol/wire/messages.ts'
import { FakeVault } from '../../kit/fake-vault.ts'
import { VirtualClock } from '../../kit/virtual-clock.ts'

const rtpOf = (address: string, srtp: Pick<RtpPhoneMedia, 'srtp'> = {}): RtpPhoneMedia => ({ kind: 'rtp', codec: 'g722', payloadType: 9, ptimeMs: 20, remote: { address, port: 4000 }, hold: false, send: true, ...srtp })

class Phone implements Handset {
  readonly line = 'desk'
  readonly got: HandsetCommand[] = []
  #tell: (e: HandsetEvent) => void = () => {}
  command(c: HandsetCommand): void {
    this.got.push(c)
  }
  subscribe(listener: (e: HandsetEvent) => void): Disposable {
    this.#tell = listener
    return { [Symbol.dispose]: () => {} }
  }
  [Symbol.dispose](): void {}
  dial(call: string, target: string, contact = 'sip:desk@127.0.0.1:5070', media: RtpPhoneMedia = rtpOf('127.0.0.1')): void {
    this.#tell({ kind: 'dial', call: call as CallRef, line: this.line, target, contact, media })
  }
  tell(e: HandsetEvent): void {
    this.#tell(e)
  }
  kinds(call: string): string[] {
    return this.got.filter((c) => c.call === call).map((c) => (c.kind === 'refuse' ? `refuse ${c.status}` : c.kind))
  }
}

class Stage {
  readonly clock = new VirtualClock()
  readonly phone = new Phone()
  readonly media: MediaCommand[] = []
  readonly sent: ClientMessage[] = []
  readonly inputs: CallIn[] = []
  step: (out: CallOut[]) => void = () => {}
  /** Leaving takes until the test says so. */
  slow = false
  tellMedia: (e: MediaEvent) => void = () => {}
  toClient: (m: ServerMessage) => void = () => {}
  readonly client: Client
  #pending: CallOut[] = []

  constructor(connected = true) {
    const machine: CallMachine = {
      step: (input: CallIn, _now: Instant) => {
        this.inputs.push(input)
        if (input.kind === 'leave' && !this.slow) this.#pending.push({ kind: 'over', reason: 'left' })
        return { out: this.#pending.splice(0) }
      },
    }
    const kind: CallKind = { claims: (t) => t.kind === 'room', start: () => machine }
    const channel: OpenChannel = { pipe: 1, send: (m) => { this.sent.push(m); return ok(undefined) }, onMessage: (l) => { this.toClient = l }, onClose: () => {}, close: () => {} }
    this.client = new Client({
      vault: new FakeVault({ 'hop.offer': () => ok({ message: new Uint8Array(1) }), 'hop.finish': () => ok({ receive: keys, send: keys }) }),
      media: { command: (c) => this.media.push(c), subscribe: (l) => { this.tellMedia = l; return { [Symbol.dispose]: () => {} } } },
      crypto: createNodeCrypto(), scheduler: this.clock, agent: 'test', kinds: [kind],
      dialPlan: { roomPrefix: '8', roomNames: {}, emergencyNumbers: ['112'] },
      connection: { open: async () => (connected ? ok(channel) : { ok: false, fault: { code: 'CHANNEL_UNREACHABLE', message: 'nobody there' } }), suites: ['AEAD_AES_128_GCM'], fallback: { address: '127.0.0.1', port: 1 } },
    })
    this.client.addHandset(this.phone)
  }
  async up(): Promise<this> {
    this.client.start()
    await this.clock.advance(0)
    this.toClient({ k: 'welcome', version: 1, capabilities: [], agent: 's', realm: 'r', session: 's1', unixTime: 1, udp: [] })
    await this.clock.advance(0)
    this.toClient({ k: 'hop-answer', generation: 1, message: new Uint8Array(1), probe: 9 })
    await this.clock.advance(0)
    return this
  }
  emit(out: CallOut): void {
    this.#pending.push(out)
    this.client.calls[0]!.input({ kind: 'tick' })
  }
  openPort(phone: number): void {
    this.tellMedia({ op: 'phone.opened', phone, local: { address: '127.0.0.1', port: 30_000 } })
  }
  phones(): number[] {
    return this.media.flatMap((c) => (c.op === 'phone.open' ? [c.phone] : []))
  }
}
const keys = { suite: 'AEAD_AES_128_GCM', masterKey: new Uint8Array(16), masterSalt: new Uint8Array(12) } as const

test('keys of the hop that are worn are replaced', async () => {
  const s = await new Stage().up()
  s.tellMedia({ op: 'hop.worn', hop: 1, generation: 1 })
  await s.clock.advance(0)
  assert.deepEqual(s.sent.flatMap((m) => (m.k === 'hop-offer' ? [m.generation] : [])), [1, 2])
})

describe('a phone that dials', () => {
  test('rings, and is answered only when we are in the group and our port is known', async () => {
    const s = await new Stage().up()
    s.phone.dial('c1', '8100')
    assert.deepEqual(s.phone.kinds('c1'), ['ringing'])
    s.openPort(s.phones()[0]!)
    assert.deepEqual(s.phone.kinds('c1'), ['ringing'])
    s.emit({ kind: 'joined' })
    assert.deepEqual(s.phone.kinds('c1'), ['ringing', 'answer'])
  })
  test('an emergency number gets 503 at once, with or without a server', async () => {
    for (const connected of [true, false]) {
      const s = new Stage(connected)
      s.phone.dial('c1', '112')
      assert.deepEqual(s.phone.kinds('c1'), ['refuse 503'])
    }
  })
  test('without a server a room gets 503 with the reason', async () => {
    const s = new Stage(false)
    s.client.start()
    await s.clock.advance(0)
    s.phone.dial('c1', '8100')
    const [c] = s.phone.got
    assert.ok(c?.kind === 'refuse' && c.status === 503 && c.reason === 'nobody there')
  })
  test('an unknown number gets 404', async () => {
    const s = await new Stage().up()
    s.phone.dial('c1', '9100')
    assert.deepEqual(s.phone.kinds('c1'), ['refuse 404'])
  })
  test('that hangs up leaves the room and frees its leg', async () => {
    const s = await new Stage().up()
    s.phone.dial('c1', '8100')
    s.phone.tell({ kind: 'ended', call: 'c1' as CallRef, reason: 'BYE' })
    assert.ok(s.inputs.some((i) => i.kind === 'leave'))
    assert.ok(s.media.some((c) => c.op === 'phone.close'))
    assert.equal(s.client.calls.length, 0)
  })
  test('again, to the same room, keeps the membership: the new leg takes over, the old one ends', async () => {
    const s = await new Stage().up()
    s.phone.dial('c1', '8100')
    s.openPort(s.phones()[0]!)
    s.emit({ kind: 'joined' })
    s.phone.dial('c2', '8100')
    assert.equal(s.client.calls.length, 1)
    assert.ok(!s.inputs.some((i) => i.kind === 'leave'))
    assert.deepEqual(s.phone.kinds('c1').at(-1), 'hangup')
    assert.ok(s.inputs.some((i) => i.kind === 'phone' && i.phone === s.phones()[1]))
    s.openPort(s.phones()[1]!)
    assert.deepEqual(s.phone.kinds('c2'), ['ringing', 'answer'])
  })
  test('again from another port, as softphones do after a crash, takes over as well', async () => {
    const s = await new Stage().up()
    s.phone.dial('c1', '8100', 'desk@127.0.0.1:5070')
    s.phone.dial('c2', '8100', 'desk@127.0.0.1:50123')
    assert.equal(s.client.calls.length, 1)
    assert.deepEqual(s.phone.kinds('c1'), ['ringing', 'refuse 480'])
    assert.deepEqual(s.phone.kinds('c2'), ['ringing'])
  })
  test('from another contact is another call, in another room: one certificate has one place in a room', async () => {
    const s = await new Stage().up()
    s.phone.dial('c1', '8100')
    s.phone.dial('c2', '8101', 'sip:other@127.0.0.1:5080')
    assert.equal(s.client.calls.length, 2)
    s.phone.dial('c3', '8100', 'sip:third@127.0.0.1:5090')
    assert.deepEqual(s.phone.kinds('c3'), ['refuse 486'])
    assert.equal(s.client.calls.length, 2)
  })
  test('again before its client has left the room gets in when it has', async () => {
    const s = await new Stage().up()
    s.slow = true
    s.phone.dial('c1', '8100')
    s.phone.tell({ kind: 'ended', call: 'c1' as CallRef, reason: 'BYE' })
    s.phone.dial('c2', '8100')
    s.phone.dial('c3', '8100')
    assert.equal(s.inputs.filter((i) => i.kind === 'start').length, 1)
    s.emit({ kind: 'over', reason: 'left' })
    assert.equal(s.inputs.filter((i) => i.kind === 'start').length, 2)
    assert.deepEqual(s.phone.kinds('c2'), ['ringing', 'refuse 480'])
    s.openPort(s.phones()[2]!)
    s.emit({ kind: 'joined' })
    assert.deepEqual(s.phone.kinds('c3'), ['ringing', 'answer'])
  })
  test('whose leg cannot be opened is refused with the reason, and nobody stays in the room for it', async () => {
    const s = await new Stage().up()
    s.phone.dial('c1', '8100')
    s.tellMedia({ op: 'fault', code: 'NET_BIND', message: 'no port is free', about: `phone ${s.phones()[0]}` })
    const last = s.phone.got.at(-1)
    assert.ok(last?.kind === 'refuse' && last.status === 500 && last.reason === 'no port is free')
    assert.equal(s.client.calls.length, 0)
  })
  test('*1 mutes and unmutes, by RFC 4733 and by INFO alike', async () => {
    const s = await new Stage().up()
    s.phone.dial('c1', '8100')
    for (const digit of ['*', '1']) s.phone.tell({ kind: 'dtmf', call: 'c1' as CallRef, digit })
    for (const digit of ['*', '1']) s.tellMedia({ op: 'phone.dtmf', phone: s.phones()[0]!, digit })
    assert.deepEqual(s.inputs.flatMap((i) => (i.kind === 'mute' ? [i.muted] : [])), [true, false])
  })
  test('is told by a tone what happens in its call', async () => {
    const s = await new Stage().up()
    s.phone.dial('c1', '8100')
    const note = (code: string): CallOut => ({ kind: 'event', event: { kind: 'note', at: 0 as Instant, code, text: '' } })
    const played = () => s.media.flatMap((c) => (c.op === 'phone.play' ? [c.pcm.length] : []))
    s.emit(note('CLIENT_MEMBER_JOINED'))
    assert.deepEqual(played(), [], 'not before it is answered')
    s.openPort(s.phones()[0]!)
    s.emit({ kind: 'joined' })
    for (const code of ['CLIENT_MEMBER_JOINED', 'CLIENT_MEMBER_LEFT', 'CLIENT_MUTED', 'CLIENT_UNMUTED', 'CLIENT_COMMIT_REFUSED']) s.emit(note(code))
    s.emit({ kind: 'event', event: { kind: 'phase', at: 0 as Instant, phase: 'healing' } })
    assert.equal(played().length, 5)
    assert.ok(played().every((n) => n > 1000))
  })
  test('says on the roster how its sound gets here: on this machine, under SRTP, or in clear on the local network', async () => {
    const s = await new Stage().up()
    const leg = (): unknown => s.client.calls[0]!.roster.phoneLeg
    const media = (m: RtpPhoneMedia): void => s.phone.tell({ kind: 'media', call: 'c1' as CallRef, media: m })
    s.phone.dial('c1', '8100', 'sip:desk@192.0.2.7', rtpOf('192.0.2.7'))
    assert.equal(leg(), 'plain-lan')
    media(rtpOf('192.0.2.7', { srtp: { receive: keys, send: keys } }))
    assert.equal(leg(), 'encrypted')
    media(rtpOf('0.0.0.0'))
    assert.equal(leg(), 'encrypted', 'a hold by address is no other leg')
    // The phone on this machine takes the room over.
    s.phone.dial('c2', '8100', 'sip:desk@192.0.2.7:5072')
    assert.equal(leg(), 'local')
  })
  test('is told when its call ends', async () => {
    const s = await new Stage().up()
    s.phone.dial('c1', '8100')
    s.emit({ kind: 'over', reason: 'refused', fault: { code: 'CLIENT_ROOM_REFUSED', message: 'refused' } })
    assert.deepEqual(s.phone.kinds('c1').at(-1), 'refuse 403')
  })
})

test('a new hop generation is never one that was used', async () => {
  const s = await new Stage().up()
  const first = s.media.find((c) => c.op === 'hop.open')
  assert.ok(first?.op === 'hop.open' && first.generation === 1 && first.probe === (9 as Ssrc))
})
