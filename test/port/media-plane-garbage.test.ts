/** Datagrams of every size and mutated packets at every door of a plane: counted, and calls go on. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planeCall } from '../kit/plane-call.ts'
import { planeWorlds } from '../kit/plane-worlds.ts'
import { SeededNumbers, SeededRandom } from '../kit/seeded-random.ts'

/** UDP over IPv4 carries no more. */
const LONGEST = 65_507

for (const [name, make] of planeWorlds) test(`${name}: datagrams of 0 to ${LONGEST} octets, mutated packets and reports`, async () => {
  const w = await make()
  const numbers = new SeededNumbers(99)
  const random = new SeededRandom(99)
  const { a, b, opened } = await planeCall(w, 100)
  const doors = [w.plane.local, opened.rtp, opened.rtcp]
  const stranger = await w.socket()

  let legitimate = 0
  const goOn = async (): Promise<void> => {
    a.client.send(100, ++legitimate * 160, new Uint8Array(100).fill(5))
    // A flood may have filled the system's buffer in front of it: then it is as if it had been lost on the way.
    const heard = b.client.heard.length
    for (let tries = 0; tries < 5 && b.client.heard.length === heard; tries++) {
      let turns = 0
      await w.until(() => b.client.heard.length > heard || ++turns > 200)
      if (b.client.heard.length === heard) a.client.send(100, ++legitimate * 160, new Uint8Array(100).fill(5))
    }
    assert.ok(b.client.heard.length > heard, 'the call goes on')
  }
  const sizes = [...Array.from({ length: 120 }, (_, i) => i), 1499, 1500, 1501, 1599, 1600, 1601, 2047, 2048, 2049, 9000, 65_506, LONGEST]
  for (const [k, size] of sizes.entries()) {
    for (const door of doors) {
      const noise = random.bytes(size)
      stranger.send(noise, door)
      // The same, shaped like RTP and like RTCP of streams that there are.
      for (const type of [96, 200, 204]) {
        const shaped = noise.slice()
        if (size > 12) {
          shaped[0] = 0x80 | (shaped[0]! & 0x3f)
          shaped[1] = type
          shaped.set([0, 0, 0, type === 96 ? 100 : 1], type === 96 ? 8 : 4)
        }
        stranger.send(shaped, door)
      }
    }
    if (k % 8 === 0) await goOn()
  }
  for (let i = 0; i < 600; i++) {
    const good = i % 2 === 0 ? a.client.rtp(100, ++legitimate * 160, random.bytes(numbers.int(300))) : a.client.message({ subtype: 0, token: random.bytes(8), use: true })
    const bad = good.slice(0, 1 + numbers.int(good.length))
    for (let n = numbers.int(4); n >= 0; n--) bad[numbers.int(bad.length)]! ^= 1 << numbers.int(8)
    stranger.send(bad, numbers.pick(doors))
    if (i % 20 === 0) await goOn()
  }
  await goOn()
  const stats = w.plane.stats()
  const of = (leg: number) => stats.find((s) => s.leg === leg)!
  assert.ok(w.plane.stray > 0 && of(a.leg).refused > 0 && of(opened.leg).refused > 0)
  assert.equal(of(a.leg).address?.port, a.client.socket.local.port, 'nobody moved it')
  // What the phone's side sends is nobody's word: plain RTP. The other stream is authentic.
  assert.ok(b.client.heard.filter((h) => h.ssrc === 100).every((h) => h.payload.every((v) => v === 5) && h.payload.length === 100), 'nothing forged was forwarded')
  w.end()
})
