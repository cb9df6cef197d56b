/** Legs that a server which ended without a word has left behind in Asterisk: nobody else would ever end them. */
import { instant } from '../../base/brand.ts'
import type { Scheduler } from '../../base/ports.ts'
import type { CouplingOptions } from './coupling-options.ts'
import { questionOf } from './identify.ts'

/** Between two looks: what is only just being made is known by the second. */
const AGAIN_MS = 1000
const LEGS_LIMIT = 2000

/** Gives how many were ended. */
export async function endOrphans(o: Pick<CouplingOptions, 'action' | 'legs'> & { readonly scheduler: Scheduler }): Promise<number> {
  const found = await orphans(o)
  if (found.size === 0) return 0
  await new Promise<void>((resolve) => void o.scheduler.at(instant(o.scheduler.now() + AGAIN_MS), resolve))
  const still = await orphans(o, found)
  for (const channel of still.values()) await o.action('Hangup', ['Channel', channel])
  return still.size
}

/** By Uniqueid: names of channels are used again. */
async function orphans(o: Pick<CouplingOptions, 'action' | 'legs'>, among?: ReadonlyMap<string, string>): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  const listed = await o.action('CoreShowChannels')
  for (const e of listed.ok ? listed.value.slice(1, LEGS_LIMIT) : []) {
    const [channel, id] = [e.get('Channel') ?? '', e.get('Uniqueid') ?? '']
    if (among !== undefined && !among.has(id)) continue
    const question = await questionOf(channel, async (name) => {
      const r = await o.action('Getvar', ['Channel', channel], ['Variable', name])
      return r.ok ? r.value[0]?.get('Value') : undefined
    })
    if (question !== undefined && o.legs().isOrphan(question)) found.set(id, channel)
  }
  return found
}
