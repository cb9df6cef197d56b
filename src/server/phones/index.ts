/** Phones that do TLS and SRTP themselves: a listener of their own, and the same relay to the PBX as for clients. */
import { err, ok, type Result } from '../../base/result.ts'
import { isEmergencyNumber } from '../../model/emergency.ts'
import type { AddressPort } from '../../net/address.ts'
import { isPrivate } from '../../net/private-address.ts'
import { everyAddress } from '../../net/any-address.ts'
import { parseMessage } from '../../protocol/sip/index.ts'
import { isEmergencyUri, KeyMemory } from '../../telephony/relay/index.ts'
import { isLoopback, localHostFor, openStreamTransport, SipEndpoint, type SipFlow, type SipTransport } from '../../telephony/index.ts'
import { SourceLimit } from '../../telephony/source-limit.ts'
import type { ServerCore } from '../core.ts'
import type { Credentials } from '../credentials.ts'
import { verifyGuest } from '../guests.ts'
import type { SipRelay } from '../sip/index.ts'
import type { PhonesConfig } from './config.ts'
import { Phones } from './phones.ts'

export { type PhonesConfig, phonesConfig } from './config.ts'

export interface StartPhonesOptions {
  readonly config: PhonesConfig
  readonly core: ServerCore
  readonly credentials: Credentials
  readonly relay: SipRelay
  readonly emergency: readonly string[]
}

/** Handshakes of one address: an office that comes back after a cut has many phones. */
const TRIES = { perSecond: 10, burst: 200 }
const PER_SOURCE = 400
/** Room for phones that come back before their old connections are known to be dead. */
const CONNECTIONS_PER_PHONE = 2

export async function startPhones({ config, core, credentials, relay, emergency }: StartPhonesOptions): Promise<Result<{ readonly local: AddressPort }>> {
  const { crypto, scheduler, plane, log } = core.options
  const bind = { ...config.listen, address: await everyAddress(config.listen.address) }
  const hostFor = (flow: SipFlow): string => hostForPhone(flow, config.advertise)
  const isEmergency = (number: string): boolean => isEmergencyNumber(emergency, number)
  const tries = new SourceLimit(TRIES.perSecond, TRIES.burst)
  const opened = await openStreamTransport(bind, {
    identity: { key: credentials.key, cert: credentials.certificate },
    clients: {
      connections: config.maximum * CONNECTIONS_PER_PHONE, perSource: PER_SOURCE,
      mayTry: (address) => tries.admit(address, scheduler.now()),
      admit: (peer, flow) => {
        const verified = verifyGuest(crypto, peer.chain, credentials.anchors, core.revocation, scheduler.unix())
        return verified.ok ? phones.connected(verified.value, peer.chain, flow) : verified
      },
      statusFor: (first) => statusForStranger(first, isEmergency),
      refused: (fault, remote) => core.refusals.warn(fault.code, { remote: remote.address, door: 'phones' }, fault.message),
    },
  })
  if (!opened.ok) return opened.fault.code === 'SIP_BIND' ? err('CONFIG_LISTEN', `phones.listen port ${bind.port}`, opened.fault) : opened
  const transport = opened.value
  const memoryKey = crypto.bytes(32)
  const memory = new KeyMemory((data) => crypto.hmac('sha256', memoryKey, data))
  const phones: Phones = new Phones({
    crypto, scheduler, plane, log, ssrcs: core.ssrcs, refusals: core.refusals, relay, maximum: config.maximum, owners: config.extensions, hostFor, boundFor: localHostFor,
    endpoint: () => endpoint, drop: (flow) => transport.drop(flow),
    isEmergency,
    keys: { suites: config.suites, fresh: (key, callId) => memory.fresh(key, callId), required: true, offers: true },
    stillGood: ({ path, identity }) => core.revocation.stillGood(crypto, path, identity.subject, scheduler.unix()),
  })
  const endpoint: SipEndpoint = new SipEndpoint({ transports: [watched(transport, (flow) => phones.lost(flow))], scheduler, random: crypto, hostFor, user: phones })
  core.phones = {
    who: (session) => phones.who(session), recheck: () => phones.recheck(),
    get load() {
      return phones.load
    },
    close: () => {
      phones.close()
      endpoint.close()
    },
  }
  return ok({ local: transport.local })
}

/** Whoever calls for help must not wait here: its second server may know it. */
function statusForStranger(first: Uint8Array, isEmergency: (number: string) => boolean): 403 | 503 {
  const parsed = parseMessage(first, { stream: true })
  return parsed.ok && parsed.value.kind === 'request' && parsed.value.method === 'INVITE' && isEmergencyUri(parsed.value.uri, isEmergency) ? 503 : 403
}

/** Phones of our own network reach us where we are. IPv6 in brackets. */
export function hostForPhone(flow: SipFlow, advertised: string | undefined): string {
  const { address } = flow.remote
  const near = isPrivate(address) || isLoopback(address) || (advertised !== undefined && advertised.includes(':') !== address.includes(':'))
  if (advertised === undefined || near) return localHostFor(flow)
  return advertised.includes(':') ? `[${advertised}]` : advertised
}

/** Tells of connections that are gone, after those who have requests on them. */
const watched = (transport: SipTransport, lost: (flow: SipFlow) => void): SipTransport => ({
  name: transport.name, local: transport.local, send: (data, flow) => transport.send(data, flow), close: () => transport.close(),
  listen: (listener) => transport.listen({ message: (data, flow) => listener.message(data, flow), lost: (flow) => {
    listener.lost(flow)
    lost(flow)
  } }),
})
