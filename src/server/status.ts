/** How the server is: for `stc server status` and the metrics. Names no person. */
import { X509Certificate } from 'node:crypto'
import type { PlaneFacts, PlaneStats } from '../media/plane/types.ts'
import type { RunningPlane } from '../media/plane-host.ts'
import type { ServerCore } from './core.ts'
import type { Pbx } from './pbx/index.ts'
import type { PhonesPort } from './phones/port.ts'

export interface ServerStatus extends PlaneStats {
  readonly realm: string
  readonly uptimeSeconds: number
  /** The end of the server's own certificate, seconds since 1970. */
  readonly certificateEnds: number
  /** When the first of the revocation lists at hand has to be replaced, seconds since 1970; absent: there is none. */
  readonly revocationListsEnd?: number
  /** It begins no new rooms and ends with the last one. */
  readonly draining: boolean
  readonly sessions: number
  readonly rooms: { readonly room: string; readonly generation: number; readonly call?: string; readonly epoch: string; readonly members: number; readonly waiting: number }[]
  /** Which media plane runs, and why not the native one. */
  readonly plane: PlaneFacts
  readonly pbx?: ReturnType<Pbx['status']>
  readonly phones?: PhonesPort['load']
}

/** `certificate`: the server's own, PEM. */
export function readStatus(core: ServerCore, plane: RunningPlane, pbx: Pbx | undefined, certificate: string): () => Promise<ServerStatus> {
  const { scheduler, realm } = core.options
  const startedAt = scheduler.now()
  const certificateEnds = Math.floor(new X509Certificate(certificate).validToDate.getTime() / 1000)
  return async () => ({
    realm, uptimeSeconds: Math.floor((scheduler.now() - startedAt) / 1000), certificateEnds, ...firstEnd(core), draining: core.rooms.draining, sessions: core.sessions.size, rooms: core.rooms.status,
    plane: plane.facts, ...(pbx === undefined ? {} : { pbx: pbx.status() }), ...(core.phones === undefined ? {} : { phones: core.phones.load }), ...(await plane.stats()),
  })
}

function firstEnd(core: ServerCore): { readonly revocationListsEnd?: number } {
  const ends = core.revocation.listEnds
  return ends.length === 0 ? {} : { revocationListsEnd: Math.min(...ends) }
}
