/** Members in one room over bad networks, in virtual time. */
import assert from 'node:assert/strict'
import { heardShare, MediaWorld, robot, toneIn } from '../kit/media-world.ts'
import { seededTest } from '../kit/seeded-random.ts'

const A = 440
const B = 700
const C = 1250

async function three(seed: number) {
  const w = await MediaWorld.start(seed)
  const [a, b, c] = [w.join('a', robot(A)), w.join('b', robot(B)), w.join('c', robot(C))]
  w.converse()
  await w.clock.advance(3000)
  for (const m of w.members) m.takeHeard()
  return { w, a, b, c }
}

seededTest('everybody hears the others and not themselves', async (seed) => {
  const { w, a, b, c } = await three(seed)
  await w.clock.advance(5000)
  for (const [m, own, others] of [[a, A, [B, C]], [b, B, [A, C]], [c, C, [A, B]]] as const) {
    const pcm = m.takeHeard()
    assert.equal(pcm.length, 5 * 16_000)
    for (const hz of others) assert.equal(heardShare(pcm, hz), 1, `${m.name} hears ${hz}`)
    assert.ok(toneIn(pcm, own) < 80, `${m.name} does not hear itself`)
    assert.equal(m.last('hop.path')!.path, 'udp')
  }
  const s = a.sender(b)!
  assert.equal(s.lost + s.late + s.unopened, 0)
  assert.ok(s.bufferMs < 45, `${s.bufferMs} ms of buffer`)
  w.stop()
  await w.clock.advance(100)
  assert.equal(w.clock.pending, 0, 'nothing goes on after the end')
})
