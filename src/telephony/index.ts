/** SIP over transports, as user agents and relays use it. */
export type { EndpointOptions, Incoming, Outgoing, OutgoingHandlers, TransactionUser } from './endpoint.ts'
export { replyFlow, SipEndpoint } from './endpoint.ts'
export { isLoopback, localHostFor } from './local-address.ts'
export { openPbxTransport } from './outgoing.ts'
export type { PbxTransport } from './pbx-transport.ts'
export { openStreamTransport } from './stream-transport.ts'
export type { SipFlow, SipTransport, TransportName } from './transport.ts'
export { SourceLimit } from './source-limit.ts'
