/** Whose packets count as the phone's: symmetric RTP (RFC 4961), but not for everybody who sends first. */
import type { AddressPort } from '../../net/address.ts'
import { sameAddress } from '../../net/address.ts'

const isLoopback = (a: string): boolean => a === '::1' || a.startsWith('127.')

/** RFC 1918, RFC 6598, RFC 4193, RFC 3927: addresses that a phone behind a NAT may put in its SDP. */
export const isPrivate = (a: string): boolean =>
  /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|169\.254\.)/.test(a) || /^(f[cd][0-9a-f]{2}|fe80):/i.test(a)

/**
 * Decides on each packet's source. The negotiated address counts from any port; a local phone may use
 * any loopback address; a phone whose SDP names a private address while its packets come from a public
 * one is behind a NAT, and the first such source is kept until the next negotiation.
 */
export class PhoneSource {
  #negotiated: AddressPort
  #latched: AddressPort | undefined
  constructor(negotiated: AddressPort) {
    this.#negotiated = negotiated
  }
  negotiate(remote: AddressPort): void {
    if (sameAddress(remote, this.#negotiated)) return
    this.#negotiated = remote
    this.#latched = undefined
  }
  /** Where to send: where the phone was heard, else where it said it listens. */
  get target(): AddressPort {
    return this.#latched ?? this.#negotiated
  }
  accepts(from: AddressPort): boolean {
    if (this.#latched !== undefined && sameAddress(this.#latched, from)) return true
    const to = this.#negotiated
    if (from.address === to.address || (isLoopback(from.address) && isLoopback(to.address))) return true
    return this.#latched === undefined && isPrivate(to.address) && !isPrivate(from.address) && !isLoopback(from.address)
  }
  /** A good packet came from there: answers go there. */
  heard(from: AddressPort): void {
    if (this.#latched === undefined || !sameAddress(this.#latched, from)) this.#latched = { ...from }
  }
}
