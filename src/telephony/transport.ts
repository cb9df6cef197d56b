/** What carries SIP messages: sockets in production, a simulated network in tests. */
import type { AddressPort } from '../net/address.ts'

export type TransportName = 'UDP' | 'TCP' | 'TLS'

/** The way to one peer: a connection, or for UDP its address. A reply goes back the way the request came. */
export interface SipFlow {
  readonly transport: TransportName
  /** Our end. For UDP the bound address, which may be a wildcard. */
  readonly local: AddressPort
  readonly remote: AddressPort
  /** Number of the connection, unique within its transport; absent for UDP. */
  readonly connection?: number
}

export interface TransportListener {
  /** One whole message, still unparsed. The octets are valid during the call only. */
  message(data: Uint8Array, flow: SipFlow): void
  /** A connection has ended: requests on it will have no answer. */
  lost(flow: SipFlow): void
  /**
   * Nothing at all has come from there for so long, although something was asked, and there is another place to ask. Of a transport with several places.
   * No sign that anything has ended: what rings there rings on.
   */
  silent?(flow: SipFlow, forMs: number): void
}

export interface SipTransport {
  readonly name: TransportName
  readonly local: AddressPort
  /** One listener, before anything arrives. */
  listen(listener: TransportListener): void
  /** False when the flow's connection is gone. UDP is best effort and always true. */
  send(data: Uint8Array, flow: SipFlow): boolean
  close(): void
}

export const isReliable = (name: TransportName): boolean => name !== 'UDP'
export const sameFlow = (a: SipFlow, b: SipFlow): boolean =>
  a.transport === b.transport && a.connection === b.connection && a.remote.port === b.remote.port && a.remote.address === b.remote.address
