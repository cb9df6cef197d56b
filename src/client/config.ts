/** The client's configuration file (docs/operations.md). */
import { z } from 'zod'
import { TCB_STATUSES } from '../model/enclaves.ts'
import { KEY_PROTECTIONS } from '../model/identity.ts'
import { REVOCATION_RULES, SHOWN_FIELDS } from '../model/trust.ts'
import { emergencyNumbers } from './switch.ts'

const file = z.string().min(1)
const number = z.string().regex(/^[0-9*#a-z._-]{1,64}$/i, 'must be digits, letters, . _ - * #')

const phone = z.strictObject({
  /** Shown in logs; the user part that the phone registers as. */
  line: z.string().regex(/^[a-z0-9._-]{1,64}$/i, 'must be letters, digits, . _ -').default('phone'),
  address: z.string().default('127.0.0.1'),
  port: z.number().int().min(1).max(65535).default(5060),
  transports: z.array(z.enum(['udp', 'tcp', 'tls'])).min(1).default(['udp', 'tcp']),
  tls: z.strictObject({ certificate: file, key: file }).optional(),
  /** User name → password; required off loopback. */
  users: z.record(z.string().min(1), z.string().min(1)).default({}),
  srtp: z.enum(['off', 'offered', 'required']).default('offered'),
})

const room = z.strictObject({
  suite: z.enum(['x-wing', 'x25519']).default('x-wing'),
  codec: z.enum(['g722', 'opus']).default('g722'),
  forwarding: z.enum(['all', 'loudest']).default('all'),
  maximumMembers: z.number().int().min(1).max(1000).default(16),
  admit: z.union([z.literal('anchors'), z.array(z.string().min(1).max(256)).min(1).max(1000)]).default('anchors'),
  lobby: z.boolean().optional(),
  /** `false`: nobody's client keeps a journal of it. */
  journal: z.boolean().optional(),
  gateways: z.boolean().optional(),
  minimumKeyProtection: z.enum(KEY_PROTECTIONS).optional(),
})

const identity = z.strictObject({ certificate: file, key: file, passphrase: z.string().optional(), anchors: z.array(file).min(1),
    /** What becomes the shown name, of everybody's certificate: the first field that it has. */
    shownName: z.array(z.enum(SHOWN_FIELDS)).min(1).optional(),
    /** When a fresh statement about revocation must be at hand; lists in files; whether to fetch from where our own certificate says. */
    revocation: z.strictObject({ rule: z.enum(REVOCATION_RULES).default('named'), lists: z.array(file).max(64).default([]), fetch: z.boolean().default(true) }).prefault({}),
  })

const digest = (octets: number) => z.string().regex(new RegExp(`^[0-9a-fA-F]{${2 * octets}}$`), `must be ${2 * octets} hexadecimal digits`)

/** Which enclaves of members are believed to be some. */
const enclaves = z.strictObject({
  /** Of the programs: MRENCLAVE, as "stc vault measure --enclave" prints it where it was built; or MRTD. */
  measurements: z.array(z.union([digest(32), digest(48)])).max(256).default([]),
  /** Or whoever signed them, from a version on. */
  signers: z.array(z.strictObject({ mrSigner: digest(32), productId: z.number().int().min(0).max(65_535).default(0), minimumSvn: z.number().int().min(0).max(65_535).default(0) })).max(64).default([]),
  /** States of the platform that are good enough, in Intel's words. */
  statuses: z.array(z.enum(TCB_STATUSES)).min(1).default(['UpToDate']),
  /** What Intel publishes about the processors ("stc attestation fetch"), besides what the server hands on. */
  collateral: z.array(file).max(32).default([]),
})

/** One desk phone, or a few, with a certificate of their own. */
const line = z.strictObject({ identity, phones: z.array(phone).min(1).max(16) })

/** A telephone provider, or any SIP server: phones use their own accounts there, with this client as their proxy. */
const provider = z.strictObject({
  host: z.string().min(1).max(255),
  port: z.number().int().min(1).max(65535).optional(),
  transport: z.enum(['udp', 'tcp', 'tls']).default('udp'),
  /** Of the accounts at this provider, when there are several providers; `host` when left out. */
  domains: z.array(z.string().min(1).max(255)).max(16).optional(),
  /** For TLS: whom to trust (default: the system's list), and the name in its certificate when it is not `host`. */
  anchors: z.array(file).max(16).default([]),
  name: z.string().min(1).max(255).optional(),
  /** Our end: what the provider sends to. The address is found when it is left out; port 0 picks one. */
  listen: z.strictObject({ address: z.union([z.ipv4(), z.ipv6()], 'must be a numeric address').optional(), port: z.number().int().min(0).max(65535).default(0) }).prefault({}),
})
export type ProviderConfig = z.infer<typeof provider>

/** An extension of the PBX, or an account at a provider. */
const account = z.strictObject({
  user: z.string('must be text: put it in quotes').regex(/^[a-z0-9._+-]{1,64}$/i, 'must be letters, digits, . _ + -'),
  password: z.string('must be text: put it in quotes').min(1).max(256),
  /** What stands behind the @; left out, the server or the first provider. */
  domain: z.string().min(1).max(255).optional(),
  /** What the telephone system knows the account by, where that is not `user`. */
  login: z.string().min(1).max(128).optional(),
})

export const clientConfig = z.strictObject({
  server: z.strictObject({
    host: z.string().min(1),
    port: z.number().int().min(1).max(65535).default(7443),
    /** The name in the server's certificate, when it is reached by another. */
    name: z.string().optional(),
    /** `auto`: beside UDP, used while that does not get through. */
    mediaOverTls: z.enum(['auto', 'only', 'never']).default('auto'),
    /** `auto`: HTTPS_PROXY and NO_PROXY of the environment; `none`; or http://[NAME:PASSWORD@]HOST:PORT. */
    proxy: z.string().min(1).max(512).default('auto'),
    /** Of the hop to the server, the best first. */
    suites: z.array(z.enum(['AEAD_AES_128_GCM', 'AEAD_AES_256_GCM', 'AES_CM_128_HMAC_SHA1_80'])).min(1).default(['AEAD_AES_128_GCM', 'AEAD_AES_256_GCM', 'AES_CM_128_HMAC_SHA1_80']),
  }).optional(),
  identity,
  /** Left out: whoever says that its keys are in an enclave is shown as a process. */
  enclaves: enclaves.optional(),
  realm: z.string().regex(/^[a-z0-9.-]{1,64}$/, 'must be lower-case letters, digits, . -').default('stc'),
  /** `gateway`: telephone callers speak and hear through this client, and everybody is told (`stc gateway`). */
  kind: z.enum(['member', 'gateway']).default('member'),
  phones: z.array(phone).max(64).default([]),
  /** More lines, each with its own identity, vault and connection: desk phones that have no client of their own. */
  lines: z.array(line).max(64).default([]),
  /** `server`: what is not a sealed room goes to the PBX behind the server, where the phones register as well. */
  upstream: z.union([z.enum(['none', 'server']), z.strictObject({ providers: z.array(provider).min(1).max(8) })]).default('none'),
  /** Calls through providers: `prefer` seals where the other side can, `require` is mute until it is sealed or a person accepts it open. `anonymous`: no certificate is shown, words are compared. */
  sealedCalls: z.strictObject({ policy: z.enum(['off', 'prefer', 'require']).default('prefer'), anonymous: z.boolean().default(false),
    /** What may bring the messages of the agreement on keys. */
    carriers: z.array(z.enum(['server', 'message', 'in-band'])).min(1).default(['server', 'message', 'in-band']),
    /** Numbers with which the published cascade is used, not authenticated: `true`, or a generated secret that both sides have. */
    legacy: z.record(number, z.union([z.literal(true), z.string().min(16, 'must be a generated secret of 16 characters or more: it can be guessed from a recording')])).default({}),
  }).prefault({}),
  dialPlan: z
    .strictObject({
      roomPrefix: number.default('8'),
      names: z.record(number, z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'must be the name of a room: lower-case letters, digits, . _ -')).default({}),
      country: z.string().length(2).optional(),
      emergency: z.array(z.string().regex(/^[0-9]{2,8}$/, 'must be 2 to 8 digits')).optional(),
    })
    .prefault({}),
  /** Folder for what is remembered of rooms and people; beside this file, `NAME-data`, unless given. */
  data: file.optional(),
  rooms: z.record(z.string(), room).default({}),
  /** Whether SRTP of the media thread uses libcrypto itself: `auto`, where that works. */
  mediaPlane: z.enum(['auto', 'native', 'portable']).default('auto'),
  /** Where the keys are: `enclave` is for machines with SGX; `in-process` for those that cannot start another process. */
  vault: z.enum(['process', 'enclave', 'in-process']).default('process'),
  /** Of `vault: enclave`: the folder that bin/build-enclave.mjs made, and Gramine's loader. */
  enclave: z.strictObject({ folder: file, loader: z.string().min(1).default('gramine-sgx') }).optional(),
  /** Who was in which conference when, sealed and signed, in the data folder. `false`: none; a room's policy can say no too. */
  journal: z.union([z.boolean(), z.strictObject({ keepDays: z.number().int().min(1).max(36_500).optional() })]).default(true),
  /** The page in the browser, on loopback; another free port where this one is taken. `false`: none. */
  page: z.union([z.literal(false), z.strictObject({
    port: z.number().int().min(0).max(65535).default(7480),
    /** Of the page's own phone at the PBX or provider (`upstream`): then it calls numbers and is called, like any phone. */
    account: account.optional(),
  })]).prefault({}),
  /** Of what phones are told in words; left out, that of the environment (LANG). */
  language: z.enum(['en', 'de']).optional(),
  /** Phones are told when a call begins that is not sealed. `false`: for lines with a fax machine or an alarm, and for who knows. */
  spokenLabel: z.boolean().default(true),
  /** `debug`: SIP messages that were refused as well. */
  log: z.enum(['debug', 'info']).default('info'),
}).refine((c) => c.server !== undefined || typeof c.upstream === 'object', { path: ['server'], error: 'is needed unless `upstream` names providers' })
  .refine((c) => c.page === false || c.page.account === undefined || c.upstream !== 'none', { path: ['page', 'account'], error: 'needs `upstream`: the telephone system at which it is an account' })

export type ClientConfig = z.infer<typeof clientConfig>

/** Of all accounts at providers, lower case. */
export const accountDomains = ({ upstream }: ClientConfig): string[] => (typeof upstream === 'object' ? upstream.providers.flatMap(domainsOf) : [])
export const domainsOf = ({ domains, host }: ProviderConfig): string[] => (domains ?? [host]).map((d) => d.toLowerCase())

/** What a room gets that we create: its own entry, else `default`, else the defaults of the schema. */
export const roomConfig = (c: ClientConfig, name: string): z.infer<typeof room> =>
  (Object.hasOwn(c.rooms, name) ? c.rooms[name] : c.rooms['default']) ?? room.parse({})

export const dialPlanOf = (c: ClientConfig): { roomPrefix: string; roomNames: Record<string, string>; emergencyNumbers: readonly string[] } => ({
  roomPrefix: c.dialPlan.roomPrefix.toLowerCase(),
  roomNames: Object.fromEntries(Object.entries(c.dialPlan.names).map(([dialled, room]) => [dialled.toLowerCase(), room])),
  emergencyNumbers: c.dialPlan.emergency ?? emergencyNumbers(c.dialPlan.country),
})

/** One configuration for each line, the first that of the page. */
export const linesOf = (c: ClientConfig): readonly [ClientConfig, ...ClientConfig[]] => [c, ...c.lines.map(({ identity, phones }) => ({ ...c, identity, phones, lines: [], page: false as const }))]
