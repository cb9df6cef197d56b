/** The ways to the providers of a configuration. */
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { err, type Fault, ok, type Result } from '../base/result.ts'
import { domainsOf, type ProviderConfig } from '../client/config.ts'
import type { ProviderWay } from '../client/provider/upstream.ts'
import { createNodeCrypto } from '../crypto/node/index.ts'
import type { AddressPort } from '../net/address.ts'
import { normalAddress, resolveAddresses } from '../net/resolve.ts'
import { routeTo } from '../net/route.ts'
import { serviceOf } from '../net/service-record.ts'
import { realScheduler } from '../net/scheduler.ts'
import { besideConfig } from '../store/config.ts'
import { isOwnAddress, openPbxTransport, type Places, RoamingWay } from '../telephony/index.ts'

/** Below what NATs forget UDP after (RFC 4787 §4.3 asks for two minutes, many take thirty seconds). */
const KEEP_ALIVE_MS = 25_000
/** Of one provider, one after the other. */
const PLACES = 8
const START_MS = 3000

/** Why there is no way to a provider, or from where there is one again. */
export type TellWay = (provider: ProviderConfig, fault: Fault | undefined, from: string) => void

/** A provider that does not answer is waited for, as is a name that does not resolve and a network that is not there; a port of ours that cannot be opened is an error. */
export async function openProviders(providers: readonly ProviderConfig[], configFile: string, tell: TellWay): Promise<Result<ProviderWay[]>> {
  const all = await Promise.all(providers.map((p) => openProvider(p, configFile, (fault, from) => tell(p, fault, from))))
  const failed = all.find((w) => !w.ok)
  if (failed?.ok !== false) return ok(all.flatMap((w) => (w.ok ? [w.value] : [])))
  for (const w of all) if (w.ok) w.value.transport.close()
  return failed
}

async function openProvider(p: ProviderConfig, configFile: string, tell: (fault: Fault | undefined, from: string) => void): Promise<Result<ProviderWay>> {
  const transport = p.transport.toUpperCase() as 'UDP' | 'TCP' | 'TLS'
  const anchors = readAll(p.anchors.map((f) => besideConfig(configFile, f)))
  if (!anchors.ok) return anchors
  const way = new RoamingWay({
    name: transport, scheduler: realScheduler(), owns: isOwnAddress, tell,
    resolve: () => resolvedPlaces(p),
    route: (to) => (p.listen.address === undefined ? routeTo(to) : Promise.resolve(p.listen.address)),
    // An address of its own, not a wildcard: media ports are bound to it as well.
    open: (remotes, address) => openPbxTransport({
      transport, remotes, bind: { address, port: p.listen.port }, scheduler: realScheduler(), keepAliveMs: KEEP_ALIVE_MS,
      ...(transport === 'TLS' ? { tls: { name: p.name ?? p.host, ...(anchors.value.length === 0 ? {} : { anchors: anchors.value }) } } : {}),
    }),
  })
  // Where nobody answers for names that takes half a minute: rooms and page do not wait for it.
  const started = await Promise.race([way.start(), setTimeout(START_MS, ok(undefined), { ref: false })])
  if (started.ok) return ok({ domains: domainsOf(p), transport: way })
  way.close()
  return started
}

/** Of one family of addresses. */
export async function resolvedPlaces(p: ProviderConfig): Promise<Result<Places>> {
  let unresolved = ''
  const [remote, ...others] = await resolveAddresses(await placesOf(p), (host, reason) => (unresolved = `${host}: ${reason}`))
  if (remote === undefined) return err('RELAY_NO_WAY', unresolved)
  return ok([remote, ...others.filter((r) => isIP(r.address) === isIP(remote.address)).slice(0, PLACES - 1)])
}

/** RFC 3263 §4.2: a port or an address is what it says; else the domain says where its service is, and where it does not, the default port of the name. */
async function placesOf(p: ProviderConfig): Promise<AddressPort[]> {
  const itself = { address: p.host, port: p.port ?? (p.transport === 'tls' ? 5061 : 5060) }
  if (p.port !== undefined || normalAddress(p.host) !== undefined || !p.host.includes('.')) return [itself]
  const found = await serviceOf(`${{ tls: '_sips._tcp', tcp: '_sip._tcp', udp: '_sip._udp' }[p.transport]}.${p.host}`, createNodeCrypto())
  return found.length === 0 ? [itself] : found
}

function readAll(files: readonly string[]): Result<string[]> {
  try {
    return ok(files.map((f) => readFileSync(f, 'utf8')))
  } catch (e) {
    return err('CONFIG_CREDENTIALS', e instanceof Error ? e.message : String(e))
  }
}
