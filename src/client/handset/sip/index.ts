/** SIP handsets over real sockets. */
import type { Result } from '../../../base/result.ts'
import { err, ok } from '../../../base/result.ts'
import { nodeUdp } from '../../../net/node-udp.ts'
import { localHostFor } from '../../../telephony/local-address.ts'
import type { TlsIdentity } from '../../../telephony/stream-transport.ts'
import { openStreamTransport } from '../../../telephony/stream-transport.ts'
import type { SipTrace } from '../../../telephony/trace.ts'
import type { SipTransport, TransportName } from '../../../telephony/transport.ts'
import { openUdpTransport } from '../../../telephony/udp-transport.ts'
import type { Handset } from '../port.ts'
import { SipHandset } from './handset.ts'
import type { SipHandsetSettings } from './options.ts'

export type { SipHandsetSettings, SrtpPolicy } from './options.ts'
export type { PhoneRelay } from './phone-relay.ts'

export interface SipHandsetOptions extends SipHandsetSettings {
  /** One IP address, or 0.0.0.0 or ::. Port 0 picks a free one. TLS takes the next port above. */
  readonly bind: { readonly address: string; readonly port: number }
  readonly transports: readonly TransportName[]
  /** Needed for TLS. */
  readonly tls?: TlsIdentity
  /** Takes note of every message, without its secrets. */
  readonly trace?: SipTrace
}

export interface BoundAddress {
  readonly transport: TransportName
  readonly address: string
  readonly port: number
}

/** Port 0: UDP and TCP must get the same port, so a few are tried. */
const attempts = 20

/** Binds all transports, or none. The handset ends by its `Symbol.dispose`. */
export async function createSipHandset(options: SipHandsetOptions): Promise<Result<Handset & { readonly addresses: readonly BoundAddress[] }>> {
  if (options.transports.length === 0) return err('SIP_BIND', 'no transport named')
  const opened = await openAll(options)
  if (!opened.ok) return opened
  const handset = new SipHandset(options, { transports: options.trace === undefined ? opened.value : opened.value.map((t) => options.trace!.watch(t)), hostFor: localHostFor })
  const addresses = opened.value.map((t) => ({ transport: t.name, ...t.local }))
  return ok(Object.assign(handset, { addresses }))
}

async function openAll(options: SipHandsetOptions): Promise<Result<readonly SipTransport[]>> {
  let last: Result<readonly SipTransport[]> = err('SIP_BIND')
  for (let i = 0; i < (options.bind.port === 0 ? attempts : 1); i++) {
    last = await openOnce(options)
    if (last.ok || last.fault.code !== 'SIP_BIND') return last
  }
  return last
}

async function openOnce(options: SipHandsetOptions): Promise<Result<readonly SipTransport[]>> {
  const { address } = options.bind
  let { port } = options.bind
  const opened: SipTransport[] = []
  for (const name of ['UDP', 'TCP', 'TLS'] as const) {
    if (!options.transports.includes(name)) continue
    const one = await open(name, { address, port: name === 'TLS' && port !== 0 ? port + 1 : port }, options.tls)
    if (!one.ok) {
      for (const t of opened) t.close()
      return one
    }
    if (port === 0) port = one.value.local.port
    opened.push(one.value)
  }
  return ok(opened)
}

function open(name: TransportName, at: { address: string; port: number }, identity: TlsIdentity | undefined): Promise<Result<SipTransport>> {
  if (name === 'UDP') return openUdpTransport(nodeUdp(), at)
  if (name === 'TCP') return openStreamTransport(at)
  return identity === undefined ? Promise.resolve(err('SIP_TLS', 'no key and certificate given')) : openStreamTransport(at, { identity })
}
