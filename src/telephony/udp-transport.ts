/** SIP over UDP (RFC 3261 §18). */
import type { AddressPort } from '../net/address.ts'
import type { UdpPort } from '../net/udp.ts'
import type { Result } from '../base/result.ts'
import { err, ok } from '../base/result.ts'
import type { SipTransport, TransportListener } from './transport.ts'

/** Datagrams of this size or less are keep-alives: CRLF, CRLF CRLF, a zero octet (RFC 5626 §4.4, RFC 6223). */
const keepAliveOctets = 4

export async function openUdpTransport(udp: UdpPort, at: AddressPort): Promise<Result<SipTransport>> {
  try {
    const socket = await udp.bind(at)
    return ok({
      name: 'UDP',
      local: socket.local,
      listen: (listener: TransportListener) => socket.onMessage((data, from) => {
        if (data.length > keepAliveOctets) listener.message(data, { transport: 'UDP', local: socket.local, remote: from })
      }),
      send: (data, flow) => {
        socket.send(data, flow.remote)
        return true
      },
      close: () => socket.close(),
    })
  } catch (e) {
    return err('SIP_BIND', `UDP ${at.address} port ${at.port}: ${e instanceof Error ? e.message : String(e)}`)
  }
}
