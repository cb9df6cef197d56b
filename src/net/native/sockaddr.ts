/** Addresses as the system writes them, and back; nothing is allocated for an address that was seen before. */
import { Memory } from '../../ffi/memory.ts'
import { type AddressPort, Destination, isPort } from '../address.ts'
import { AF_INET, AF_INET6, SOCKADDR } from './layout.ts'
import type { System } from './system.ts'

const MAPPED = '::ffff:'
const TEXT_AT = 32
const TEXT_ROOM = 64
/** Texts that are remembered; a power of two. */
const REMEMBERED = 4096

/** An address and port as the 28 octets of a sockaddr_in6, or the first 16 of them. */
export interface Sockaddr {
  readonly words: Uint32Array
  readonly octets: number
  /** For senders that gather datagrams by receiver. */
  group: number
  round: number
}

interface Text {
  readonly words: Uint32Array
  readonly address: string
}
/** What sockets of one family know of each other's senders: 32 kB, too much for each socket of a call. */
export type Texts = (Text | undefined)[]
export const noTexts = (): Texts => new Array(REMEMBERED)

export class Sockaddrs {
  readonly #system: System
  readonly #scratch: Memory
  readonly #words: Uint32Array
  readonly #six: boolean
  readonly #known = new WeakMap<AddressPort, Sockaddr>()
  readonly #texts: Texts
  /** Asked for last: most sockets send to one peer. */
  #last: AddressPort | undefined
  #lastMade: Sockaddr | undefined

  /** `six`: for a socket of IPv6, which reaches IPv4 through mapped addresses (RFC 4291 §2.5.5.2). */
  constructor(system: System, six: boolean, texts = noTexts()) {
    this.#system = system
    this.#six = six
    this.#texts = texts
    this.#scratch = new Memory(system.library, 128)
    this.#words = new Uint32Array(this.#scratch.bytes.buffer, 0, SOCKADDR.octets / 4)
  }
  /** Undefined for what is no address of this socket's family, or no port to send to. */
  of(to: AddressPort): Sockaddr | undefined {
    if (to === this.#last) return this.#lastMade
    if (to instanceof Destination) return to.made(this, this.#make)
    if (to instanceof Sender) return to.sockaddr
    let made = this.#known.get(to)
    if (made === undefined) {
      made = this.#make(to)
      if (made === undefined) return undefined
      this.#known.set(to, made)
    }
    this.#last = to
    this.#lastMade = made
    return made
  }
  readonly #make = (to: AddressPort): Sockaddr | undefined => (isPort(to.port) ? this.own(to) : undefined)
  /** Of a socket's own end, where port 0 stands for any. */
  own({ address, port }: AddressPort): Sockaddr | undefined {
    if (port !== 0 && !isPort(port)) return undefined
    const mapped = this.#six && !address.includes(':') ? MAPPED + address : address
    const [bare = '', scope = '0'] = mapped.split('%')
    const { bytes, view } = this.#scratch
    bytes.fill(0, 0, SOCKADDR.octets)
    view.setUint16(SOCKADDR.family, this.#six ? AF_INET6 : AF_INET, true)
    view.setUint16(SOCKADDR.port, port)
    view.setUint32(SOCKADDR.scope6, this.#six ? Number(scope) || 0 : 0, true)
    const to = this.#six ? this.#scratch.address(SOCKADDR.address6, 16) : this.#scratch.address(SOCKADDR.address4, 4)
    if (bare.length > TEXT_ROOM || this.#system.inetPton(this.#six ? AF_INET6 : AF_INET, bare, to) !== 1) return undefined
    return this.copy(this.#words, 0)
  }
  copy(words: Uint32Array, at: number): Sockaddr {
    return { words: words.slice(at, at + 7), octets: this.#six ? SOCKADDR.octets : SOCKADDR.octets4, group: -1, round: -1 }
  }
  /** The address in a sockaddr whose words begin at `at`: a text of before, or a fresh one. */
  text(words: Uint32Array, at: number): string {
    // Word 0 is family and port; IPv4 stands in word 1, IPv6 in 2 to 5, its scope in 6.
    let hash = this.#six ? 0 : words[at + 1]! | 0
    if (this.#six) for (let i = 2; i < 7; i++) hash = (Math.imul(hash, 31) + words[at + i]!) | 0
    hash = (Math.imul(hash, 0x9e3779b1) >>> 20) & (REMEMBERED - 1)
    const known = this.#texts[hash]
    if (known !== undefined && this.#same(known.words, words, at)) return known.address
    const fresh = { words: words.slice(at, at + 7), address: this.#format(words, at) }
    this.#texts[hash] = fresh
    return fresh.address
  }
  #same(known: Uint32Array, words: Uint32Array, at: number): boolean {
    if (!this.#six) return known[1] === words[at + 1]
    return known[2] === words[at + 2] && known[3] === words[at + 3] && known[4] === words[at + 4] && known[5] === words[at + 5] && known[6] === words[at + 6]
  }
  #format(words: Uint32Array, at: number): string {
    this.#words.set(words.subarray(at, at + 7))
    const from = this.#six ? this.#scratch.address(SOCKADDR.address6, 16) : this.#scratch.address(SOCKADDR.address4, 4)
    const { bytes } = this.#scratch
    bytes.fill(0, TEXT_AT, TEXT_AT + TEXT_ROOM)
    this.#system.inetNtop(this.#six ? AF_INET6 : AF_INET, from, this.#scratch.address(TEXT_AT, TEXT_ROOM), TEXT_ROOM)
    const text = new TextDecoder().decode(bytes.subarray(TEXT_AT, bytes.indexOf(0, TEXT_AT)))
    const scope = this.#six ? words[at + 6]! : 0
    return text.startsWith(MAPPED) ? text.slice(MAPPED.length) : scope === 0 ? text : `${text}%${scope}`
  }
}

/** Where the datagram at hand came from: valid during the call only, its text made when somebody asks. */
export class Sender implements AddressPort {
  #addresses: Sockaddrs | undefined
  readonly #words: Uint32Array
  readonly #bytes: Uint8Array
  #word = 0
  constructor(memory: Memory) {
    this.#bytes = memory.bytes
    this.#words = new Uint32Array(memory.bytes.buffer)
  }
  at(addresses: Sockaddrs, name: number): this {
    this.#addresses = addresses
    this.#word = name >>> 2
    return this
  }
  /** As it is now, for good. */
  get sockaddr(): Sockaddr {
    return this.#addresses!.copy(this.#words, this.#word)
  }
  get port(): number {
    const at = this.#word * 4 + SOCKADDR.port
    return (this.#bytes[at]! << 8) | this.#bytes[at + 1]!
  }
  get address(): string {
    return this.#addresses!.text(this.#words, this.#word)
  }
}
