/** Coming and going in every order: at the end everybody agrees, and the server routes exactly the members. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { agree, hearEachOther, TONES, worldFor } from '../kit/conference-checks.ts'
import type { ConferenceWorld, WorldMember } from '../kit/conference-world.ts'
import { SeededNumbers, seededTest } from '../kit/seeded-random.ts'

const NAMES = ['Ann', 'Ben', 'Cas', 'Dan', 'Eve', 'Fay']

/** Everybody dials in the same instant. */
async function dialTogether(w: ConferenceWorld, names: readonly string[]): Promise<WorldMember[]> {
  const members: WorldMember[] = []
  for (const name of names) members.push(await w.arrive(name))
  for (const m of members) m.dial()
  return members
}

describe('coming', () => {
  for (const count of [2, 3, 6]) {
    test(`${count} who all want to be the first`, async (t) => {
      const w = await worldFor(t, { media: false })
      const members = await dialTogether(w, NAMES.slice(0, count))
      await agree(w, members, 10_000)
      assert.equal(w.machine.state.generation, 1, 'one group, not several')
    })
  }

  test('two join while a third leaves', async (t) => {
    const w = await worldFor(t, { media: false })
    const [a, b, c] = [await w.join('Ann'), await w.join('Ben'), await w.join('Cas')]
    const [d, e] = [await w.arrive('Dan'), await w.arrive('Eve')]
    d.dial()
    e.dial()
    b.leave()
    await agree(w, [a, c, d, e], 10_000)
    assert.equal(b.over?.code, undefined)
    assert.ok(a.roster.notes.some((n) => n.code === 'CLIENT_MEMBER_LEFT' && n.text.startsWith('Ben')))
  })

  test('the only member leaves in the instant in which another joins', async (t) => {
    const w = await worldFor(t, { media: false })
    const a = await w.join('Ann')
    const b = await w.arrive('Ben')
    b.dial()
    a.leave()
    await agree(w, [b], 15_000)
  })

  test('a joiner gives up: before it is let in, and while its commit is under way', async (t) => {
    for (const ms of [15, 25, 35, 45, 60]) {
      const w = await worldFor(t, { media: false })
      const [a, b] = [await w.join('Ann'), await w.join('Ben')]
      const c = await w.arrive('Cas')
      c.dial()
      await w.run(ms)
      c.leave()
      await w.run(100)
      await agree(w, [a, b], 15_000)
      assert.equal(c.over?.reason, 'left')
    }
  })
})

describe('going', () => {
  test('all but one leave together', async (t) => {
    const w = await worldFor(t, { media: false })
    const members = await dialTogether(w, NAMES)
    await agree(w, members)
    for (const m of members.slice(1)) m.leave()
    await w.run(50)
    await agree(w, members.slice(0, 1))
  })

  test('everybody leaves; who comes later begins anew', async (t) => {
    const w = await worldFor(t, { media: false })
    const members = await dialTogether(w, NAMES.slice(0, 3))
    await agree(w, members)
    for (const m of members) m.leave()
    await w.run(1000)
    assert.equal(w.machine.state.group, undefined)
    assert.deepEqual(w.streams, [])
    await agree(w, [await w.join('Dan')])
  })

  test('a member crashes and is removed as unreachable; it returns and is let in again', async (t) => {
    const w = await worldFor(t, { media: false })
    const [a, b, c] = [await w.join('Ann'), await w.join('Ben'), await w.join('Cas')]
    w.cut(b)
    await w.run(w.limits.lostMs - 100)
    assert.deepEqual(a.names, ['Ann', 'Ben', 'Cas'], 'a moment without connection costs nobody the place')
    await w.run(1000)
    await agree(w, [a, c])
    assert.ok(a.roster.notes.some((n) => n.code === 'CLIENT_MEMBER_REMOVED' && n.text.includes('unreachable')))
    w.mend(b)
    await agree(w, [a, b, c])
  })

  test('every member in turn loses its connection and finds it again at once', async (t) => {
    const w = await worldFor(t, { media: false })
    const members = await dialTogether(w, NAMES.slice(0, 4))
    await agree(w, members)
    for (const m of members) {
      w.cut(m)
      await w.run(300)
      w.mend(m)
      await agree(w, members)
    }
    assert.equal(w.machine.state.generation, 1)
  })

  test('all connections break, as when the server is started again', async (t) => {
    const w = await worldFor(t, { media: false })
    const members = await dialTogether(w, NAMES.slice(0, 4))
    await agree(w, members)
    for (const m of members) w.cut(m)
    await w.run(1000)
    for (const m of members) w.mend(m)
    await agree(w, members)
  })
})

describe('the same person twice', () => {
  test('on another connection: the first is replaced and told so', async (t) => {
    const w = await worldFor(t, { media: false })
    const [a, b, c] = [await w.join('Ann'), await w.join('Ben'), await w.join('Cas')]
    const again = await w.join('Ben', { as: b })
    await agree(w, [a, again, c])
    assert.equal(b.over?.code, 'CLIENT_REPLACED')
  })

  test('the only member on another connection', async (t) => {
    const w = await worldFor(t, { media: false })
    const a = await w.join('Ann')
    const again = await w.join('Ann', { as: a })
    await agree(w, [again])
    assert.equal(a.over?.code, 'CLIENT_REPLACED')
  })

  test('the server does not know yet that the old connection is dead', async (t) => {
    const w = await worldFor(t, { media: false })
    const [a, b] = [await w.join('Ann'), await w.join('Ben')]
    w.cut(b, false)
    await w.run(500)
    w.mend(b)
    await agree(w, [a, b])
  })
})

describe('nominees', () => {
  test('one that says nothing is passed over', async (t) => {
    const w = await worldFor(t, { media: false })
    const [a, b] = [await w.join('Ann'), await w.join('Ben')]
    w.toServer = (m, x) => (m === a && x.k === 'room-commit' ? [] : [x])
    const c = await w.join('Cas')
    await agree(w, [a, b, c])
  })

  for (const stallMs of [500, 600, 700, 800, 900]) test(`one that is slower than it may be: ${stallMs} ms`, async (t) => {
    const w = await worldFor(t, { media: false })
    const [a, b] = [await w.join('Ann'), await w.join('Ben')]
    a.stallMs = stallMs
    const c = await w.arrive('Cas')
    c.dial()
    await w.run(3000)
    if (stallMs > 600) assert.ok(w.notes.some((n) => n.includes('passed over leaf 0: late')))
    a.stallMs = 0
    await agree(w, [a, b, c])
  })

  test('the nominee leaves, or crashes, between nomination and commit', async (t) => {
    for (const how of ['leaves', 'crashes']) {
      const w = await worldFor(t, { media: false })
      const [a, b] = [await w.join('Ann'), await w.join('Ben')]
      await agree(w, [a, b])
      await w.run(5000)
      let gone = false
      w.toMember = (m, x) => {
        if (m !== a || x.k !== 'room-nominate' || gone) return [x]
        gone = true
        if (how === 'leaves') m.leave()
        else w.cut(m)
        return []
      }
      const c = await w.join('Cas')
      assert.ok(gone)
      await w.run(3000)
      await agree(w, [b, c])
    }
  })
})

test('a new generation: everybody begins anew, under the policy that was', async (t) => {
  const w = await worldFor(t, { media: false })
  const members = await dialTogether(w, NAMES.slice(0, 3))
  await agree(w, members)
  const before = members[0]!.view!
  // Nobody commits what waits: the server gives the group up.
  w.toServer = (_, x) => (x.k === 'room-commit' ? [] : [x])
  const d = await w.arrive('Dan')
  d.dial()
  await w.until(() => w.machine.state.generation > 1, 60_000, 'another generation')
  w.toServer = (_, x) => [x]
  await agree(w, members)
  for (const m of members) {
    assert.ok(m.view!.generation > before.generation)
    assert.deepEqual(m.view!.policy, before.policy)
  }
})

describe('everything at once', () => {
  for (const fixed of [1, 2, 3, 4]) {
    seededTest(`random comings, goings, crashes and returns of six (${fixed})`, async (seed, t) => {
      const w = await worldFor(t, { seed, media: false })
      const n = new SeededNumbers(`storm ${seed}`)
      const members: WorldMember[] = []
      for (const name of NAMES) {
        const m = await w.arrive(name)
        m.lagMs = n.int(290)
        members.push(m)
      }
      const inside = new Set<WorldMember>()
      for (let step = 0; step < 14; step++) {
        const m = n.pick(members)
        if (!inside.has(m)) {
          m.dial()
          inside.add(m)
        } else if (!m.connected) w.mend(m)
        else if (n.chance(0.5)) w.cut(m, n.chance(0.7))
        else {
          m.leave()
          inside.delete(m)
        }
        await w.run(n.int(n.chance(0.5) ? 100 : 1500))
      }
      for (const m of members) if (!m.connected) w.mend(m)
      for (const m of inside) {
        if (m.over === undefined) continue
        assert.ok(m.over.code !== undefined)
        m.dial()
      }
      await agree(w, [...inside], 60_000)
    }, fixed)
  }

  seededTest('and after such a storm all hear each other', async (seed, t) => {
    const w = await worldFor(t, { seed })
    const n = new SeededNumbers(`heard ${seed}`)
    const members: WorldMember[] = []
    for (const [i, name] of NAMES.slice(0, 4).entries()) members.push(await w.arrive(name, { hz: TONES[i]! }))
    for (const m of members) m.dial()
    await w.run(300)
    for (let step = 0; step < 5; step++) {
      const m = n.pick(members)
      w.cut(m, n.chance(0.5))
      await w.run(n.int(400))
      w.mend(m)
      await w.run(n.int(100))
    }
    await agree(w, members, 60_000)
    await w.run(1500)
    await hearEachOther(w, members)
  })
})
