/** The server's configuration file (docs/operations.md). */
import { z } from 'zod'
import type { Result } from '../base/result.ts'
import { ok } from '../base/result.ts'
import { REVOCATION_RULES } from '../model/trust.ts'
import { besideConfig, readConfig } from '../store/config.ts'
import { pbxConfig } from './pbx/config.ts'
import { phonesConfig } from './phones/config.ts'
import { sipConfig } from './sip/config.ts'

const file = z.string().min(1)
const port = z.number().int().min(0).max(65_535)

export const serverConfig = z.strictObject({
  /** TCP and UDP. `::` is every address of IPv6 and IPv4. */
  listen: z.strictObject({ address: z.union([z.ipv4(), z.ipv6()], 'must be a numeric address, e.g. 0.0.0.0 or ::').default('::'), port: port.default(7443) }).prefault({}),
  identity: z.strictObject({ certificate: file, key: file, passphrase: z.string().optional(), anchors: z.array(file).min(1) }),
  /** When a fresh statement about revocation must be at hand, and where lists are: files, read again when they change. */
  revocation: z.strictObject({ rule: z.enum(REVOCATION_RULES).default('named'), lists: z.array(file).max(64).default([]), fetch: z.boolean().default(true) }).prefault({}),
  /** Files with what Intel publishes about processors ("stc attestation fetch"), handed on to clients, read again when they change. */
  attestation: z.strictObject({ collateral: z.array(file).max(32).default([]) }).prefault({}),
  realm: z.string().regex(/^[a-z0-9.-]{1,64}$/, 'must be lower-case letters, digits, . -').default('stc'),
  /** Where clients find the media port, when it is not the address that they connected to (NAT). */
  advertise: z.array(z.strictObject({ address: z.union([z.ipv4(), z.ipv6()], 'must be a numeric address'), port: port.min(1) })).max(8).default([]),
  rooms: z
    .strictObject({
      maximum: z.number().int().min(1).max(100_000).default(1000),
      /** Members of one room, whatever its policy says. */
      members: z.number().int().min(1).max(1000).default(200),
      /** Speakers that are passed on at a time in a `loudest` room. */
      loudest: z.number().int().min(1).max(16).default(5),
    })
    .prefault({}),
  media: z
    .strictObject({
      /** `auto`: native where it works, otherwise portable, and the log says why. */
      plane: z.enum(['auto', 'native', 'portable']).default('auto'),
      /** Threads that share the media port; rooms are spread over them. The native plane only. */
      workers: z.number().int().min(1).max(64).default(1),
      /** At high rates packets wait for so long, ms, to be handled together: what the server adds to the delay at most. */
      gather: z.number().min(0).max(20).default(1),
      /** Packets for one member that were gathered go down in one piece (UDP_SEGMENT); pays from a gather of about 5 ms. */
      segment: z.boolean().default(false),
      /** Rooms whose packets are held for so long, ms, beyond that, so that several for one member go down in one piece (UDP_SEGMENT); native only. */
      rooms: z.record(z.string().min(1), z.strictObject({ gather: z.number().int().min(1).max(20) })).default({}),
      /** UDP ports towards the PBX, in pairs; left out: the system picks. */
      ports: z.strictObject({ first: z.number().int().min(1024).max(65_534), last: z.number().int().min(1025).max(65_535) }).refine((r) => r.last > r.first, 'last must be above first').optional(),
    })
    .prefault({}),
  /** Folder for policies of standing rooms and block notices; without it they are forgotten at the end. */
  data: file.optional(),
  /** Metrics and status over HTTP, for whoever reaches this address; `admin: {}` is loopback. Left out: none. */
  admin: z.strictObject({ address: z.union([z.ipv4(), z.ipv6()], 'must be a numeric address, e.g. 127.0.0.1').default('127.0.0.1'), port: port.default(7444) }).optional(),
  /** Open connections of all clients; each has one or two. */
  connections: z.number().int().min(1).max(100_000).default(2000),
  /** The Asterisk behind this server, when there is one. */
  pbx: pbxConfig.optional(),
  /** The way to the extensions of the PBX behind this server, when there is one. */
  sip: sipConfig.optional(),
  /** Phones that do TLS and SRTP themselves. */
  phones: phonesConfig.optional(),
  /** `required`: clients without X25519MLKEM768 do not get in. */
  hybrid: z.enum(['preferred', 'required']).default('preferred'),
  log: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
}).refine((c) => c.phones === undefined || c.sip !== undefined, { path: ['phones'], message: 'needs sip: the way to the PBX that these phones call through' })

export type ServerConfig = z.infer<typeof serverConfig>

/** File names come back absolute; in the file they are relative to its folder. */
export function readServerConfig(path: string): Result<ServerConfig> {
  const read = readConfig(path, serverConfig)
  if (!read.ok) return read
  const { identity, revocation, attestation, pbx, sip } = read.value
  const beside = (f: string): string => besideConfig(path, f)
  return ok({
    ...read.value, ...(read.value.data === undefined ? {} : { data: beside(read.value.data) }), revocation: { ...revocation, lists: revocation.lists.map(beside) }, attestation: { collateral: attestation.collateral.map(beside) },
    identity: { ...identity, certificate: beside(identity.certificate), key: beside(identity.key), anchors: identity.anchors.map(beside) },
    ...(pbx === undefined ? {} : { pbx: { ...pbx, ami: { ...pbx.ami, secretFile: beside(pbx.ami.secretFile) } } }),
    ...(sip === undefined ? {} : { sip: { ...sip, anchors: sip.anchors.map(beside) } }),
  })
}
