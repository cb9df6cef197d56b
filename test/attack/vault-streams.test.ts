/** The server, or a member, moves frames between streams, epochs and people: they are refused by name, never heard. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { must } from '../../src/base/result.ts'
import { codeOf } from '../kit/mls-attacker.ts'
import { hear, seal, VaultRoom } from '../kit/vault-room.ts'

async function three(names: readonly string[] = ['Ann', 'Ben', 'Cas']) {
  const room = new VaultRoom()
  const seats = await room.open(...names)
  // Nobody says that all have the epoch: sending moves on by itself.
  await room.clock.advance(400)
  return { room, ann: seats[0]!, ben: seats[1]!, cas: seats[2]! }
}

test('a frame on another\'s stream, or one that nobody announced', async () => {
  const { ann, ben, cas } = await three()
  const frame = await seal(ann, 160)
  assert.equal(await hear(cas, { ...frame, ssrc: ben.ssrc }), 'VAULT_FRAME_WRONG_STREAM')
  assert.equal(await hear(cas, { ...frame, ssrc: 4711 as typeof frame.ssrc }), 'VAULT_FRAME_WRONG_STREAM')
  assert.equal(await hear(cas, frame), 'heard')
  assert.equal((await seal(ann, 320, ben.ssrc)).fault, 'VAULT_FRAME_WRONG_STREAM')
})

test('a frame moved in time, sent again, or sent back to its maker', async () => {
  const { ann, ben } = await three()
  const frame = await seal(ann, 160)
  assert.equal(await hear(ben, { ...frame, timestamp: 320 }), 'SFRAME_FORGED')
  assert.equal(await hear(ben, frame), 'heard')
  assert.equal(await hear(ben, frame), 'SFRAME_REPLAYED')
  assert.equal(await hear(ann, frame), 'SFRAME_REFLECTED')
})

test('a member that has not announced its stream is not heard, and is heard afterwards', async () => {
  const { room, ann } = await three()
  const vault = room.vault('Dan')
  const request = must(await vault.call('room.request', { room: ann.view.policy.room, suite: 'x25519' }))
  const welcome = await room.commit(ann, [{ id: 1, keyPackage: request.keyPackage }], [])
  const { view } = must(await vault.call('room.welcome', { session: request.session, welcome: welcome! }))
  assert.deepEqual(view.members.map((m) => m.ssrc), [100, 101, 102, undefined])
  const dan = { vault, session: request.session, view, ssrc: 555 as typeof ann.ssrc }
  assert.equal((await seal(dan, 160)).fault, 'VAULT_FRAME_UNANNOUNCED')
  const { message } = must(await vault.call('room.announce', { session: dan.session, ssrc: dan.ssrc }))
  await room.clock.advance(200)
  const early = await seal(dan, 320)
  assert.equal(await hear(ann, early), 'VAULT_FRAME_UNANNOUNCED')
  must(await ann.vault.call('room.message', { session: ann.session, message }))
  // Refused before it was opened: nothing was used up.
  assert.equal(await hear(ann, early), 'heard')
})

test('a stream of somebody else cannot be announced', async () => {
  const { ann, ben } = await three()
  assert.equal(codeOf(await ben.vault.call('room.announce', { session: ben.session, ssrc: ann.ssrc })), 'MLS_STREAM_TAKEN')
})

test('after a removal nobody hears the removed one, nor frames that it forges with anybody\'s old key', async () => {
  const { room, ann, ben, cas } = await three()
  const early = await seal(cas, 160)
  await room.commit(ann, [], [{ leaf: cas.view.ownLeaf, reason: 'unreachable' }], [cas])
  assert.notEqual(await hear(ben, early), 'heard')
  assert.notEqual(await hear(ben, await seal(cas, 320)), 'heard')
  // Cas knows Ann's key of the old epoch; a frame that Ann sealed then stands for one that Cas forges.
  const { room: other, ann: a, ben: b, cas: c } = await three()
  const old = await seal(a, 160)
  await other.commit(b, [], [{ leaf: c.view.ownLeaf, reason: 'unreachable' }], [c])
  await other.clock.advance(600)
  assert.equal(await hear(b, old), 'SFRAME_EPOCH_GONE')
  // The removed one is deaf at once.
  assert.notEqual(await hear(c, await seal(b, 480)), 'heard')
})

test('a frame of an earlier epoch is taken for a while after an update, not for ever', async () => {
  const { room, ann, ben } = await three()
  const [first, second] = [await seal(ann, 160), await seal(ann, 320)]
  await room.commit(ann, [], [])
  assert.equal(await hear(ben, first), 'heard')
  await room.clock.advance(10_500)
  assert.equal(await hear(ben, second), 'SFRAME_EPOCH_GONE')
})

test('nothing is sealed under a commit that was not confirmed', async () => {
  const { room, ann, ben } = await three()
  must(await ann.vault.call('room.propose', { session: ann.session, adds: [], removes: [] }))
  await room.clock.advance(500)
  assert.equal(await hear(ben, await seal(ann, 160)), 'heard')
  must(await ann.vault.call('room.abandon', { session: ann.session }))
  assert.equal(await hear(ben, await seal(ann, 320)), 'heard')
})

test('a sender that was left behind in an old epoch stops', async () => {
  const { room, ann, ben, cas } = await three()
  await room.commit(ann, [], [], [cas])
  // An update takes effect for sending later than anything else.
  await room.clock.advance(1000)
  for (let i = 0; i < 60; i++) {
    assert.equal(await hear(cas, await seal(ben, i * 160)), 'SFRAME_UNKNOWN_EPOCH')
    await room.clock.advance(20)
  }
  assert.equal((await seal(cas, 160)).fault, 'SFRAME_BEHIND')
})
