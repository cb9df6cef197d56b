/** A server's media plane and members with real media sessions over a simulated network, in virtual time. */
import type { CodecFactory } from '../../src/audio/codecs.ts'
import { codecFactory } from '../../src/audio/codecs.ts'
import { joinPcm } from '../../src/audio/join-pcm.ts'
import type { Ssrc } from '../../src/base/brand.ts'
import { ssrc } from '../../src/base/brand.ts'
import type { Scheduler } from '../../src/base/ports.ts'
import type { CryptoPort } from '../../src/crypto/port.ts'
import { createNodeCrypto } from '../../src/crypto/node/index.ts'
import { must } from '../../src/base/result.ts'
import type { HandsetMedia, MediaCommand, MediaEvent, RoomCodec, SenderStats } from '../../src/media/api.ts'
import type { ListeningPort } from '../../src/media/packet-path.ts'
import { portablePlane } from '../../src/media/plane/portable.ts'
import type { LegId, LegSpec, MediaPlane, RouteOptions } from '../../src/media/plane/types.ts'
import type { Forwarding } from '../../src/model/policy.ts'
import { createMediaSession } from '../../src/media/session/session.ts'
import type { MediaSession } from '../../src/media/session/session.ts'
import { KitVault } from './frame-vault.ts'
import { legSpec } from './media-client.ts'
import { SimNet } from './sim-net.ts'
import type { SimHost } from './sim-net.ts'
import { SimPipe } from './sim-pipe.ts'
import { SimPhone } from './sim-phone.ts'
import type { PhoneOptions } from './sim-phone.ts'
import { SkewedClock } from './skewed-clock.ts'
import { tone } from './room-tones.ts'
import { VirtualClock } from './virtual-clock.ts'

export { heardShare, tone, toneIn } from './room-tones.ts'

export class Member {
  readonly name: string
  readonly host: SimHost
  readonly ssrc: Ssrc
  readonly session: MediaSession
  readonly vault: KitVault
  readonly events: MediaEvent[] = []
  readonly heard: Int16Array[] = []
  leg = 0 as LegId
  constructor(world: MediaWorld, name: string, address: string, stream: number, nat?: string, codecs = codecFactory(), clock: Scheduler = world.clock) {
    this.name = name
    this.host = world.net.host(name, address, nat)
    this.ssrc = ssrc(stream)
    this.vault = new KitVault()
    this.session = createMediaSession({
      udp: this.host, scheduler: clock, crypto: world.crypto, codecs, vault: this.vault,
      emit: (e) => {
        if (e.op === 'phone.heard') this.heard.push(e.pcm)
        else this.events.push(e)
      },
    })
  }
  command(c: MediaCommand): void {
    this.session.command(c)
  }
  last<K extends MediaEvent['op']>(op: K): Extract<MediaEvent, { op: K }> | undefined {
    return this.events.findLast((e): e is Extract<MediaEvent, { op: K }> => e.op === op)
  }
  sender(of: Member): SenderStats | undefined {
    return this.last('conference.stats')?.senders.find((s) => s.ssrc === of.ssrc)
  }
  /** Everything heard since the last call. */
  takeHeard(): Int16Array {
    return joinPcm(this.heard.splice(0))
  }
}

export class MediaWorld {
  readonly clock = new VirtualClock()
  readonly net: SimNet
  readonly crypto: CryptoPort = createNodeCrypto()
  readonly members: Member[] = []
  readonly server: SimHost
  plane!: MediaPlane
  #nextProbe = 1

  constructor(seed = 1) {
    this.net = new SimNet(this.clock, seed)
    this.server = this.net.host('server', '192.0.2.1')
  }
  static async start(seed = 1): Promise<MediaWorld> {
    const w = new MediaWorld(seed)
    w.plane = portablePlane({ socket: await w.server.bind({ address: '192.0.2.1', port: 7443 }), udp: w.server, scheduler: w.clock, crypto: w.crypto })
    return w
  }
  /** A member whose phone stands on another host: what it dials is answered, sound flows. */
  async joinByPhone(name: string, options: PhoneOptions & { ppm?: number; codecs?: CodecFactory } = {}): Promise<{ member: Member; phone: SimPhone; phoneHost: SimHost }> {
    const phoneHost = this.net.host(`${name}'s phone`, `10.0.${this.members.length}.2`)
    const phone = new SimPhone(options.ppm === undefined ? this.clock : new SkewedClock(this.clock, options.ppm), await phoneHost.bind({ address: '0.0.0.0', port: 4000 }), options)
    const member = this.join(name, phone.media, options.codecs === undefined ? {} : { codecs: { ...options.codecs, names: [...options.codecs.names, phone.media.codec], create: (n) => (n === 'g722' ? options.codecs!.create(n) : codecFactory().create(n)) } })
    await this.clock.until(() => member.last('phone.opened') !== undefined, 1000)
    phone.start({ address: member.host.address, port: member.last('phone.opened')!.local.port })
    return { member, phone, phoneHost }
  }
  /** A member with a hop and, once `converse` was called, a room. */
  join(name: string, media: HandsetMedia, options: { nat?: string; codec?: RoomCodec; codecs?: CodecFactory; clock?: Scheduler; udp?: boolean; forwarding?: Forwarding } = {}): Member {
    const n = this.members.length + 1
    const m = new Member(this, name, `198.51.100.${n}`, 1000 + n, options.nat, options.codecs, options.clock)
    const spec = legSpec(this.crypto, this.#nextProbe++)
    m.leg = must(this.plane.open(spec))
    this.openHop(m, spec, options.udp ?? true)
    m.command({ op: 'phone.open', phone: 1, bind: '127.0.0.1', media })
    m.command({ op: 'conference.open', conference: 1, hop: 1, phone: 1, ssrc: m.ssrc, session: 1, codec: options.codec ?? 'g722', forwarding: options.forwarding ?? 'all' })
    m.command({ op: 'conference.send', conference: 1, on: true })
    this.members.push(m)
    return m
  }
  openHop(m: Member, spec: LegSpec, udp = true): void {
    m.command({ op: 'hop.open', hop: 1, generation: spec.generation, remotes: udp ? [this.plane.local] : [], receive: spec.send, send: spec.receive, probe: spec.probe })
  }
  /** Media over a simulated TLS connection for a member, by a way of its own; gives the pipe, so that a test can cut it. */
  tls(m: Member, by: SimHost): SimPipe {
    const pipe = new SimPipe(by, this.server)
    must(this.plane.attach(m.leg, { send: (d) => pipe.b.send(d), onPacket: (l) => pipe.b.onMessage(l), close: () => pipe.b.close() }))
    const port: ListeningPort = {
      postMessage: (d) => pipe.a.send(d as Uint8Array),
      on: (_, listener) => pipe.a.onMessage(listener),
      close: () => pipe.a.close(),
    }
    m.command({ op: 'hop.tls', hop: 1, port })
    return pipe
  }
  /** Everybody hears everybody, or the loudest. */
  converse(members: readonly Member[] = this.members, options: RouteOptions = {}): void {
    for (const m of members) {
      const others = members.filter((o) => o !== m)
      must(this.plane.route(m.leg, m.ssrc, others.map((o) => o.leg), options))
      m.command({ op: 'conference.senders', conference: 1, senders: others.map((o) => o.ssrc) })
    }
  }
  stop(): void {
    for (const m of this.members) m.session.stop()
    this.plane.stop()
  }
}

/** A robot that says a tone and records what it hears. */
export const robot = (hz?: number): HandsetMedia => ({ kind: 'pcm', speech: hz === undefined ? new Int16Array(0) : tone(hz), record: true })
