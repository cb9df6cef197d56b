/** A connection inside this process, as a SIP transport at both ends: between the page's phone and the handset whose phones use the relay. */
import type { Scheduler } from '../../../base/ports.ts'
import type { AddressPort } from '../../../net/address.ts'
import type { SipFlow, SipTransport } from '../../../telephony/index.ts'
import type { TransportListener } from '../../../telephony/transport.ts'

/** Loopback, and ports that no phone can have: discard and tcpmux. */
const HERE: AddressPort = { address: '127.0.0.1', port: 9 }
const THERE: AddressPort = { address: '127.0.0.1', port: 1 }

interface End extends SipTransport {
  /** The way to the other end. */
  readonly flow: SipFlow
}

/** Messages arrive in order, and not before whoever sends them has finished what it does. */
export function sipPipe(scheduler: Scheduler): { readonly phone: End; readonly handset: End } {
  const listeners = new Map<AddressPort, TransportListener>()
  const waiting: (() => void)[] = []
  let closed = false
  const drain = (): void => {
    // What this causes comes with the next turn.
    for (const run of waiting.splice(0)) if (!closed) run()
  }
  const end = (local: AddressPort, remote: AddressPort): End => {
    const flow: SipFlow = { transport: 'TCP', local, remote, connection: 1 }
    const back: SipFlow = { transport: 'TCP', local: remote, remote: local, connection: 1 }
    return {
      name: 'TCP', local, flow,
      listen: (listener) => void listeners.set(local, listener),
      send: (data) => {
        if (closed) return false
        const copy = data.slice()
        if (waiting.push(() => listeners.get(remote)?.message(copy, back)) === 1) scheduler.at(scheduler.now(), drain)
        return true
      },
      close: () => {
        closed = true
      },
    }
  }
  return { phone: end(THERE, HERE), handset: end(HERE, THERE) }
}
