/** A client from its configuration, with real threads, sockets and phones. */
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { besideConfig } from '../store/config.ts'
import { chance } from '../base/chance.ts'
import { err, type Fault, ok, type Result } from '../base/result.ts'
import { Secret } from '../base/secret.ts'
import { utf8 } from '../base/bytes.ts'
import type { RoomName } from '../base/brand.ts'
import { openServerChannel, openMediaPath } from '../client/channel/index.ts'
import type { CallKind } from '../client/call.ts'
import { Client, HOP } from '../client/client.ts'
import { observeAll } from '../client/observers.ts'
import type { ClientObserver, ClientOptions } from '../client/options.ts'
import { ClientMemory, dataFiles } from './room-memory.ts'
import { readPasswords } from '../store/call-passwords.ts'
import { type ClientConfig, dialPlanOf, roomConfig } from '../client/config.ts'
import type { Handset } from '../client/handset/port.ts'
import { createSipHandset, type PhoneRelay } from '../client/handset/sip/index.ts'
import type { UpstreamChoice } from '../client/phone-upstream.ts'
import { isEmergency } from '../client/switch.ts'
import { lineKind } from '../client/kinds/line/index.ts'
import { bridgedKind } from '../client/kinds/bridged/index.ts'
import { sealedCallKind } from '../client/kinds/sealed-call/index.ts'
import { conferenceKind } from '../client/kinds/conference/index.ts'
import { createVoice } from '../client/speech/voice.ts'
import { createNodeCrypto } from '../crypto/node/index.ts'
import { selfTest } from '../crypto/self-test.ts'
import type { CryptoPort } from '../crypto/port.ts'
import type { MediaCommand } from '../media/api.ts'
import { type MediaHost, startMediaWorker } from '../media/host.ts'
import type { SipTrace } from '../telephony/trace.ts'
import type { TlsIdentity } from '../telephony/stream-transport.ts'
import type { Identity } from '../model/identity.ts'
import { keptUnder } from '../model/telephone-number.ts'
import { type AddressPort, showAddress } from '../net/address.ts'
import { realScheduler } from '../net/scheduler.ts'
import type { VaultCalls } from '../vault/api/calls.ts'
import type { VaultReport } from '../vault/api/border.ts'
import type { Bundle } from '../vault/host/bundle.ts'
import { openJournal } from './compose-journal.ts'
import { fetchRevocation } from './compose-revocation.ts'
import { type ClientVault, vaultFor } from './compose-vault.ts'
import { openProviders } from './compose-providers.ts'
import { languageOf } from './language.ts'

export interface ClientExtras {
  readonly observer?: ClientObserver
  /** Handsets besides the phones of the configuration: robots. */
  readonly handsets?: readonly Handset[]
  /** Numbers that are rooms besides those of the configuration. */
  readonly roomNames?: Readonly<Record<string, string>>
  /** SIP messages that were refused. */
  readonly report?: (fault: Fault, from: AddressPort) => void
  /** What the relay to the PBX refused, or could not do. */
  readonly relayReport?: (fault: Fault, about: string) => void
  /** Why no way leads to this provider; undefined: one does again, from that address of ours. */
  readonly providerWay?: (host: string, fault: Fault | undefined, from: string) => void
  /** Takes note of what phones signal. */
  readonly trace?: SipTrace
  /** Another vault's program than our own: tests. */
  readonly vaultBundle?: Bundle
}

export interface RealClient {
  readonly client: Client
  readonly media: (c: MediaCommand) => void
  readonly identity: () => Promise<Identity | undefined>
  readonly phones: readonly { readonly line: string; readonly address: string }[]
  /** What whoever runs it should know, in sentences. */
  readonly warnings: readonly string[]
  /** What it remembers of rooms and people. */
  readonly memory: ClientMemory
  /** Of the vault's process, where it has one. */
  readonly vault: { readonly report?: VaultReport; pid(): number | undefined }
  stop(): Promise<void>
}

export async function startRealClient(config: ClientConfig, configFile: string, extras: ClientExtras = {}): Promise<Result<RealClient>> {
  const crypto = createNodeCrypto()
  const tested = selfTest(crypto)
  if (!tested.ok) return tested
  const remembered = ClientMemory.open(config, configFile)
  if (!remembered.ok) return remembered
  const memory = remembered.value
  const own = await vaultFor(config, configFile, crypto, { memory: () => memory.bytes, proofs: (room) => memory.evidence.proofs(room), ...(extras.vaultBundle === undefined ? {} : { bundle: extras.vaultBundle }), onDeath: (fault, final) => extras.observer?.onVault?.(fault, final) })
  if (!own.ok) return own
  const { vault } = own.value
  const media = await startMediaWorker({ vaultPort: vault.framesPort(), plane: config.mediaPlane })
  const scheduler = realScheduler()
  const upstream = await upstreamOf(config, configFile, own.value, crypto, extras)
  if (!upstream.ok) {
    await media.stop()
    await vault.close()
    return upstream
  }
  const journal = await openJournal(config, configFile, vault, (message) => memory.onFault(message))
  const client = new Client({
    vault, media, crypto, scheduler,
    agent: 'stc', voice: createVoice(config.language ?? languageOf()), speaksLabel: config.spokenLabel, blocked: (keyId) => memory.peers.blocked(keyId), dialPlan: planOf(config, extras),
    kinds: [...sealedCalls(config, configFile, memory), bridgedKind(), lineKind(), conferenceKind({ sha256: (b) => crypto.hash('sha256', b), chance: () => chance(crypto), unix: () => scheduler.unix(), meet: (i) => memory.peers.meet(i, scheduler.unix()), newRoom: (room) => newRoom(config, room) })],
    ...connectionOf(config, own.value, media),
    observer: observeAll(memory.observer(vault), ...(journal?.ok === true ? [journal.value.observer()] : []), ...(extras.observer === undefined ? [] : [extras.observer])),
    ...(journal?.ok === true ? { beforeEnd: () => journal.value.close('the client ends') } : {}),
    ...upstream.value,
  })
  const phones = await openPhones(config, configFile, crypto, extras, client.upstream?.relay)
  if (!phones.ok) {
    if (journal?.ok === true) await journal.value.close('no phone could be opened')
    await media.stop()
    await vault.close()
    return phones
  }
  for (const h of phones.value.handsets) client.addHandset(h)
  client.start()
  const endFetching = fetchRevocation(client, config, configFile, crypto)
  const stop = async (): Promise<void> => {
    endFetching()
    await client.stop()
    memory.evidence.flush()
    await media.stop()
  }
  return ok({ client, media: (c) => media.command(c), identity: () => identityOf(own.value), phones: phones.value.shown, warnings: [...own.value.warnings, ...(journal?.ok === false ? [`no journal is written: ${journal.fault.message} [${journal.fault.code}]`] : [])], memory, vault: own.value, stop })
}

/** Nobody has this password. */
const UNREADABLE = `unreadable ${randomUUID()}`

function sealedCalls(config: ClientConfig, configFile: string, { numbers }: ClientMemory): CallKind[] {
  const { policy, anonymous, carriers, legacy } = config.sealedCalls
  const legacyOf = (n: string): string | true | undefined => (Object.hasOwn(legacy, n) ? legacy[n] : undefined)
  const password = (n: string): string | undefined => {
    const secret = legacyOf(n)
    if (secret !== undefined) return typeof secret === 'string' ? secret : undefined
    // Read at each call: "stc password" changes it while we run. A file that cannot be read must not make a call weaker, nor a number that may be one of several.
    const set = readPasswords(dataFiles(config, configFile).passwords)
    const kept = set.ok ? keptUnder(set.value, n) : [UNREADABLE]
    return kept.length > 1 ? UNREADABLE : kept[0]
  }
  return policy === 'off' ? [] : [sealedCallKind({ policy, anonymous, carriers, password, chained: (n) => legacyOf(n) !== undefined, numbers: { keyOf: (who) => numbers.keyOf(who), nameOf: (who) => numbers.nameOf(who), remember: (who, keyId, name) => numbers.remember(who, keyId, name) } })]
}

function connectionOf(config: ClientConfig, own: ClientVault, media: MediaHost): Pick<ClientOptions, 'connection'> {
  if (config.server === undefined) return {}
  const { host, port, name = host, proxy, suites, mediaOverTls } = config.server
  const { vault } = own
  const scheduler = realScheduler()
  const server = { host, port, name, proxy }
  return {
    connection: {
      open: async () => {
        await own.up()
        return openServerChannel({ vault, server, scheduler })
      },
      suites, realm: config.realm,
      fallback: { address: host, port }, udp: mediaOverTls !== 'only',
      ...(mediaOverTls === 'never' ? {} : { openMediaPath: (w) => openMediaPath({ vault, server, session: w.session, hop: HOP, scheduler, media: (c) => media.command(c) }) }),
    },
  }
}

async function upstreamOf(config: ClientConfig, configFile: string, own: ClientVault, crypto: CryptoPort, extras: ClientExtras): Promise<Result<Pick<ClientOptions, 'upstream'>>> {
  const report = (fault: Fault, about: string): void => extras.relayReport?.(fault, about)
  if (config.upstream === 'none') return ok({})
  const account = accountOf(config)
  if (config.upstream === 'server') return ok({ upstream: { report, ...account } })
  const ways = await openProviders(config.upstream.providers, configFile, ({ host }, fault, from) => extras.providerWay?.(host, fault, from))
  if (!ways.ok) return ways
  // No secret: only so that a provider sees the same contacts after a restart.
  const shown = await own.vault.call('identity.show', {})
  const tokenKey = crypto.hash('sha256', utf8('stc provider contact tokens v1'), utf8(shown.ok ? shown.value.identity.keyId : configFile))
  return ok({ upstream: { report, ...account, providers: { ways: ways.value, tokenKey, speaksInside: config.sealedCalls.policy !== 'off' && config.sealedCalls.carriers.includes('message') } } })
}

/** Of the page's own phone. */
function accountOf({ page, upstream, server }: ClientConfig): Pick<UpstreamChoice, 'account'> {
  if (page === false || page.account === undefined) return {}
  const { user, password, login, domain = (typeof upstream === 'object' ? (upstream.providers[0]?.domains?.[0] ?? upstream.providers[0]?.host) : server?.host) ?? 'localhost' } = page.account
  return { account: { user, domain, password: new Secret(utf8(password)), ...(login === undefined ? {} : { login }) } }
}

async function identityOf(own: ClientVault): Promise<Identity | undefined> {
  await own.up()
  const shown = await own.vault.call('identity.show', {})
  return shown.ok ? shown.value.identity : undefined
}

interface OpenPhones {
  readonly handsets: readonly Handset[]
  readonly shown: RealClient['phones']
}

async function openPhones(config: ClientConfig, configFile: string, crypto: CryptoPort, extras: ClientExtras, upstream: PhoneRelay | undefined): Promise<Result<OpenPhones>> {
  const handsets: Handset[] = [...(extras.handsets ?? [])]
  const shown: { line: string; address: string }[] = []
  for (const phone of config.phones) {
    const opened = await openPhone(config, phone, configFile, crypto, extras, upstream)
    if (!opened.ok) {
      for (const h of handsets) h[Symbol.dispose]()
      return opened
    }
    handsets.push(opened.value)
    const first = opened.value.addresses[0]
    shown.push({ line: phone.line, address: first === undefined ? '' : showAddress(first) })
  }
  return ok({ handsets, shown })
}

function planOf(config: ClientConfig, { roomNames }: ClientExtras): ReturnType<typeof dialPlanOf> {
  const plan = dialPlanOf(config)
  return { ...plan, roomNames: { ...roomNames, ...plan.roomNames } }
}

function openPhone(config: ClientConfig, phone: ClientConfig['phones'][number], configFile: string, crypto: CryptoPort, extras: ClientExtras, upstream: PhoneRelay | undefined): ReturnType<typeof createSipHandset> {
  const tls = phone.tls === undefined ? undefined : readTls(phone.tls, configFile)
  if (tls !== undefined && !tls.ok) return Promise.resolve(tls)
  const plan = dialPlanOf(config)
  return createSipHandset({
    isEmergency: (number) => isEmergency(plan, number),
    line: phone.line, scheduler: realScheduler(), crypto,
    users: new Map(Object.entries(phone.users).map(([user, password]) => [user, new Secret(utf8(password))])),
    srtp: phone.srtp, bind: { address: phone.address, port: phone.port },
    transports: phone.transports.map((t) => t.toUpperCase() as 'UDP' | 'TCP' | 'TLS'),
    ...(tls === undefined ? {} : { tls: tls.value }), ...(extras.trace === undefined ? {} : { trace: extras.trace }), ...(upstream === undefined ? {} : { upstream }), ...(extras.report === undefined ? {} : { report: extras.report }),
  })
}

function readTls(files: { certificate: string; key: string }, configFile: string): Result<TlsIdentity> {
  try {
    return ok({ cert: readFileSync(besideConfig(configFile, files.certificate), 'utf8'), key: readFileSync(besideConfig(configFile, files.key), 'utf8') })
  } catch (e) {
    return err('CONFIG_CREDENTIALS', e instanceof Error ? e.message : String(e))
  }
}

function newRoom(config: ClientConfig, room: string): VaultCalls['room.create']['in']['policy'] {
  const { suite, codec, forwarding, maximumMembers, admit, gateways = false, lobby = false, journal = true, minimumKeyProtection = 'in-process' } = roomConfig(config, room)
  return { room: room as RoomName, realm: config.realm, hosts: [], admit, suite, codec, forwarding, maximumMembers, gatewaysAllowed: gateways, lobby, journal, minimumKeyProtection }
}
