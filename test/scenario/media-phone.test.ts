/** What an ordinary phone gets from and gives to a room, in virtual time. */
import assert from 'node:assert/strict'
import { instant } from '../../src/base/brand.ts'
import { heardShare, MediaWorld, robot, toneIn } from '../kit/media-world.ts'
import { seededTest } from '../kit/seeded-random.ts'

const A = 440
const B = 700

for (const codec of ['g722', 'pcmu', 'pcma'] as const) for (const ptimeMs of [10, 20, 30, 60]) {
  seededTest(`a phone with ${codec} and ${ptimeMs} ms hears and is heard, at its own packet time`, async (seed) => {
    const w = await MediaWorld.start(seed)
    const a = w.join('a', robot(A))
    const { phone } = await w.joinByPhone('b', { codec, ptimeMs, hz: B })
    w.converse()
    await w.clock.advance(2000)
    a.takeHeard()
    phone.takeHeard()
    phone.got.length = 0
    await w.clock.advance(3000)
    assert.equal(heardShare(a.takeHeard(), B), 1)
    assert.equal(heardShare(phone.takeHeard(), A), 1)
    assert.ok(Math.abs(phone.got.length - 3000 / ptimeMs) <= 1, `${phone.got.length} packets`)
    assert.ok(phone.got.every((p, i) => i === 0 || (p.timestamp - phone.got[i - 1]!.timestamp === ptimeMs * 8 && p.sequence === ((phone.got[i - 1]!.sequence + 1) & 0xffff) && !p.marker)))
    w.stop()
    phone.stop()
  })
}

seededTest('the uplink has one size and one rate: speech, silence, mute, hold, key presses, comfort noise, no packets', async (seed) => {
  const w = await MediaWorld.start(seed)
  const a = w.join('a', robot())
  const { member, phone } = await w.joinByPhone('b', { hz: B })
  w.converse()
  await w.clock.advance(2000)
  const media: number[] = []
  const at: number[] = []
  w.net.capture((p) => {
    // Path messages have a size of their own and a slow rhythm that does not depend on sound.
    if (p.from.address !== member.host.address || p.to.port !== 7443 || p.data[1] !== 96) return
    media.push(p.data.length)
    at.push(p.at)
  })
  const phases: [string, () => void][] = [
    ['speech', () => {}],
    ['mute', () => member.command({ op: 'conference.mute', conference: 1, muted: true })],
    ['hold', () => {
      member.command({ op: 'conference.mute', conference: 1, muted: false })
      member.command({ op: 'phone.set', phone: 1, media: phone.held(true) })
    }],
    ['keys', () => {
      member.command({ op: 'phone.set', phone: 1, media: phone.held(false) })
      for (const [i, d] of [...'12#'].entries()) w.clock.at(instant(w.clock.now() + 300 * i), () => phone.press(d))
    }],
    ['comfort noise', () => (phone.comfortNoise = true)],
    ['no packets', () => (phone.talking = false)],
  ]
  for (const [name, begin] of phases) {
    begin()
    media.length = 0
    at.length = 0
    a.takeHeard()
    await w.clock.advance(3000)
    assert.equal(media.length, 150, `${name}: packets in three seconds`)
    assert.deepEqual([...new Set(media)], [media[0]], `${name}: one size`)
    assert.ok(at.every((t, i) => i === 0 || Math.abs(t - at[i - 1]! - 20) < 0.01), `${name}: one rhythm`)
    const pcm = a.takeHeard().subarray(16_000)
    assert.ok(name === 'speech' || name === 'keys' ? heardShare(pcm, B) > 0.9 : toneIn(pcm, B) < 30, `${name}: what is heard`)
  }
  assert.deepEqual(member.events.filter((e) => e.op === 'phone.dtmf').map((e) => e.digit), ['1', '2', '#'])
  assert.equal(member.last('phone.silent')!.silent, true)
  w.stop()
  phone.stop()
})

seededTest('a phone always gets continuous RTP: silence in the room, hold by others, a vault that blocks for 300 ms', async (seed) => {
  const w = await MediaWorld.start(seed)
  const a = w.join('a', robot(A))
  const { member, phone } = await w.joinByPhone('b')
  w.converse()
  await w.clock.advance(2000)
  phone.got.length = 0
  // The main and MLS threads block: the media thread gets no frames opened.
  member.vault.held = []
  await w.clock.advance(300)
  member.vault.release()
  await w.clock.advance(1700)
  a.session.stop()
  await w.clock.advance(2000)
  assert.equal(phone.got.length, 200)
  assert.ok(phone.got.every((p, i) => i === 0 || (p.timestamp - phone.got[i - 1]!.timestamp === 160 && p.at - phone.got[i - 1]!.at <= 41)))
  w.stop()
  phone.stop()
})

seededTest('after a stall of its own thread the downlink makes up three frames and skips the rest, timestamps stay true', async (seed) => {
  const w = await MediaWorld.start(seed)
  w.join('a', robot(A))
  const { phone } = await w.joinByPhone('b')
  w.converse()
  await w.clock.advance(2000)
  // Nothing is under way: the network does not stall with us.
  await w.clock.advance(10)
  phone.got.splice(0, phone.got.length - 1)
  w.clock.stall(500)
  await w.clock.advance(1500)
  const jumps = phone.got.map((p, i) => (i === 0 ? 160 : p.timestamp - phone.got[i - 1]!.timestamp)).filter((d) => d !== 160)
  assert.equal(jumps.length, 1)
  // 25 frames fell due, 3 were made.
  assert.ok(Math.abs(jumps[0]! / 160 - 23) <= 1, `${jumps[0]! / 160} frames`)
  assert.equal(phone.got.find((p) => p.marker) !== undefined, true, 'a marker after the gap')
  const span = phone.got.at(-1)!
  assert.ok(Math.abs((span.timestamp - phone.got[0]!.timestamp) / 8 - (span.at - phone.got[0]!.at)) <= 40)
  w.stop()
  phone.stop()
})

seededTest('hold: nothing of the phone goes into the room, nothing is sent to it; after it all is as before', async (seed) => {
  const w = await MediaWorld.start(seed)
  const a = w.join('a', robot(A))
  const { member, phone } = await w.joinByPhone('b', { hz: B })
  w.converse()
  await w.clock.advance(2000)
  member.command({ op: 'phone.set', phone: 1, media: phone.held(true) })
  // A robot reports what it heard a second at a time.
  await w.clock.advance(2000)
  phone.got.length = 0
  a.takeHeard()
  await w.clock.advance(2000)
  assert.equal(phone.got.length, 0)
  assert.ok(toneIn(a.takeHeard(), B) < 10)
  member.command({ op: 'phone.set', phone: 1, media: phone.held(false) })
  await w.clock.advance(1500)
  a.takeHeard()
  await w.clock.advance(2000)
  assert.equal(heardShare(a.takeHeard(), B), 1)
  assert.ok(phone.got.length > 150)
  w.stop()
  phone.stop()
})

seededTest('prompts are mixed over what the phone hears; a leg outside of a room hears them too', async (seed) => {
  const w = await MediaWorld.start(seed)
  const m = w.join('a', robot(A))
  m.command({ op: 'phone.open', phone: 2, bind: '127.0.0.1', media: { kind: 'pcm', speech: new Int16Array(0), record: true } })
  await w.clock.advance(1000)
  m.takeHeard()
  const beep = new Int16Array(16_000).map((_, i) => Math.round(5000 * Math.sin((2 * Math.PI * 900 * i) / 16_000)))
  m.command({ op: 'phone.play', phone: 2, pcm: beep })
  await w.clock.advance(2000)
  assert.ok(Math.abs(toneIn(m.takeHeard(), 900) - 5000 / 4) < 400, 'one of four seconds, two legs')
  w.stop()
})

seededTest('a room moves to another phone leg; the first one is free again', async (seed) => {
  const w = await MediaWorld.start(seed)
  const a = w.join('a', robot(A))
  const b = w.join('b', robot(B))
  w.converse()
  await w.clock.advance(1000)
  b.command({ op: 'phone.open', phone: 2, bind: '127.0.0.1', media: robot(1250) })
  b.command({ op: 'conference.phone', conference: 1, phone: 2 })
  b.command({ op: 'phone.close', phone: 1 })
  await w.clock.advance(1000)
  a.takeHeard()
  await w.clock.advance(2000)
  const pcm = a.takeHeard()
  assert.equal(heardShare(pcm, 1250), 1)
  assert.ok(toneIn(pcm, B) < 30)
  w.stop()
})

seededTest('SDES: the phone leg is SRTP, plain packets are not taken', async (seed) => {
  const w = await MediaWorld.start(seed)
  const a = w.join('a', robot(A))
  const { member, phone } = await w.joinByPhone('b', { hz: B })
  w.converse()
  const keys = () => ({ suite: 'AES_CM_128_HMAC_SHA1_80' as const, masterKey: w.crypto.bytes(16), masterSalt: w.crypto.bytes(14) })
  const srtp = { receive: keys(), send: keys() }
  member.command({ op: 'phone.set', phone: 1, media: { ...phone.media, srtp } })
  await w.clock.advance(1500)
  a.takeHeard()
  phone.takeHeard()
  phone.got.length = 0
  await w.clock.advance(2000)
  assert.ok(toneIn(a.takeHeard(), B) < 10, 'plain packets are refused')
  assert.equal(phone.got[0]!.payload.length, 170, 'what it gets is protected')
  member.command({ op: 'phone.set', phone: 1, media: phone.media })
  await w.clock.advance(1500)
  a.takeHeard()
  await w.clock.advance(2000)
  assert.equal(heardShare(a.takeHeard(), B), 1)
  w.stop()
  phone.stop()
})
