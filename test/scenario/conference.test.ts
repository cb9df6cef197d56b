/** Whole conferences, real parts, virtual time. */
import { describe, test } from 'node:test'
import { hearEachOther, TONES } from '../kit/conference-checks.ts'
import { ConferenceWorld } from '../kit/conference-world.ts'

describe('a sealed conference', () => {
  test('three members see each other, with one code, and hear the two others and not themselves', async (t) => {
    const w = await ConferenceWorld.start()
    t.after(() => w.stop())
    const [a, b, c] = [await w.join('Ann', { hz: TONES[0]! }), await w.join('Ben', { hz: TONES[1]! }), await w.join('Cas', { hz: TONES[2]! })]
    await w.until(() => w.agreed(), 3000, 'agreement')
    await w.run(2000)
    await hearEachOther(w, [a, b, c], 2000)
  })
})
