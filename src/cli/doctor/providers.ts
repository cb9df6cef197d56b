/** Whether a way leads to the telephone providers, and from which of our addresses. */
import type { ClientConfig } from '../../client/config.ts'
import { routeTo } from '../../net/route.ts'
import { isOwnAddress } from '../../telephony/local-address.ts'
import { resolvedPlaces } from '../compose-providers.ts'
import { type Finding, good, wrong } from './findings.ts'

export async function lookAtProviders({ upstream }: ClientConfig): Promise<Finding[]> {
  if (typeof upstream === 'string') return []
  return Promise.all(upstream.providers.map(async (p): Promise<Finding> => {
    const places = await resolvedPlaces(p)
    if (!places.ok) return wrong(`the telephone provider ${p.host} has no address now`, 'check the network, and how the name is written in upstream.providers; until it is found its phones are told that nobody can be reached, and rooms and page work')
    if (p.listen.address !== undefined) return isOwnAddress(p.listen.address) ? good(`the telephone provider ${p.host} is reached from ${p.listen.address}, as listen.address says`) : wrong(`listen.address of the telephone provider ${p.host}, ${p.listen.address}, is none of this machine's addresses`, 'leave it out: the address that leads there is then found, also in another network')
    const local = await routeTo(places.value[0])
    return local === undefined ? wrong(`no route leads to the telephone provider ${p.host}`, 'check that the network is up') : good(`the telephone provider ${p.host} is reached from ${local}`)
  }))
}
