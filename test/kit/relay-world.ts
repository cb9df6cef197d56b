/** A phone, both halves of the relay and a scripted PBX in virtual time; media is written down instead of moved. */
import type { Fault } from '../../src/base/result.ts'
import { type Instant, instant } from '../../src/base/brand.ts'
import { err, ok } from '../../src/base/result.ts'
import { SipHandset } from '../../src/client/handset/sip/handset.ts'
import type { SipHandsetSettings } from '../../src/client/handset/sip/options.ts'
import { PhoneRelay } from '../../src/client/handset/sip/phone-relay.ts'
import type { HandsetEvent } from '../../src/client/handset/port.ts'
import { createNodeCrypto } from '../../src/crypto/node/index.ts'
import type { SipRequest } from '../../src/protocol/sip/index.ts'
import { SipEndpoint, type SipFlow } from '../../src/telephony/index.ts'
import { UdpWay } from '../../src/telephony/udp-way.ts'
import type { DescribedAudio, HopStreams, MediaLeg, RelayMedia, TunnelMessage, UpstreamHalf } from '../../src/telephony/relay/index.ts'
import { UpstreamRelay } from '../../src/telephony/relay/index.ts'
import { headerOf, ScriptedPhone, sdpOf, SimSipTransport } from './sip-phone.ts'
import { VirtualClock } from './virtual-clock.ts'

export class FakeLeg {
  readonly port: number
  readonly streams: HopStreams | undefined
  joined: HopStreams | undefined
  localAudio: DescribedAudio | undefined
  farAudio: DescribedAudio | undefined
  closed = false
  /** How often it was said that the call stands. */
  answered = 0
  constructor(port: number, streams: HopStreams | undefined) {
    this.port = port
    this.streams = streams
  }
}

/** @param naming it is the side that names streams: the server. */
export class FakeMedia implements RelayMedia {
  readonly legs: FakeLeg[] = []
  readonly #clock: VirtualClock
  readonly #naming: boolean
  readonly #base: number
  /** How long a port takes; undefined: there is none. */
  delayMs: number | undefined = 0
  constructor(clock: VirtualClock, naming: boolean, base: number) {
    this.#clock = clock
    this.#naming = naming
    this.#base = base
  }
  get running(): FakeLeg[] {
    return this.legs.filter((l) => !l.closed)
  }
  open(_address: string, ready: Parameters<RelayMedia['open']>[1]): MediaLeg {
    const n = this.legs.length
    const leg = new FakeLeg(this.#base + 2 * n, this.#naming ? { up: 1000 + n, down: 2000 + n } : undefined)
    this.legs.push(leg)
    if (this.delayMs === 0) ready(ok(leg.port))
    else this.#clock.at(instant(this.#clock.now() + (this.delayMs ?? 1)), () => ready(this.delayMs === undefined ? err('MEDIA_LIMIT') : ok(leg.port)))
    return {
      streams: leg.streams,
      join: (s) => void (leg.joined = s),
      local: (d) => void (leg.localAudio = d),
      far: (d) => void (leg.farAudio = d),
      answered: () => void leg.answered++,
      close: () => void (leg.closed = true),
    }
  }
}

export interface RelayWorldOptions extends Partial<Omit<SipHandsetSettings, 'upstream' | 'line'>> {
  readonly phoneTransport?: 'UDP' | 'TCP' | 'TLS'
  readonly emergency?: readonly string[]
  /** The PBX may be in these places besides the first. */
  readonly otherPlaces?: readonly { readonly address: string; readonly port: number }[]
  /** What the tunnel does to each message; undefined: it is lost with the connection. */
  readonly tamper?: (m: TunnelMessage, towards: 'client' | 'server') => readonly TunnelMessage[]
}

export const pbxAt = { address: '10.0.0.9', port: 5060 }

export const pbxSdp = sdpOf(['m=audio 17000 RTP/AVP 0 101', 'a=rtpmap:101 telephone-event/8000'], '10.0.0.9')
/** The URI inside the brackets. */
export const uriOf = (value: string): string => /<([^>]+)>/.exec(value)![1]!
/** A PBX that answers INVITEs by 200 and the rest by 200. */
const answering = (r: SipRequest) => (r.method === 'INVITE' ? { status: 200, body: pbxSdp } : { status: 200 })

export function relayWorld(o: RelayWorldOptions = {}) {
  const clock = new VirtualClock()
  const crypto = createNodeCrypto()
  const { phoneTransport = 'UDP', emergency = ['112'], tamper = (m) => [m], otherPlaces, ...settings } = o
  const isEmergency = (n: string): boolean => emergency.includes(n)
  const phones = new SimSipTransport(phoneTransport, clock)
  const trunk = new SimSipTransport('UDP', clock, { address: '10.0.0.1', port: 5080 })
  const pbx = new ScriptedPhone(trunk, clock, { ...pbxAt, user: 'asterisk', callId: 'from-pbx' })
  const faults: Fault[] = []
  const crossed: { readonly towards: 'client' | 'server'; readonly m: TunnelMessage }[] = []
  const clientMedia = new FakeMedia(clock, false, 30000)
  const serverMedia = new FakeMedia(clock, true, 40000)
  /** `heardAt`: when the client heard anything of the server last; left out: just now. */
  const state: { up: boolean; pbx: boolean; dead: boolean; heardAt?: Instant } = { up: true, pbx: true, dead: false }
  const places = otherPlaces === undefined ? undefined : new UdpWay({ remotes: [pbxAt, ...otherPlaces], scheduler: clock, keepAliveMs: 25_000 }, trunk)
  const way = (within?: SipFlow): SipFlow | undefined => (places !== undefined ? places.way(within) : state.pbx ? { transport: 'UDP', local: trunk.local, remote: pbxAt } : undefined)
  const upstream: UpstreamRelay = new UpstreamRelay({
    endpoint: () => endpoint, way, dead: () => state.dead, hostFor: () => '10.0.0.1', mediaAddress: undefined, isEmergency, scheduler: clock, random: crypto,
    hmac: (d) => crypto.hmac('sha256', new Uint8Array(32), d), report: (f) => faults.push(f),
  })
  const endpoint: SipEndpoint = new SipEndpoint({ transports: [places ?? trunk], scheduler: clock, random: crypto, hostFor: () => '10.0.0.1', user: upstream })

  /** One client: its phones on a transport of their own, its end of the tunnel. */
  const client = (name: string, transport: SimSipTransport, media: FakeMedia) => {
    let half: UpstreamHalf | undefined
    const cross = (towards: 'client' | 'server', m: TunnelMessage, to: (m: TunnelMessage) => void) => {
      if (!state.up) return err('CLIENT_NO_CHANNEL')
      crossed.push({ towards, m })
      for (const x of tamper(m, towards)) clock.at(instant(clock.now() + 5), () => state.up && to(x))
      return ok(undefined)
    }
    const connect = (): void => {
      half = upstream.open({ client: name, media: serverMedia, send: (m) => cross('client', m, (x) => relay.receive(x)), ended: (reason) => void clock.at(instant(clock.now() + 5), () => relay.endCalls(reason)) })
      half.contacts(relay.registered)
    }
    const relay: PhoneRelay = new PhoneRelay({
      scheduler: clock, crypto, isLocal: (n) => n.startsWith('8'), isEmergency, up: () => state.up, media, send: (m) => cross('server', m, (x) => half?.receive(x)), heardAt: () => state.heardAt ?? clock.now(), report: (f) => faults.push(f),
    })
    const handset = new SipHandset({
      line: 'desk', scheduler: clock, crypto, users: new Map(), isEmergency, report: (f) => faults.push(f), ...settings,
      upstream: relay,
    }, { transports: [transport], hostFor: () => transport.local.address })
    const events: HandsetEvent[] = []
    handset.subscribe((e) => events.push(e))
    connect()
    return {
      handset, relay, events, connect,
      /** The connection is gone: both ends notice. */
      cut: (): void => {
        state.up = false
        relay.down('the connection to the server is gone')
        half?.close()
      },
      /** As if the client had sent it. */
      receiveAtServer: (m: TunnelMessage): void => half?.receive(m),
      serverLoad: () => half?.load,
      phone: (at: { address?: string; port?: number; callId?: string; user?: string } = {}) => new ScriptedPhone(transport, clock, at),
    }
  }
  const first = client('alice-key', phones, clientMedia)
  return {
    clock, pbx, faults, crossed, clientMedia, serverMedia, state, upstream, ...first, endpoint, trunk, places, phones,
    another: (name: string) => client(name, new SimSipTransport('UDP', clock, { address: '127.0.0.2', port: 5060 }), clientMedia),
    answering,
    /** The phone registers; gives the address that the PBX has of it. */
    register(phone: ScriptedPhone): string {
      pbx.answer = (r) => (r.method === 'REGISTER' ? { status: 200, headers: [`Contact: ${headerOf(r, 'Contact')};expires=300`] } : answering(r))
      phone.send('REGISTER', { uri: 'sip:pbx.example', to: `<sip:${phone.user}@pbx.example>`, headers: ['Expires: 300'] })
      clock.advanceSync(50)
      return uriOf(headerOf(pbx.requests.find((r) => r.method === 'REGISTER' && r.callId === phone.callId)!, 'Contact')!)
    },
    /** A call of the phone that stands; gives the PBX's contact as the phone sees it, and the INVITE as the PBX got it. */
    call(phone: ScriptedPhone, uri = 'sip:2002@127.0.0.1'): { target: string; invite: SipRequest } {
      pbx.answer = answering
      phone.invite({ uri, to: `<${uri}>` })
      clock.advanceSync(50)
      const target = uriOf(headerOf(phone.responses.findLast((r) => r.status === 200)!, 'Contact')!)
      phone.send('ACK', { uri: target })
      clock.advanceSync(50)
      return { target, invite: pbx.requests.findLast((r) => r.method === 'INVITE')! }
    },
    /** A request of the PBX inside a call that the phone began. */
    inside(invite: SipRequest, method: string, extra: { headers?: readonly string[]; body?: string; type?: string; cseq?: number } = {}): void {
      const cseq = extra.cseq ?? ++pbx.cseq
      const body = extra.body ?? ''
      pbx.raw([
        `${method} ${uriOf(headerOf(invite, 'Contact')!)} SIP/2.0`, `Via: SIP/2.0/UDP 10.0.0.9:5060;branch=z9hG4bKin${cseq}${method};rport`, 'Max-Forwards: 70', `From: ${invite.to.text};tag=t5060`, `To: ${invite.from.text}`,
        `Call-ID: ${invite.callId}`, `CSeq: ${cseq} ${method}`, 'Contact: <sip:asterisk@10.0.0.9:5060>', ...(extra.headers ?? []), ...(body === '' ? [] : [`Content-Type: ${extra.type ?? 'application/sdp'}`]), `Content-Length: ${body.length}`, '', body,
      ].join('\r\n'))
    },
    codes: (): string[] => faults.map((f) => f.code),
    /** Long after the end nothing may be left. */
    left(): unknown {
      clock.advanceSync(400_000)
      return { client: first.handset.load, server: endpoint.load, half: first.serverLoad(), media: clientMedia.running.length + serverMedia.running.length, timers: clock.pending }
    },
  }
}
export const nothingLeft = { client: { calls: 0, servers: 0, clients: 0 }, server: { servers: 0, clients: 0 }, half: { asked: 0, served: 0, dialogs: 0 }, media: 0, timers: 0 }
