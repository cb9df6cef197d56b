/** An IP address (v4 dotted, v6 without brackets) and a port. */
export interface AddressPort {
  readonly address: string
  readonly port: number
}

/** One to keep: the address of a datagram's sender is valid during its delivery only. */
export const copyAddress = (a: AddressPort): AddressPort => ({ address: a.address, port: a.port })

export const sameAddress = (a: AddressPort, b: AddressPort): boolean => a.port === b.port && a.address === b.address

/** `1.2.3.4:5` or `[::1]:5`. */
export const showAddress = (a: AddressPort): string => (a.address.includes(':') ? `[${a.address}]:${a.port}` : `${a.address}:${a.port}`)
