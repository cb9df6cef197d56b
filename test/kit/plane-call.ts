/** A call through a plane, whoever else sends to it. */
import { ssrc } from '../../src/base/brand.ts'
import { must } from '../../src/base/result.ts'
import { createNodeCrypto } from '../../src/crypto/node/index.ts'
import { legSpec, MediaClient } from './media-client.ts'
import { PlainParty } from './plain-peer.ts'
import type { PlaneWorld } from './plane-worlds.ts'

const crypto = createNodeCrypto()

/** Two members, of whom the second hears the stream of the first, and a phone's side that speaks with the second. */
export async function planeCall(w: PlaneWorld, stream: number) {
  const join = async (probe: number) => {
    const spec = legSpec(crypto, probe)
    const client = new MediaClient(crypto, await w.socket(), w.plane.local, spec)
    const leg = must(w.plane.open(spec))
    client.probe()
    await w.until(() => w.plane.stats().find((s) => s.leg === leg)!.path === 'udp')
    return { client, leg }
  }
  const a = await join(1)
  const b = await join(2)
  must(w.plane.route(a.leg, ssrc(stream), [b.leg]))
  const party = new PlainParty(await w.pair())
  const opened = must(await w.plane.openPlain({ bind: w.here, peer: party.peer }))
  must(w.plane.bridge(opened.leg, { kind: 'hop', leg: b.leg, receive: ssrc(200), send: ssrc(300) }))
  return { a, b, party, opened }
}
