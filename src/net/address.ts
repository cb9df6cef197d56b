/** An IP address (v4 dotted, v6 without brackets) and a port. */
export interface AddressPort {
  readonly address: string
  readonly port: number
}

/** One that something can be sent to. */
export const isPort = (port: number): boolean => Number.isInteger(port) && port > 0 && port < 65_536

/** One to keep: the address of a datagram's sender is valid during its delivery only. */
export const copyAddress = (a: AddressPort): AddressPort => ({ address: a.address, port: a.port })

/** One that is sent to again and again: what a kind of socket made of it stays with it. */
export class Destination implements AddressPort {
  readonly address: string
  readonly port: number
  #maker: object | undefined
  #made: unknown

  constructor({ address, port }: AddressPort) {
    this.address = address
    this.port = port
  }
  /** What `maker` makes of it, once. Whoever asks last is remembered. */
  made<T>(maker: object, make: (to: AddressPort) => T): T {
    if (this.#maker !== maker) {
      this.#made = make(this)
      this.#maker = maker
    }
    return this.#made as T
  }
}

export const sameAddress = (a: AddressPort, b: AddressPort): boolean => a.port === b.port && a.address === b.address

/** `1.2.3.4:5` or `[::1]:5`. */
export const showAddress = (a: AddressPort): string => (a.address.includes(':') ? `[${a.address}]:${a.port}` : `${a.address}:${a.port}`)
