/** The ways to the providers of a configuration. */
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { err, ok, type Result } from '../base/result.ts'
import { domainsOf, type ProviderConfig } from '../client/config.ts'
import type { ProviderWay } from '../client/provider/upstream.ts'
import { createNodeCrypto } from '../crypto/node/index.ts'
import type { AddressPort } from '../net/address.ts'
import { normalAddress, resolveAddresses } from '../net/resolve.ts'
import { serviceOf } from '../net/service-record.ts'
import { realScheduler } from '../net/scheduler.ts'
import { besideConfig } from '../store/config.ts'
import { localHostFor, openPbxTransport } from '../telephony/index.ts'

/** Below what NATs forget UDP after (RFC 4787 §4.3 asks for two minutes, many take thirty seconds). */
const KEEP_ALIVE_MS = 25_000
/** Of one provider, one after the other. */
const PLACES = 8

/** A provider that does not answer is waited for; a name that does not resolve, or a port that cannot be opened, is an error. */
export async function openProviders(providers: readonly ProviderConfig[], configFile: string): Promise<Result<ProviderWay[]>> {
  const ways: ProviderWay[] = []
  for (const p of providers) {
    const way = await openProvider(p, configFile)
    if (!way.ok) {
      for (const w of ways) w.transport.close()
      return way
    }
    ways.push(way.value)
  }
  return ok(ways)
}

async function openProvider(p: ProviderConfig, configFile: string): Promise<Result<ProviderWay>> {
  const transport = p.transport.toUpperCase() as 'UDP' | 'TCP' | 'TLS'
  let unresolved = ''
  const [remote, ...others] = await resolveAddresses(await placesOf(p, transport), (host, reason) => (unresolved = `${host}: ${reason}`))
  if (remote === undefined) return err('CONFIG_WRONG', `upstream.providers ${unresolved}`)
  // An address of its own, not a wildcard: media ports are bound to it as well.
  const any = remote.address.includes(':') ? '::' : '0.0.0.0'
  const address = p.listen.address ?? localHostFor({ transport, local: { address: any, port: 0 }, remote }).replace(/^\[|\]$/g, '')
  const anchors = readAll(p.anchors.map((f) => besideConfig(configFile, f)))
  if (!anchors.ok) return anchors
  const opened = await openPbxTransport({
    transport, remotes: [remote, ...others.filter((r) => isIP(r.address) === isIP(remote.address)).slice(0, PLACES - 1)], bind: { address, port: p.listen.port }, scheduler: realScheduler(), keepAliveMs: KEEP_ALIVE_MS,
    ...(transport === 'TLS' ? { tls: { name: p.name ?? p.host, ...(anchors.value.length === 0 ? {} : { anchors: anchors.value }) } } : {}),
  })
  return opened.ok ? ok({ domains: domainsOf(p), transport: opened.value }) : opened
}

/** RFC 3263 §4.2: a port or an address is what it says; else the domain says where its service is, and where it does not, the default port of the name. */
async function placesOf(p: ProviderConfig, transport: 'UDP' | 'TCP' | 'TLS'): Promise<AddressPort[]> {
  const itself = { address: p.host, port: p.port ?? (transport === 'TLS' ? 5061 : 5060) }
  if (p.port !== undefined || normalAddress(p.host) !== undefined || !p.host.includes('.')) return [itself]
  const found = await serviceOf(`${transport === 'TLS' ? '_sips._tcp' : transport === 'TCP' ? '_sip._tcp' : '_sip._udp'}.${p.host}`, createNodeCrypto())
  return found.length === 0 ? [itself] : found
}

function readAll(files: readonly string[]): Result<string[]> {
  try {
    return ok(files.map((f) => readFileSync(f, 'utf8')))
  } catch (e) {
    return err('CONFIG_CREDENTIALS', e instanceof Error ? e.message : String(e))
  }
}
