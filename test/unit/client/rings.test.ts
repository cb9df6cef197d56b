/** Calling people, both ends and the server between them, with real vaults in virtual time. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { must } from '../../../src/base/result.ts'
import { RingWorld } from '../../kit/ring-world.ts'

test('it rings by mail address and by key, with the name of a verified certificate; answering gives the room', async () => {
  const w = new RingWorld()
  const [ann, bob] = [await w.person('Ann'), await w.person('Bob')]
  for (const to of [' BOB@test.example', bob.identity.keyId]) {
    must(await ann.rings.call(to, 'call-1'))
    await w.settle()
    const ring = bob.rings.incoming[0]!
    assert.equal(ring.identity.keyId, ann.identity.keyId)
    assert.equal(must(bob.rings.answer(ring.id)).room, 'call-1')
    assert.equal(bob.rings.incoming.length + ann.rings.outgoing.length, 0)
  }
  assert.deepEqual(ann.told.slice(0, 3), ['outgoing sent', 'outgoing ringing', 'done answered'])
  assert.deepEqual(bob.told, ['incoming Ann', 'over answered', 'incoming Ann', 'over answered'])
})

test('declined, given up, nobody there, nobody answers: each is told as what it is', async () => {
  const w = new RingWorld()
  const [ann, bob] = [await w.person('Ann'), await w.person('Bob')]
  const last = (): unknown => {
    const n = ann.news.at(-1)
    return n?.kind === 'done' ? (n.fault?.code ?? n.reason) : n?.kind
  }
  must(await ann.rings.call('bob@test.example', 'call-1'))
  await w.settle()
  must(bob.rings.refuse(bob.rings.incoming[0]!.id))
  assert.equal(last(), 'RING_DECLINED')
  must(await ann.rings.call('bob@test.example', 'call-1'))
  await w.settle()
  ann.rings.cancel('call-1')
  assert.equal(bob.told.at(-1), 'over cancelled')
  assert.equal(bob.rings.answer('00').ok, false)
  must(await ann.rings.call('carl@test.example', 'call-1'))
  assert.equal(last(), 'RING_UNREACHABLE')
  must(await ann.rings.call('bob@test.example', 'call-1'))
  await w.clock.advance(60_100)
  assert.equal(last(), 'RING_UNANSWERED')
  assert.equal(bob.told.at(-1), 'over unanswered')
  must(await ann.rings.call('bob@test.example', 'call-1'))
  await w.settle()
  w.gone(bob)
  assert.equal(last(), 'RING_UNREACHABLE')
  assert.equal(w.clock.pending, 0, 'timers are left behind')
})

test('it rings everywhere where that person is, and stops everywhere', async () => {
  const w = new RingWorld()
  const [ann, bob] = [await w.person('Ann'), await w.person('Bob')]
  // Another connection by the same certificate; vaults of its own.
  const second = await w.person('Bob', { as: bob })
  second.rings.onDown()
  second.rings.onUp(['ring'])
  must(await ann.rings.call(bob.identity.keyId, 'call-1'))
  await w.settle()
  assert.equal(bob.rings.incoming.length, 1)
  bob.rings.refuse(bob.rings.incoming[0]!.id)
  assert.equal(second.rings.incoming.length, 0)
  assert.equal(ann.told.at(-1), 'done declined')
})

test('whoever is blocked hears it ring, and nobody is disturbed', async () => {
  const w = new RingWorld()
  const [ann, bob] = [await w.person('Ann'), await w.person('Bob')]
  bob.blocked.add(ann.identity.keyId)
  must(await ann.rings.call('bob@test.example', 'call-1'))
  await w.settle()
  assert.deepEqual(bob.told, [])
  assert.equal(ann.told.at(-1), 'outgoing ringing')
  await w.clock.advance(60_100)
  assert.equal(ann.told.at(-1), 'done unanswered')
})

test('what nobody can be called by is refused; so is a server that cannot ring', async () => {
  const w = new RingWorld()
  const [ann, old] = [await w.person('Ann'), await w.person('Old', { capable: false })]
  for (const to of ['', 'Ann', 'a b@c', 'x'.repeat(65), 'f'.repeat(63), `${'x'.repeat(65)}@y`]) assert.equal((await ann.rings.call(to, 'call-1') as { fault?: { code: string } }).fault?.code, 'RING_ADDRESS', to)
  assert.equal((await old.rings.call('ann@test.example', 'call-1') as { fault?: { code: string } }).fault?.code, 'RING_NO_SERVER')
  // And it does not ring at a client that does not know what ringing is.
  must(await ann.rings.call('old@test.example', 'call-1'))
  assert.equal(ann.told.at(-1), 'done unreachable')
})

test('nobody rings more than four at a time, at anybody more than four do, and not ten times a second', async () => {
  const w = new RingWorld()
  const bob = await w.person('Bob')
  const many = []
  for (let i = 0; i < 6; i++) many.push(await w.person(`Caller${i}`))
  for (const p of many) must(await p.rings.call('bob@test.example', 'call-1'))
  await w.settle()
  assert.equal(bob.rings.incoming.length, 4)
  assert.deepEqual(many.map((p) => p.told.at(-1)), ['outgoing ringing', 'outgoing ringing', 'outgoing ringing', 'outgoing ringing', 'done busy', 'done busy'])
  const eager = many[5]!
  const codes = []
  for (let i = 0; i < 16; i++) {
    await eager.rings.call('nobody@test.example', 'call-1')
    codes.push(eager.told.at(-1))
  }
  assert.ok(codes.includes('done busy') && eager.faults.includes('RING_RATE'), codes.join())
})
