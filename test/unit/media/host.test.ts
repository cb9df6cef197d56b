import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { FRAME_SAMPLES } from '../../../src/audio/codec.ts'
import { ssrc } from '../../../src/base/brand.ts'
import { must } from '../../../src/base/result.ts'
import { createNodeCrypto } from '../../../src/crypto/node/index.ts'
import type { MediaEvent } from '../../../src/media/api.ts'
import { framesPort, startMediaWorker } from '../../../src/media/host.ts'
import { startPlane } from '../../../src/media/plane-host.ts'
import { systemCalls } from '../../../src/net/native/system.ts'
import { KitVault } from '../../kit/frame-vault.ts'
import { legSpec } from '../../kit/media-client.ts'
import { heardShare, tone } from '../../kit/media-world.ts'
import { within } from '../../kit/processes.ts'

const native = systemCalls()
const planes = native.ok ? (['native', 'portable'] as const) : (['portable'] as const)

/** A port like a browser's: each 20 ms that come are answered with the next of `sound`; tells every second of what came. */
function browserSound(sound: Int16Array, told: (second: Int16Array) => void): MessagePort {
  const { port1, port2 } = new MessageChannel()
  const second = new Int16Array(50 * FRAME_SAMPLES)
  let frames = 0
  port1.on('message', (pcm: Int16Array) => {
    second.set(pcm, (frames % 50) * FRAME_SAMPLES)
    if (++frames % 50 === 0) told(second)
    port1.postMessage(Int16Array.from(pcm, (_, k) => sound[(frames * FRAME_SAMPLES + k) % sound.length]!))
  })
  return port2
}

for (const choice of planes) test(`two media threads and a plane thread over real sockets: each hears the other (${choice})`, async () => {
  const crypto = createNodeCrypto()
  const plane = must(await startPlane({ bind: { address: '127.0.0.1', port: 0 } }))
  const tones = [440, 700]
  const hosts = await Promise.all(tones.map(() => startMediaWorker({ vaultPort: framesPort(new KitVault()), plane: choice })))
  let streamed: (second: Int16Array) => void = () => {}
  const faults: MediaEvent[] = []
  for (const host of hosts) host.subscribe((e) => e.op === 'fault' && faults.push(e))
  const legs = tones.map((hz, i) => {
    const spec = legSpec(crypto, i + 1)
    const host = hosts[i]!
    host.command({ op: 'hop.open', hop: 1, generation: 1, remotes: [plane.local], receive: spec.send, send: spec.receive, probe: spec.probe })
    host.command({ op: 'phone.open', phone: 1, bind: '127.0.0.1', media: i === 0 ? { kind: 'pcm', speech: tone(hz), record: true } : { kind: 'stream', port: browserSound(tone(hz), (second) => streamed(second)) } })
    host.command({ op: 'conference.open', conference: 1, hop: 1, phone: 1, ssrc: ssrc(100 + i), session: 1, codec: 'g722' })
    host.command({ op: 'conference.senders', conference: 1, senders: [ssrc(101 - i)] })
    host.command({ op: 'conference.send', conference: 1, on: true })
    return plane.open(spec)
  })
  plane.routeRoom([{ from: legs[0]!, ssrc: ssrc(100) }, { from: legs[1]!, ssrc: ssrc(101) }], [legs[0]!, legs[1]!])
  await within(20_000, 'tones at both', Promise.all(hosts.map((host, i) => new Promise<void>((resolve) => {
    const listen = (pcm: Int16Array): void => {
      if (heardShare(pcm, tones[1 - i]!) >= 0.8) resolve()
    }
    if (i === 0) host.subscribe((e) => e.op === 'phone.heard' && listen(e.pcm))
    else streamed = listen
  }))), () => faults.join('\n'))
  assert.deepEqual(faults, [], 'it is the plane that was asked for')
  await Promise.all(hosts.map((h) => h.stop()))
  await plane.stop()
})

test('a conference in Opus is possible, commands to nothing are faults', async () => {
  const host = await startMediaWorker({ vaultPort: framesPort(new KitVault()) })
  const faults: string[] = []
  const three = new Promise<void>((resolve) => {
    host.subscribe((e) => e.op === 'fault' && faults.push(e.code) === 2 && resolve())
  })
  host.command({ op: 'conference.open', conference: 1, hop: 1, phone: 1, ssrc: ssrc(1), session: 1, codec: 'opus' })
  host.command({ op: 'conference.mute', conference: 2, muted: true })
  host.command({ op: 'phone.set', phone: 9, media: { kind: 'pcm', speech: new Int16Array(0), record: false } })
  await within(20_000, 'two faults', three)
  assert.deepEqual(faults, ['MEDIA_CONFERENCE_UNKNOWN', 'MEDIA_PHONE_UNKNOWN'])
  await host.stop()
  host.command({ op: 'stop' })
})
