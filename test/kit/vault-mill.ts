/** Messages for the border of a vault: valid ones, ones that are nearly so, and none at all. */
import { encodeCbor } from '../../src/protocol/wire/cbor.ts'
import { frame, numbered, TO_VAULT } from '../../src/vault/api/border.ts'
import { CALL_NAMES } from '../../src/vault/api/call-shapes.ts'
import type { VaultCallName } from '../../src/vault/api/calls.ts'
import { packBatches } from '../../src/vault/api/packed-frames.ts'
import type { SeededNumbers } from './seeded-random.ts'

/** A valid argument of each call, to start from; octets that a real conversation had, to put into them. */
export interface Samples {
  readonly inputs: Readonly<Partial<Record<VaultCallName, unknown>>>
  readonly octets: readonly Uint8Array[]
}

export class VaultMill {
  readonly #random: SeededNumbers
  readonly #samples: Samples
  /** Numbers of calls that may have been read as calls. */
  #id = 1

  constructor(random: SeededNumbers, samples: Samples) {
    this.#random = random
    this.#samples = samples
  }

  /** One message, as it goes into the socket; never the one that asks for the end, never one that announces more than it has. */
  next(): Uint8Array {
    const r = this.#random
    const made = r.pick([() => this.#call(), () => this.#call(), () => this.#frames(), () => this.#pipe(), () => this.#noise(), () => this.#mutated(this.#call()), () => this.#oversized()])()
    return made[4] === TO_VAULT.close && made.length === 5 ? this.#noise() : made
  }

  #call(): Uint8Array {
    const r = this.#random
    const at = r.int(CALL_NAMES.length + 1)
    const name = CALL_NAMES[at]
    const input = name === undefined ? {} : this.#spoilt(this.#samples.inputs[name] ?? {}, 0)
    try {
      return numbered(TO_VAULT.call, this.#id++ >>> 0, Uint8Array.of(at), encodeCbor(input))
    } catch {
      return this.#noise()
    }
  }

  /** The value, or now and then something else in a place of it. */
  #spoilt(value: unknown, depth: number): unknown {
    const r = this.#random
    if (r.chance(0.04)) return this.#anything(depth)
    if (value instanceof Uint8Array) return this.#octets(value)
    if (Array.isArray(value)) return r.chance(0.1) ? Array.from({ length: r.int(5) }, () => this.#spoilt(value[0] ?? {}, depth + 1)) : value.map((v) => this.#spoilt(v, depth + 1))
    if (typeof value === 'object' && value !== null) {
      const all = Object.entries(value).filter(() => !r.chance(0.02)).map(([k, v]) => [k, this.#spoilt(v, depth + 1)] as const)
      return Object.fromEntries(r.chance(0.02) ? [...all, ['more', 1] as const] : all)
    }
    return typeof value === 'number' && r.chance(0.2) ? r.pick([0, 1, 2, 3, r.u32(), -1]) : value
  }
  #octets(value: Uint8Array): Uint8Array {
    const r = this.#random
    const from = r.chance(0.3) ? r.pick(this.#samples.octets) : value
    if (from.length === 0 || r.chance(0.3)) return from
    if (r.chance(0.3)) return from.subarray(0, r.int(from.length))
    const out = from.slice()
    for (let n = 1 + r.int(3); n > 0; n--) out[r.int(out.length)]! ^= 1 << r.int(8)
    return out
  }
  #anything(depth: number): unknown {
    const r = this.#random
    return r.pick([() => r.u32(), () => -r.int(1000), () => 2n ** 63n, () => '', () => 'x'.repeat(r.int(400)), () => null, () => true, () => this.#raw(40), () => (depth > 5 ? [] : [this.#anything(depth + 1)]), () => ({}), () => ({ constructor: 1, toString: 2 })])()
  }

  #frames(): Uint8Array {
    const r = this.#random
    const frames = Array.from({ length: r.int(6) }, () => ({ ssrc: r.u32() as never, timestamp: r.u32(), data: r.chance(0.5) ? this.#raw(60) : this.#octets(r.pick(this.#samples.octets)).subarray(0, 1000) }))
    const packed = packBatches(Array.from({ length: 1 + r.int(3) }, () => ({ op: r.pick(['seal', 'open'] as const), session: r.int(4), frames })))
    return this.#mutated(numbered(TO_VAULT.frames, this.#id++ >>> 0, packed), 0.5)
  }
  #pipe(): Uint8Array {
    const r = this.#random
    const pipe = r.int(8)
    return r.pick([
      () => numbered(TO_VAULT.pipeOpen, pipe, encodeCbor({ serverName: r.pick(['sip.test.example', '', '127.0.0.1', '\u0000']), protocols: r.pick([[], ['http/1.1'], ['']]) })),
      () => numbered(TO_VAULT.pipeFeed, pipe, this.#raw(300)), () => numbered(TO_VAULT.pipeWrite, pipe, this.#raw(300)),
      () => numbered(TO_VAULT.pipeEnd, pipe, this.#raw(2)), () => frame(TO_VAULT.open, encodeCbor({ chain: [], anchors: [], realm: 'x', pkcs8: this.#raw(50) })), () => frame(TO_VAULT.open, this.#raw(100)),
    ])()
  }
  #noise(): Uint8Array {
    const body = this.#raw(80)
    // The close message has no body.
    return frame(this.#random.int(256), body.length === 0 ? Uint8Array.of(1) : body)
  }
  /** Within the message: its length stays true. */
  #mutated(message: Uint8Array, probability = 1): Uint8Array {
    const r = this.#random
    if (message.length < 6 || !r.chance(probability)) return message
    const kind = message[4]!
    const body = message.subarray(5, r.chance(0.4) ? 5 + r.int(message.length - 5) : message.length).slice()
    if (body.length > 0) for (let n = 1 + r.int(4); n > 0; n--) body[r.int(body.length)] = r.int(256)
    return frame(kind, body)
  }
  #oversized(): Uint8Array {
    const r = this.#random
    if (!r.chance(0.02)) return this.#noise()
    return frame(r.pick([TO_VAULT.pipeOpen, TO_VAULT.pipeFeed, TO_VAULT.pipeEnd, TO_VAULT.close]), new Uint8Array(70_000 + r.int(30_000)))
  }
  #raw(limit: number): Uint8Array {
    const r = this.#random
    return Uint8Array.from({ length: r.int(limit) }, () => r.int(256))
  }
}
