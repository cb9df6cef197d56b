/**
 * Where clients are, in memory that the planes of one port share. A client's home writes its place, the others look there with each packet that
 * they send: nobody has to be woken first, so from the answered challenge on no thread sends to the old address.
 *
 *   versions   one word each
 *   places     two copies each: probe │ way │ port │ length of the text │ address, four characters a word
 *
 * The copy that the version's last bit names is whole while the version stands; the other one is being written. All words are read and written by
 * `Atomics`, so that they keep their order on every processor.
 */
import type { AddressPort } from '../../net/address.ts'
import type { LegPath } from './types.ts'

const WAYS: readonly LegPath[] = ['none', 'udp', 'path']
const HEAD = 4
/** INET6_ADDRSTRLEN with a scope as number behind it. */
const TEXT_WORDS = 15
const COPY = HEAD + TEXT_WORDS
const NO_ADDRESS = -1
/** A writer that overtakes its reader so often in a row does not exist; the next packet looks again. */
const TRIES = 8

export interface Whereabout {
  readonly address: AddressPort | undefined
  readonly active: LegPath
}

/** One client's. */
export interface SharedPlace {
  /** Another number after each `write`; 0 before the first. */
  readonly version: number
  write(at: Whereabout): void
  /** Undefined: this client's home has not written yet, or is writing at this moment. */
  read(): Whereabout | undefined
}

export class Whereabouts {
  readonly #versions: Int32Array
  readonly #words: Int32Array

  /** Octets of zero for so many places; pages that nobody wrote to cost nothing. */
  static memory(places: number): SharedArrayBuffer {
    return new SharedArrayBuffer(places * 4 * (1 + 2 * COPY))
  }
  constructor(memory: SharedArrayBuffer) {
    const places = memory.byteLength / (4 * (1 + 2 * COPY))
    this.#versions = new Int32Array(memory, 0, places)
    this.#words = new Int32Array(memory, 4 * places)
  }
  /** `probe` tells the clients apart that have one place one after the other. Undefined: there is no such place. */
  at(place: number, probe: number): SharedPlace | undefined {
    return place < this.#versions.length ? new Place(this.#versions, this.#words, place, probe | 0) : undefined
  }
}

class Place implements SharedPlace {
  readonly #versions: Int32Array
  readonly #words: Int32Array
  readonly #place: number
  readonly #probe: number

  constructor(versions: Int32Array, words: Int32Array, place: number, probe: number) {
    this.#versions = versions
    this.#words = words
    this.#place = place
    this.#probe = probe
  }
  get version(): number {
    return Atomics.load(this.#versions, this.#place)
  }
  #copy(version: number): number {
    return (2 * this.#place + (version & 1)) * COPY
  }
  write({ address, active }: Whereabout): void {
    const next = (this.version + 1) | 0
    const at = this.#copy(next)
    const text = address?.address ?? ''
    if (text.length > 4 * TEXT_WORDS) throw new RangeError(text)
    const put = (i: number, value: number): void => void Atomics.store(this.#words, at + i, value)
    put(0, this.#probe)
    put(1, WAYS.indexOf(active))
    put(2, address?.port ?? NO_ADDRESS)
    put(3, text.length)
    for (let i = 0; i < text.length; i += 4) {
      put(HEAD + i / 4, text.charCodeAt(i) | (text.charCodeAt(i + 1) << 8) | (text.charCodeAt(i + 2) << 16) | (text.charCodeAt(i + 3) << 24))
    }
    Atomics.store(this.#versions, this.#place, next)
  }
  read(): Whereabout | undefined {
    for (let tries = 0; tries < TRIES; tries++) {
      const { version } = this
      if (version === 0) return undefined
      const words = Array.from({ length: COPY }, (_, i) => Atomics.load(this.#words, this.#copy(version) + i))
      if (this.version !== version) continue
      const [probe = 0, way = 0, port = 0, length = 0, ...text] = words
      if (probe !== this.#probe) return undefined
      const address = Array.from({ length }, (_, i) => String.fromCharCode((text[i >> 2]! >>> (8 * (i & 3))) & 0xff)).join('')
      return { address: port === NO_ADDRESS ? undefined : { address, port }, active: WAYS[way] ?? 'none' }
    }
    return undefined
  }
}
