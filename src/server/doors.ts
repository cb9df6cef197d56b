/** Who gets in by which door. */
import type { Result } from '../base/result.ts'
import { door, openTlsServer, TLS_GROUPS, type TlsPeer, type TlsServer } from '../net/tls-server.ts'
import { MESSAGE_LIMIT } from '../protocol/wire/limits.ts'
import { BATCH_OCTETS, MEDIA_PROTOCOL } from '../protocol/wire/packet-batch.ts'
import type { VerifiedPath } from '../protocol/x509/path.ts'
import { attach, mayAttach } from './attach.ts'
import type { ServerConfig } from './config.ts'
import type { ServerCore } from './core.ts'
import type { Credentials } from './credentials.ts'
import { verifyGuest } from './guests.ts'

const HYBRID_ONLY = 'X25519MLKEM768'

type Guest = VerifiedPath

/** The control channel, and media over TLS: both for members of the realm alone. */
export function openDoors(config: ServerConfig, bind: ServerConfig['listen'], core: ServerCore, c: Credentials): Promise<Result<TlsServer>> {
  const { crypto, scheduler } = core.options
  const verify = (peer: TlsPeer): Result<Guest> => verifyGuest(crypto, peer.chain, c.anchors, core.revocation, scheduler.unix())
  const control = door<Guest>({
    protocol: 'stc.v1', messageLimit: MESSAGE_LIMIT,
    admit: verify,
    enter: (guest, transport, peer) => core.connect({ ...peer, identity: guest.identity }, transport, guest.validUntil, () => core.revocation.stillGood(crypto, guest.path, guest.identity.subject, scheduler.unix())),
  })
  const media = door({
    protocol: MEDIA_PROTOCOL, messageLimit: BATCH_OCTETS,
    admit: (peer, query) => {
      const guest = verify(peer)
      return guest.ok ? mayAttach(core, guest.value.identity.keyId, query.get('session') ?? '') : guest
    },
    enter: (session, transport) => attach(core, session, transport),
  })
  return openTlsServer({
    bind, certificate: c.certificate, key: c.key, groups: config.hybrid === 'required' ? HYBRID_ONLY : TLS_GROUPS,
    connectionLimit: config.connections, doors: { '/': control, '/media': media },
    onRefused: (fault, remote) => core.refusals.warn(fault.code, { remote: remote.address }, fault.message),
  })
}
