/** Names and IPv6 spellings to the form in which sockets report addresses. */
import { lookup } from 'node:dns/promises'
import { isIP, SocketAddress } from 'node:net'
import type { AddressPort } from './address.ts'
import { sameAddress } from './address.ts'

/** `2001:DB8:0::1` as `2001:db8::1`, `::ffff:192.0.2.1` as `192.0.2.1`; undefined for what is no IP address. */
export function normalAddress(text: string): string | undefined {
  const family = isIP(text)
  if (family === 0) return undefined
  const { address } = new SocketAddress({ address: text, family: family === 6 ? 'ipv6' : 'ipv4' })
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address
}

/** All addresses of each host, without repetition. Names that do not resolve are given to `failed` and left out. */
export async function resolveAddresses(hosts: readonly AddressPort[], failed: (host: string, reason: string) => void): Promise<AddressPort[]> {
  const found: AddressPort[] = []
  for (const { address, port } of hosts) {
    const numeric = normalAddress(address)
    const all = numeric === undefined ? await namesOf(address, failed) : [numeric]
    for (const a of all) if (!found.some((f) => sameAddress(f, { address: a, port }))) found.push({ address: a, port })
  }
  return found
}

async function namesOf(host: string, failed: (host: string, reason: string) => void): Promise<string[]> {
  try {
    return (await lookup(host, { all: true })).map((r) => normalAddress(r.address) ?? r.address)
  } catch (e) {
    failed(host, e instanceof Error ? e.message : String(e))
    return []
  }
}
