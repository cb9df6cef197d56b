/** What leads to a PBX or provider, which may be in several places. */
import { utf8 } from '../base/bytes.ts'
import type { Scheduler } from '../base/ports.ts'
import type { Fault } from '../base/result.ts'
import type { AddressPort } from '../net/address.ts'
import type { SipFlow, SipTransport, TransportListener } from './transport.ts'

export interface PbxTransport extends SipTransport {
  /** Undefined while there is no connection. `within`: the flow of a call that is already in one of the places, where it goes on. */
  way(within?: SipFlow): SipFlow | undefined
  /** Of a kept connection, one listener: it is there, or gone. */
  watch?(listener: (up: boolean) => void): void
  /** Of a way that may begin at another address of ours later. */
  roam?(user: WayUser): void
}

export interface WayUser {
  /** Calls stand that a move would end. */
  busy(): boolean
  /** It begins at another address now: what came to the one before, media too, comes no more. */
  moved(): void
}

export interface PbxTransportOptions {
  readonly transport: 'UDP' | 'TCP' | 'TLS'
  /** The most wanted first. */
  readonly remotes: readonly [AddressPort, ...AddressPort[]]
  /** Our end. Over TLS it counts where `fixed` is set. */
  readonly bind: AddressPort
  /** Over TLS: connects from `bind`, so that a PBX that remembers our end finds us there after a loss or a restart; where that port cannot be had, from any, after some tries. */
  readonly fixed?: boolean
  /** A kept connection on which nothing comes, not even a pong: whether the PBX answers anything on it in time. Without it only who once answered a keep-alive is taken for dead. */
  readonly alive?: (withinMs: number) => Promise<boolean>
  readonly report?: (fault: Fault) => void
  /** PEM of whom to trust, and the name in the PBX's certificate. */
  readonly tls?: { readonly anchors?: readonly string[]; readonly name: string }
  /** Over UDP: something is sent that often to keep the way through a NAT open (RFC 5626 §4.4.2 has STUN for it; a double CRLF is what servers ignore). */
  readonly keepAliveMs?: number
  readonly scheduler: Scheduler
}

/** RFC 5626 §4.4.1. */
export const keepAlive = utf8('\r\n\r\n')

/** Whoever else sends here is no PBX. */
export const onlyFrom = (remotes: readonly AddressPort[], listener: TransportListener): TransportListener => ({
  message: (data, flow) => {
    if (remotes.some((r) => r.address === flow.remote.address)) listener.message(data, flow)
  },
  lost: (flow) => listener.lost(flow),
  silent: (flow, forMs) => listener.silent?.(flow, forMs),
})
