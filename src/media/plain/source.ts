/** Whose packets count as the peer's: symmetric RTP (RFC 4961), but not for everybody who sends. */
import type { AddressPort } from '../../net/address.ts'
import { copyAddress, sameAddress } from '../../net/address.ts'
import { isPrivate } from '../../net/private-address.ts'

const isLoopback = (a: string): boolean => a === '::1' || a.startsWith('127.')

/** How much speaks for a source. */
const NOBODY = 0
/** The SDP names a private address, the packets come from a public one: a NAT in between, or anybody. */
const BEHIND_NAT = 1
/** The host that the SDP names, from another port; a local phone may use any loopback address. */
const SAME_HOST = 2
/** Exactly what the SDP says. */
const NEGOTIATED = 3

/**
 * Decides on each packet's source. The first that is good enough is kept; after that only one for which
 * more speaks takes its place, so that who sends first to a port does not keep a call from the peer that
 * the SDP names, and nobody takes a call over later. A signalled change begins anew.
 */
export class RtpSource {
  #negotiated: AddressPort
  #latched: AddressPort | undefined
  #rank = NOBODY
  constructor(negotiated: AddressPort) {
    this.#negotiated = negotiated
  }
  negotiate(remote: AddressPort): void {
    if (sameAddress(remote, this.#negotiated)) return
    this.#negotiated = { ...remote }
    this.#latched = undefined
    this.#rank = NOBODY
  }
  /** Where to send: where the peer was heard, else where it said it listens. The same object until it changes. */
  get target(): AddressPort {
    return this.#latched ?? this.#negotiated
  }
  get latched(): boolean {
    return this.#latched !== undefined
  }
  accepts(from: AddressPort): boolean {
    if (this.#latched !== undefined && sameAddress(this.#latched, from)) return true
    return this.#rankOf(from) > this.#rank
  }
  /** A good packet came from there: answers go there. */
  heard(from: AddressPort): void {
    if (this.#latched !== undefined && sameAddress(this.#latched, from)) return
    this.#latched = copyAddress(from)
    this.#rank = this.#rankOf(from)
  }
  #rankOf(from: AddressPort): number {
    const to = this.#negotiated
    if (sameAddress(from, to)) return NEGOTIATED
    if (from.address === to.address || (isLoopback(from.address) && isLoopback(to.address))) return SAME_HOST
    return isPrivate(to.address) && !isPrivate(from.address) && !isLoopback(from.address) ? BEHIND_NAT : NOBODY
  }
}
