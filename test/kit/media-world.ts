/** A server's media plane and members with real media sessions over a simulated network, in virtual time. */
import type { CodecFactory } from '../../src/audio/codecs.ts'
import { codecFactory } from '../../src/audio/codecs.ts'
import type { Ssrc } from '../../src/base/brand.ts'
import { ssrc } from '../../src/base/brand.ts'
import type { CryptoPort } from '../../src/crypto/port.ts'
import { createNodeCrypto } from '../../src/crypto/node/index.ts'
import { must } from '../../src/base/result.ts'
import type { HandsetMedia, MediaCommand, MediaEvent, RoomCodec, SenderStats } from '../../src/media/api.ts'
import type { ListeningPort } from '../../src/media/packet-path.ts'
import { portablePlane } from '../../src/media/plane/portable.ts'
import type { LegId, LegSpec, MediaPlane } from '../../src/media/plane/types.ts'
import { createMediaSession } from '../../src/media/session/session.ts'
import type { MediaSession } from '../../src/media/session/session.ts'
import { KitVault } from './frame-vault.ts'
import { legSpec } from './media-client.ts'
import { SimNet } from './sim-net.ts'
import type { SimHost } from './sim-net.ts'
import { SimPipe } from './sim-pipe.ts'
import { VirtualClock } from './virtual-clock.ts'

/** One sample in this many is 20 ms. */
export const FRAME = 320

/** A sine of 16 kHz PCM, a whole number of periods long so that it loops without a seam. */
export function tone(hz: number, seconds = 1, amplitude = 8000): Int16Array {
  const out = new Int16Array(16_000 * seconds)
  for (let i = 0; i < out.length; i++) out[i] = Math.round(amplitude * Math.sin((2 * Math.PI * hz * i) / 16_000))
  return out
}

/** Amplitude of one frequency in a stretch of PCM (Goertzel). */
export function toneIn(pcm: Int16Array, hz: number): number {
  const w = (2 * Math.PI * hz) / 16_000
  let re = 0
  let im = 0
  for (let i = 0; i < pcm.length; i++) {
    re += pcm[i]! * Math.cos(w * i)
    im += pcm[i]! * Math.sin(w * i)
  }
  return pcm.length === 0 ? 0 : (2 * Math.hypot(re, im)) / pcm.length
}

/** The share of windows of 200 ms in which the tone is heard clearly: levelling may take 9 dB from it. */
export function heardShare(pcm: Int16Array, hz: number, amplitude = 8000): number {
  const size = 3200
  let heard = 0
  let windows = 0
  for (let at = 0; at + size <= pcm.length; at += size, windows++) {
    // In pieces of 40 ms: a player that corrects its delay shifts the pitch by up to one per cent.
    let sum = 0
    for (let i = 0; i < size; i += 640) sum += toneIn(pcm.subarray(at + i, at + i + 640), hz)
    if (sum / 5 >= amplitude / 5) heard++
  }
  return windows === 0 ? 0 : heard / windows
}

export class Member {
  readonly name: string
  readonly host: SimHost
  readonly ssrc: Ssrc
  readonly session: MediaSession
  readonly vault: KitVault
  readonly events: MediaEvent[] = []
  readonly heard: Int16Array[] = []
  leg = 0 as LegId
  constructor(world: MediaWorld, name: string, address: string, stream: number, nat?: string, codecs = codecFactory(), clock: VirtualClock = world.clock) {
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
    const parts = this.heard.splice(0)
    const all = new Int16Array(parts.reduce((n, p) => n + p.length, 0))
    let at = 0
    for (const p of parts) {
      all.set(p, at)
      at += p.length
    }
    return all
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
    w.plane = portablePlane({ socket: await w.server.bind({ address: '192.0.2.1', port: 7443 }), scheduler: w.clock, crypto: w.crypto })
    return w
  }
  /** A member with a hop and, once `converse` was called, a room. */
  join(name: string, media: HandsetMedia, options: { nat?: string; codec?: RoomCodec; codecs?: CodecFactory; clock?: VirtualClock; udp?: boolean } = {}): Member {
    const n = this.members.length + 1
    const m = new Member(this, name, `198.51.100.${n}`, 1000 + n, options.nat, options.codecs, options.clock)
    const spec = legSpec(this.crypto, this.#nextProbe++)
    m.leg = must(this.plane.open(spec))
    this.openHop(m, spec, options.udp ?? true)
    m.command({ op: 'phone.open', phone: 1, bind: '127.0.0.1', media })
    m.command({ op: 'conference.open', conference: 1, hop: 1, phone: 1, ssrc: m.ssrc, session: 1, codec: options.codec ?? 'g722' })
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
  /** Everybody hears everybody. */
  converse(members: readonly Member[] = this.members): void {
    for (const m of members) {
      const others = members.filter((o) => o !== m)
      must(this.plane.route(m.leg, m.ssrc, others.map((o) => o.leg)))
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
