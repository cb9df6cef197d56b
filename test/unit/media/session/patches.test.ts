/** Two phones patched to each other, as the page's sound is to its telephone line: a robot stands for the page, in virtual time. */
import assert from 'node:assert/strict'
import type { MediaEvent } from '../../../../src/media/api.ts'
import { joinPcm } from '../../../../src/audio/join-pcm.ts'
import { codecFactory } from '../../../../src/audio/codecs.ts'
import { createNodeCrypto } from '../../../../src/crypto/node/index.ts'
import { createMediaSession } from '../../../../src/media/session/session.ts'
import { decodeTelephoneEvent, digitOf } from '../../../../src/protocol/rtp/telephone-event.ts'
import { must } from '../../../../src/base/result.ts'
import { KitVault } from '../../../kit/frame-vault.ts'
import { heardShare, robot, toneIn } from '../../../kit/media-world.ts'
import { seededTest } from '../../../kit/seeded-random.ts'
import { SimNet } from '../../../kit/sim-net.ts'
import { type PhoneOptions, SimPhone } from '../../../kit/sim-phone.ts'
import { VirtualClock } from '../../../kit/virtual-clock.ts'

const [PAGE, LINE] = [1, 2]
const [HERE, THERE] = [440, 700]

async function patchedWorld(seed: number, options: PhoneOptions = {}) {
  const clock = new VirtualClock()
  const net = new SimNet(clock, seed)
  const host = net.host('client', '10.0.0.1')
  const phone = new SimPhone(clock, await net.host('pbx', '10.0.0.2').bind({ address: '0.0.0.0', port: 4000 }), { hz: THERE, ...options })
  const heard: Int16Array[] = []
  const events: MediaEvent[] = []
  const session = createMediaSession({ udp: host, scheduler: clock, crypto: createNodeCrypto(), codecs: codecFactory(), vault: new KitVault(), emit: (e) => (e.op === 'phone.heard' ? heard.push(e.pcm) : events.push(e)) })
  session.command({ op: 'phone.open', phone: PAGE, bind: '', media: robot(HERE) })
  session.command({ op: 'phone.open', phone: LINE, bind: '10.0.0.1', media: phone.media })
  session.command({ op: 'phone.patch', phone: PAGE, with: LINE, muted: false })
  await clock.advance(100)
  const opened = events.flatMap((e) => (e.op === 'phone.opened' && e.phone === LINE ? [e] : []))[0]!
  phone.start({ address: '10.0.0.1', port: opened.local.port })
  return {
    clock, session, phone,
    muted: (muted: boolean) => session.command({ op: 'phone.patch', phone: PAGE, with: LINE, muted }),
    /** What each heard in the next seconds. */
    async hears(ms: number) {
      await clock.advance(1000)
      heard.length = 0
      phone.takeHeard()
      await clock.advance(ms)
      return { page: joinPcm(heard.splice(0)), line: phone.takeHeard() }
    },
    end(): void {
      session.stop()
      phone.stop()
    },
  }
}

for (const codec of ['g722', 'pcmu'] as const) seededTest(`each hears the other, with ${codec}; muted, the line gets silence and the page goes on hearing`, async (seed) => {
  const w = await patchedWorld(seed, { codec })
  const both = await w.hears(3000)
  assert.ok(heardShare(both.page, THERE) > 0.95 && heardShare(both.line, HERE) > 0.95)
  w.muted(true)
  const muted = await w.hears(3000)
  assert.ok(heardShare(muted.page, THERE) > 0.95)
  assert.ok(toneIn(muted.line, HERE) < 30)
  assert.ok(w.phone.got.length > 290, 'and packets go on')
  w.muted(false)
  assert.ok(heardShare((await w.hears(3000)).line, HERE) > 0.95)
  w.session.command({ op: 'phone.patch', phone: PAGE, with: undefined, muted: false })
  const apart = await w.hears(2000)
  assert.ok(toneIn(apart.page, THERE) < 30 && toneIn(apart.line, HERE) < 30)
  w.end()
})

for (const ptimeMs of [20, 40]) seededTest(`keys go as named events in place of sound, the same key twice is two, and sound goes on (${ptimeMs} ms)`, async (seed) => {
  const w = await patchedWorld(seed, { codec: 'pcmu', ptimeMs })
  await w.clock.advance(500)
  w.phone.got.length = 0
  for (const digit of '55#') w.session.command({ op: 'phone.digit', phone: LINE, digit })
  w.session.command({ op: 'phone.digit', phone: LINE, digit: 'x' })
  await w.clock.advance(1500)
  const events = w.phone.got.filter((p) => p.payload.length === 4).map((p) => ({ ...must(decodeTelephoneEvent(p.payload)), timestamp: p.timestamp, marker: p.marker }))
  const presses = [...Map.groupBy(events, (e) => e.timestamp).values()]
  assert.deepEqual(presses.map((p) => digitOf(p[0]!)), ['5', '5', '#'])
  for (const p of presses) {
    assert.deepEqual(p.map((e) => e.duration), [160, 320, 480, 640, 800, 800, 800, 800])
    assert.deepEqual(p.map((e) => e.end), [false, false, false, false, false, true, true, true])
    assert.deepEqual(p.map((e) => e.marker), [true, ...Array<boolean>(7).fill(false)])
  }
  assert.ok(w.phone.got.every((p, i) => i === 0 || p.sequence === ((w.phone.got[i - 1]!.sequence + 1) & 0xffff)), 'one row of numbers')
  assert.ok(heardShare((await w.hears(2000)).line, HERE) > 0.95)
  w.end()
})

seededTest('where the other end takes no events, keys are not made up', async (seed) => {
  const w = await patchedWorld(seed)
  const { telephoneEvent: _, ...media } = w.phone.media
  w.session.command({ op: 'phone.set', phone: LINE, media })
  w.session.command({ op: 'phone.digit', phone: LINE, digit: '5' })
  await w.clock.advance(1000)
  assert.ok(w.phone.got.every((p) => p.payload.length > 4))
  w.end()
})
