/** Somebody on the phone's network sends RTP to the port of a call. */
import assert from 'node:assert/strict'
import { heardShare, MediaWorld, robot, toneIn } from '../kit/media-world.ts'
import { SimPhone } from '../kit/sim-phone.ts'
import { seededTest } from '../kit/seeded-random.ts'

for (const early of [true, false]) {
  seededTest(`a stranger's RTP is not heard and gets nothing, ${early ? 'even before the phone sends' : 'during the call'}`, async (seed) => {
    const w = await MediaWorld.start(seed)
    const a = w.join('a', robot(440))
    const { member, phone } = await w.joinByPhone('b', { hz: 700 })
    if (early) phone.stop()
    w.converse()
    const stranger = new SimPhone(w.clock, await w.net.host('stranger', '10.0.1.66').bind({ address: '0.0.0.0', port: 4000 }), { hz: 1250 })
    stranger.ssrc = 0x666
    await w.clock.advance(1500)
    const local = { address: member.host.address, port: member.last('phone.opened')!.local.port }
    stranger.start(local)
    stranger.press('9')
    await w.clock.advance(1500)
    a.takeHeard()
    await w.clock.advance(2000)
    const pcm = a.takeHeard()
    assert.ok(toneIn(pcm, 1250) < 30)
    if (!early) assert.equal(heardShare(pcm, 700), 1)
    assert.equal(stranger.got.length, 0)
    assert.equal(member.last('phone.dtmf'), undefined)
    w.stop()
    phone.stop()
    stranger.stop()
  })
}
