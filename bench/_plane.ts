/** A media plane in a process of its own, with nothing else in it: what the media benches measure. */
import { must } from '../src/base/result.ts'
import type { Ssrc } from '../src/base/brand.ts'
import { type RunningPlane, startPlane, type StartPlaneOptions } from '../src/media/plane-host.ts'
import type { BridgeTo, LegId, LegSpec, LegStats, PlainSpec, PlaneStats, RouteOptions } from '../src/media/plane/types.ts'
import type { AddressPort } from '../src/net/address.ts'

export type PlaneOrder =
  | { readonly kind: 'start'; readonly options: StartPlaneOptions }
  | { readonly kind: 'legs'; readonly specs: readonly LegSpec[] }
  | { readonly kind: 'routes'; readonly routes: readonly { readonly from: LegId; readonly ssrc: Ssrc; readonly to: readonly LegId[]; readonly options?: RouteOptions }[] }
  | { readonly kind: 'plain'; readonly specs: readonly PlainSpec[] }
  | { readonly kind: 'bridges'; readonly bridges: readonly { readonly plain: LegId; readonly to: BridgeTo }[] }
  | { readonly kind: 'stats' }
  | { readonly kind: 'stop' }

export type PlaneAnswer =
  | { readonly kind: 'started'; readonly local: AddressPort; readonly provider: string }
  | { readonly kind: 'legs'; readonly legs: readonly LegId[] }
  | { readonly kind: 'plain'; readonly opened: readonly { readonly leg: LegId; readonly rtp: AddressPort; readonly rtcp: AddressPort }[] }
  | { readonly kind: 'done' }
  | { readonly kind: 'stats'; readonly legs: readonly LegStats[]; readonly stray: number; readonly sends?: PlaneStats['sends'] }
  | { readonly kind: 'failed'; readonly message: string }

let plane: RunningPlane | undefined

async function obey(o: PlaneOrder): Promise<PlaneAnswer> {
  if (o.kind === 'start') {
    plane = must(await startPlane(o.options))
    plane.onFault((f) => process.send!({ kind: 'failed', message: f.message } satisfies PlaneAnswer))
    return { kind: 'started', local: plane.local, provider: plane.facts.provider }
  }
  const p = plane!
  switch (o.kind) {
    case 'legs': return { kind: 'legs', legs: o.specs.map((s) => p.open(s)) }
    case 'routes':
      for (const r of o.routes) p.route(r.from, r.ssrc, r.to, r.options)
      return { kind: 'done' }
    case 'plain': {
      const opened = []
      for (const s of o.specs) opened.push(must(await p.openPlain(s)))
      return { kind: 'plain', opened }
    }
    case 'bridges':
      for (const b of o.bridges) p.bridge(b.plain, b.to)
      return { kind: 'done' }
    case 'stats': return { kind: 'stats', ...(await p.stats()) }
    case 'stop':
      await p.stop()
      process.disconnect?.()
      return { kind: 'done' }
  }
}

if (process.send !== undefined) {
  process.on('message', (o: PlaneOrder) => {
    void obey(o).then(
      (a) => process.connected && process.send!(a),
      (e: unknown) => process.send!({ kind: 'failed', message: String(e) }),
    )
  })
}
