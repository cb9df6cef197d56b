/** What a hostile server, or a removed member that it helps, does with media: see all sealed frames, send any to anybody. */
import { ssrc, type Ssrc } from '../../src/base/brand.ts'
import { must } from '../../src/base/result.ts'
import type { LegId } from '../../src/media/plane/types.ts'
import { kidOf } from '../../src/protocol/sframe/epoch.ts'
import { SFrameKey, sframeSecret } from '../../src/protocol/sframe/key.ts'
import { frameMetadata } from '../../src/protocol/sframe/metadata.ts'
import { codecFactory } from '../../src/audio/codecs.ts'
import type { Frame } from '../../src/vault/api/frames.ts'
import { type FrameCommand, SFRAME_SUITE } from '../../src/vault/inside/frame-commands.ts'
import type { ConferenceWorld, WorldMember } from './conference-world.ts'
import { legSpec, MediaClient } from './media-client.ts'
import { tone } from './room-tones.ts'

/** Every frame that the member's vault seals from now on, as the server sees it. */
export function tap(m: WorldMember): Frame[] {
  const seen: Frame[] = []
  const frames = m.vault.frames.bind(m.vault)
  m.vault.frames = async (batch) => {
    const answer = await frames(batch)
    if (batch.op === 'seal') seen.push(...answer.frames.filter((f) => f.fault === undefined))
    return answer
  }
  return seen
}

/** A leg of the server's own, from which it sends what it likes. */
export class Injector {
  readonly #w: ConferenceWorld
  readonly #client: MediaClient
  readonly #leg: LegId
  readonly #taken: Ssrc[] = []
  static #next = 1

  private constructor(w: ConferenceWorld, client: MediaClient, leg: LegId) {
    this.#w = w
    this.#client = client
    this.#leg = leg
  }
  static async open(w: ConferenceWorld): Promise<Injector> {
    const n = Injector.#next++
    const spec = legSpec(w.crypto, 100_000 + n)
    const leg = must(w.plane.open(spec))
    const address = `203.0.113.${n}`
    const client = new MediaClient(w.crypto, await w.net.host(`evil${n}`, address).bind({ address, port: 9 }), w.plane.local, spec)
    return new Injector(w, client, leg)
  }
  /** From now on this stream is made by the injector and goes to these members; what its owner sends is withheld. */
  take(stream: Ssrc | number, to: readonly WorldMember[]): void {
    const { flow } = this.#w
    this.#w.flow = (s) => flow(s).filter((x) => x.ssrc !== stream)
    this.#w.reroute()
    this.#taken.push(ssrc(stream))
    must(this.#w.plane.route(this.#leg, ssrc(stream), to.map((m) => m.leg!)))
  }
  /** Gives back what was taken. */
  release(): void {
    for (const stream of this.#taken.splice(0)) must(this.#w.plane.unroute(this.#leg, stream))
  }
  send(stream: Ssrc | number, timestamp: number, payload: Uint8Array): void {
    this.#client.send(ssrc(stream), timestamp >>> 0, payload)
  }
}

/** Twenty milliseconds of a tone as a room's frame: level ‖ G.722. */
export function* toneFrames(hz: number): Generator<Uint8Array, never> {
  const codec = codecFactory().create('g722')
  const pcm = tone(hz)
  for (let at = 0; ; at = (at + 320) % pcm.length) yield Uint8Array.of(15, ...codec.encode(pcm.subarray(at, at + 320)))
}

/** Keys that a hostile member kept: it can seal in the name of everybody of an epoch. */
export class KeptKeys {
  readonly #w: ConferenceWorld
  readonly #epochs = new Map<bigint, Uint8Array>()
  #ctr = 0x4000000n

  constructor(w: ConferenceWorld) {
    this.#w = w
  }
  readonly leak = (c: FrameCommand): void => {
    if (c.op === 'epoch') this.#epochs.set(c.epoch, c.baseKey.slice())
  }
  get newest(): bigint {
    return [...this.#epochs.keys()].reduce((a, b) => (b > a ? b : a), 0n)
  }
  seal(epoch: bigint, leaf: number, stream: Ssrc | number, timestamp: number, plaintext: Uint8Array): Uint8Array {
    const { crypto } = this.#w
    const key = new SFrameKey(crypto, SFRAME_SUITE, sframeSecret(crypto, SFRAME_SUITE, this.#epochs.get(epoch)!), kidOf(leaf, epoch))
    return key.seal(this.#ctr++, frameMetadata('g722', ssrc(stream), timestamp >>> 0), plaintext)
  }
}
