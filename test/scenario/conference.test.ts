/** Whole conferences, real parts, virtual time. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ConferenceWorld } from '../kit/conference-world.ts'
import { heardShare } from '../kit/media-world.ts'

const TONES = [400, 700, 1100, 1600]

describe('a sealed conference', () => {
  test('three members see each other, with one code, and hear the two others and not themselves', async (t) => {
    const w = await ConferenceWorld.start()
    t.after(() => w.stop())
    const [a, b, c] = [await w.join('Ann', { hz: TONES[0]! }), await w.join('Ben', { hz: TONES[1]! }), await w.join('Cas', { hz: TONES[2]! })]
    await w.until(() => w.agreed(), 3000, 'agreement')
    await w.run(2000)
    for (const m of [a, b, c]) m.takeHeard()
    await w.run(3000)
    for (const [i, m] of [a, b, c].entries()) {
      const heard = m.takeHeard()
      for (const [j, hz] of TONES.slice(0, 3).entries()) {
        const share = heardShare(heard, hz, i === j ? 80 : 4000)
        if (i === j) assert.equal(share, 0, `${m.name} hears itself`)
        else assert.ok(share > 0.9, `${m.name} hears ${hz} Hz in ${share}`)
      }
    }
  })
})
