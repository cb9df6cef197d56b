/** A relayed call's leg towards the PBX: who is told of it when, and what fills a silence. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ok } from '../../../../src/base/result.ts'
import type { LegId, PlainPeer } from '../../../../src/media/plane/types.ts'
import { serverMedia } from '../../../../src/server/sip/media.ts'
import type { DescribedAudio } from '../../../../src/telephony/relay/index.ts'

const format = (name: string, payloadType: number, clockHz = 8000) => ({ name, payloadType, clockHz })
const audio = (port: number, ...formats: ReturnType<typeof format>[]): DescribedAudio => ({ address: '10.0.0.9', port, rtcpPort: port + 1, formats }) as unknown as DescribedAudio

async function leg() {
  const peers: PlainPeer[] = []
  const closed: LegId[] = []
  const tied: LegId[] = []
  const ports: unknown[] = []
  const media = serverMedia({
    plane: {
      openPlain: async () => ok({ leg: 7 as LegId, rtp: { address: '10.0.0.1', port: 20_000 }, rtcp: { address: '10.0.0.1', port: 20_001 } }),
      negotiate: (_, peer) => void peers.push(peer), close: (l) => void closed.push(l),
    },
    streams: { take: () => ({ up: 1, down: 2 }), giveBack: () => {} },
    tie: (l) => void tied.push(l),
  })
  const one = media.open('10.0.0.1', (port) => ports.push(port))
  await Promise.resolve()
  return { one, peers, closed, tied, ports }
}

test('a PBX that hangs up on silence gets packets of silence, in the first of its formats that the phone knows too', async () => {
  const { one, peers, ports, tied } = await leg()
  assert.deepEqual([ports, tied], [[ok(20_000)], [7]])
  one.local(audio(17_000, format('telephone-event', 101), format('g722', 9), format('pcmu', 0)), 'offer')
  one.far(audio(4000, format('pcmu', 0)), 'answer')
  const last = peers.at(-1)!
  assert.deepEqual([last.rtp, last.rtcp, last.clockRate], [{ address: '10.0.0.9', port: 17_000 }, { address: '10.0.0.9', port: 17_001 }, 8000])
  assert.equal(last.filling?.payloadType, 0)
  one.far(audio(4000, format('g722', 9)), 'answer')
  assert.equal(peers.at(-1)!.filling?.payloadType, 9)
  one.far(audio(4000, format('gsm', 3)), 'answer')
  assert.equal(peers.at(-1)!.filling, undefined, 'nothing that both know')
})

test('a call that was over before its ports were open leaves nothing open, and ties nothing', async () => {
  const closed: LegId[] = []
  const tied: LegId[] = []
  const media = serverMedia({
    plane: { openPlain: async () => ok({ leg: 8 as LegId, rtp: { address: '', port: 1 }, rtcp: { address: '', port: 2 } }), negotiate: () => {}, close: (l) => void closed.push(l) },
    streams: { take: () => ({ up: 1, down: 2 }), giveBack: () => {} }, tie: (l) => void tied.push(l),
  })
  media.open('10.0.0.1', () => {}).close()
  await Promise.resolve()
  assert.deepEqual([closed, tied], [[8], []])
})
