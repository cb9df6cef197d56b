/** A server that wants somebody to ring in another's name, twice, or where it was not meant; with and without a certificate of its own. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { must } from '../../src/base/result.ts'
import type { ServerMessage } from '../../src/protocol/wire/messages.ts'
import { People } from '../kit/people.ts'
import { type RingPerson, RingWorld } from '../kit/ring-world.ts'

type RingMessage = Extract<ServerMessage, { k: 'ring' }>

/** Ann calls Bob; what Bob's client is given is `forge`'s. */
async function attacked(forge: (m: RingMessage, w: RingWorld, mallory: RingPerson) => Promise<readonly RingMessage[]>): Promise<{ readonly bob: RingPerson; readonly w: RingWorld }> {
  const w = new RingWorld()
  const [ann, bob, mallory] = [await w.person('Ann'), await w.person('Bob'), await w.person('Mallory')]
  const genuine: RingMessage[] = []
  w.passes = (to, m) => {
    if (to !== bob || m.k !== 'ring') return [m]
    genuine.push(m)
    return []
  }
  must(await ann.rings.call('bob@test.example', 'call-1'))
  for (const m of await forge(genuine[0]!, w, mallory)) bob.rings.onMessage(m)
  await w.settle()
  return { bob, w }
}
const codes = (p: RingPerson): string[] => p.refused.map((f) => f.code)

test('control: what is passed on as it was rings', async () => {
  const { bob } = await attacked(async (m) => [m])
  assert.deepEqual(bob.told, ['incoming Ann'])
})

test('the caller\'s chain beside another\'s signature, and the other way round', async () => {
  const { bob } = await attacked(async (m, _, mallory) => {
    const own = must(await mallory.vault.call('ring.sign', { id: m.id, room: 'call-1', to: 'bob@test.example' }))
    return [{ ...m, ring: own.ring }, { ...m, id: 'cd'.repeat(16), chain: [...own.chain] }]
  })
  assert.deepEqual(bob.told, [])
  assert.deepEqual(codes(bob), ['RING_MALFORMED', 'RING_MALFORMED'])
})

test('a certificate of another authority with the same name', async () => {
  const { bob } = await attacked(async (m, w) => {
    const foreign = await w.person('Ann', { from: new People(w.clock.unix(), w.crypto, 'Other CA') })
    const own = must(await foreign.vault.call('ring.sign', { id: m.id, room: 'call-1', to: 'bob@test.example' }))
    return [{ ...m, ring: own.ring, chain: [...own.chain] }]
  })
  assert.deepEqual(bob.told, [])
  assert.match(codes(bob).join(), /^IDENTITY_/)
})

test('a ring for somebody else, redirected', async () => {
  const { bob } = await attacked(async (m, _, mallory) => {
    const other = must(await mallory.vault.call('ring.sign', { id: m.id, room: 'call-1', to: 'carl@test.example' }))
    const key = must(await mallory.vault.call('ring.sign', { id: 'cd'.repeat(16), room: 'call-1', to: 'ab'.repeat(32) }))
    return [{ ...m, ring: other.ring, chain: [...other.chain] }, { ...m, id: 'cd'.repeat(16), ring: key.ring, chain: [...key.chain] }]
  })
  assert.deepEqual(bob.told, [])
  assert.deepEqual(codes(bob), ['RING_NOT_OURS', 'RING_NOT_OURS'])
})

test('a ring from before: under its number, under another, and too late', async () => {
  let kept: RingMessage | undefined
  const { bob, w } = await attacked(async (m) => [(kept = m)])
  bob.rings.refuse(bob.rings.incoming[0]!.id)
  bob.rings.onMessage(kept!)
  await w.settle()
  bob.rings.onMessage({ ...kept!, id: 'cd'.repeat(16) })
  await w.settle()
  await w.clock.advance(301_000)
  bob.rings.onMessage(kept!)
  await w.settle()
  assert.deepEqual(codes(bob), ['RING_REPEATED', 'RING_REPEATED', 'RING_STALE'])
  assert.deepEqual(bob.told, ['incoming Ann', 'over declined'])
})

test('another room in place of the one that the caller signed, and octets of chance', async () => {
  const { bob } = await attacked(async (m) => {
    const room = Buffer.from(m.ring)
    const at = room.indexOf('call-1')
    room.write('call-2', at)
    return [{ ...m, ring: new Uint8Array(room) }, { ...m, id: 'cd'.repeat(16), ring: new Uint8Array(400).fill(7) }, { ...m, id: 'ef'.repeat(16), chain: [new Uint8Array(300).fill(9)] }]
  })
  assert.deepEqual(bob.told, [])
  assert.equal(bob.refused.length, 3)
})
