/**
 * Somebody on the line of a whole call who speaks the in-band carrier with both ends: hello of its own to each, a lane of its own with each, what comes out
 * of the one put into the other. Whatever is no frame of a lane goes on as it came.
 */
import type { TakenPacket } from '../../src/media/plain/bridge-end.ts'
import { InBandCarrier } from '../../src/protocol/keyagreement/in-band/carrier.ts'
import { crypto } from './certificates.ts'
import type { SealedCallWorld, Side } from './sealed-call-world.ts'

export class InBandIntruder {
  readonly #facing: ReadonlyMap<Side, InBandCarrier>
  /** What it makes of a message of the agreement; nothing: it is gone. */
  messages: (bytes: Uint8Array, from: Side) => readonly Uint8Array[] = (m) => [m]
  /** What it read on both lanes. */
  readonly read: Uint8Array[] = []

  constructor(world: SealedCallWorld) {
    this.#facing = new Map([world.a, world.b].map((s) => [s, new InBandCarrier(crypto, world.codec)]))
    world.between = (p, from) => [this.#pass(world, p, from)]
  }
  /** It has a lane with this side. */
  speaksWith(side: Side): boolean {
    return this.#facing.get(side)!.ready
  }
  #pass(world: SealedCallWorld, p: TakenPacket, from: Side): TakenPacket {
    const [near, far] = [this.#facing.get(from)!, this.#facing.get(from.other)!]
    const now = world.clock.now()
    const { voice = world.silence(p.payload.length), messages } = near.incoming(p.payload, now)
    for (const { bytes } of messages) {
      this.read.push(bytes)
      for (const m of this.messages(bytes, from)) far.send(m)
    }
    return { ...p, payload: far.outgoing(voice, now) }
  }
}
