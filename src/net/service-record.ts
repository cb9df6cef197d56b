/** Where a domain's service is (SRV, RFC 2782, as RFC 3263 §4.2 uses it for SIP). */
import { Resolver } from 'node:dns/promises'
import { chance } from '../base/chance.ts'
import type { Random } from '../base/ports.ts'
import type { AddressPort } from './address.ts'

const TIMEOUT_MS = 2000
const RECORDS = 16

/** Names and ports in the order in which they are to be tried; none where the domain says nothing, or nobody answers. */
export async function serviceOf(name: string, random: Pick<Random, 'bytes'>, servers?: readonly string[]): Promise<AddressPort[]> {
  const resolver = new Resolver({ timeout: TIMEOUT_MS, tries: 1 })
  if (servers !== undefined) resolver.setServers(servers)
  try {
    const records = (await resolver.resolveSrv(name)).slice(0, RECORDS)
    return inOrder(records, random).filter((r) => r.name !== '' && r.name !== '.').map((r) => ({ address: r.name, port: r.port }))
  } catch {
    return []
  }
}

/**
 * The lowest priority first; of the same priority by chance, as their weights say, by RFC 2782's own steps ("Usage rules"): those without a weight stand
 * first, a whole number from 0 to the sum is drawn, and the first whose running sum reaches it is next.
 */
export function inOrder<R extends { readonly priority: number; readonly weight: number }>(records: readonly R[], random: Pick<Random, 'bytes'>): R[] {
  const left = records.toSorted((a, b) => a.priority - b.priority || Math.sign(a.weight) - Math.sign(b.weight))
  const out: R[] = []
  while (left.length > 0) {
    const same = left.filter((r) => r.priority === left[0]!.priority)
    let drawn = Math.floor(chance(random) * (same.reduce((n, r) => n + r.weight, 0) + 1))
    const next = same.find((r) => (drawn -= r.weight) <= 0)!
    left.splice(left.indexOf(next), 1)
    out.push(next)
  }
  return out
}
