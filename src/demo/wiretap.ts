/** A wire tap on the media between members and server: relays datagrams both ways and keeps what it saw. */
import type { AddressPort } from '../net/address.ts'
import { showAddress } from '../net/address.ts'
import type { UdpPort, UdpSocket } from '../net/udp.ts'

const KEPT_OCTETS = 2_000_000
const MEMBERS_LIMIT = 64

export class WireTap {
  readonly #udp: UdpPort
  readonly #server: AddressPort
  readonly #kept: Uint8Array[] = []
  readonly #members = new Map<string, Promise<UdpSocket>>()
  #front: UdpSocket | undefined
  #size = 0

  constructor(udp: UdpPort, server: AddressPort) {
    this.#udp = udp
    this.#server = server
  }

  /** The address that members take for the server's. */
  async open(): Promise<AddressPort> {
    const front = await this.#udp.bind({ address: '127.0.0.1', port: 0 })
    this.#front = front
    front.onMessage((data, from) => {
      this.#keep(data)
      const copy = data.slice()
      void this.#back(from).then((socket) => socket?.send(copy, this.#server))
    })
    return front.local
  }

  /** Whole datagrams, in the order in which they came. */
  get packets(): readonly Uint8Array[] {
    return this.#kept
  }

  async close(): Promise<void> {
    this.#front?.close()
    for (const socket of this.#members.values()) (await socket).close()
  }

  /** One socket per member, so that the server can tell them apart. */
  #back(member: AddressPort): Promise<UdpSocket | undefined> {
    const key = showAddress(member)
    const known = this.#members.get(key)
    if (known !== undefined) return known
    if (this.#members.size >= MEMBERS_LIMIT) return Promise.resolve(undefined)
    const made = this.#udp.bind({ address: '127.0.0.1', port: 0 }).then((socket) => {
      socket.onMessage((data) => {
        this.#keep(data)
        this.#front?.send(data, member)
      })
      return socket
    })
    this.#members.set(key, made)
    return made
  }

  #keep(data: Uint8Array): void {
    if (this.#size + data.length > KEPT_OCTETS) return
    this.#size += data.length
    this.#kept.push(data.slice())
  }
}
