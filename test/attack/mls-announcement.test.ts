/** A member says a stream is its own in another group than ours, for somebody else, or in a message that is something else. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createApplicationMessage } from 'ts-mls/createMessage.js'
import { ssrc } from '../../src/base/brand.ts'
import { encodeApplicationMessage } from '../../src/protocol/mls/codec.ts'
import { encodeAnnouncement, signStream } from '../../src/protocol/mls/stream.ts'
import { must } from '../../src/base/result.ts'
import { codeOf, stateOf } from '../kit/mls-attacker.ts'
import { type Player, Stage } from '../kit/mls-room.ts'

async function says(by: Player, body: Uint8Array): Promise<Uint8Array> {
  const { privateMessage } = await createApplicationMessage(stateOf(by), body, by.group.snapshot.suite.impl)
  return encodeApplicationMessage(privateMessage)
}

test('for another view of the group, another leaf, or without the signature', async () => {
  const stage = new Stage()
  const [ann, ben] = await stage.room('Ann', 'Ben', 'Cas')
  const { groupContext, keySchedule, signaturePrivateKey } = stateOf(ann!)
  const { epochAuthenticator } = keySchedule
  const own = signStream(stage.crypto, groupContext.groupId, 0, ssrc(7), signaturePrivateKey)
  const forLeaf2 = signStream(stage.crypto, groupContext.groupId, 2, ssrc(7), signaturePrivateKey)
  const elsewhere = signStream(stage.crypto, new Uint8Array(20), 0, ssrc(7), signaturePrivateKey)
  const bodies = [
    encodeAnnouncement({ epochAuthenticator: new Uint8Array(32), ssrc: ssrc(7), signature: own.signature }),
    encodeAnnouncement({ epochAuthenticator, ssrc: ssrc(7), signature: forLeaf2.signature }),
    encodeAnnouncement({ epochAuthenticator, ssrc: ssrc(7), signature: elsewhere.signature }),
    encodeAnnouncement({ epochAuthenticator, ssrc: ssrc(8), signature: own.signature }),
    Uint8Array.of(1, 2, 3),
  ]
  for (const body of bodies) {
    const before = ben!.group.snapshot
    assert.equal(codeOf(await ben!.group.receive(await says(ann!, body))), 'MLS_MESSAGE')
    assert.equal(ben!.group.snapshot, before)
  }
  must(await ben!.group.receive(await says(ann!, encodeAnnouncement({ epochAuthenticator, ssrc: ssrc(7), signature: own.signature }))))
})

test('by one who was removed, in the epoch before', async () => {
  const stage = new Stage()
  const [ann, ben, cas] = await stage.room('Ann', 'Ben', 'Cas')
  const late = must(await cas!.group.announce(ssrc(9)))
  await stage.remove(ann!, [{ leaf: cas!.group.ownLeaf, reason: 'unreachable' }], [ben!])
  assert.equal(codeOf(await ben!.group.receive(late)), 'MLS_MESSAGE')
})

test('of a stream that another announced first', async () => {
  const stage = new Stage()
  const [ann, ben, cas] = await stage.room('Ann', 'Ben', 'Cas')
  const [first, second] = [must(await ann!.group.announce(ssrc(7))), must(await ben!.group.announce(ssrc(7)))]
  must(await cas!.group.receive(first))
  assert.equal(codeOf(await cas!.group.receive(second)), 'MLS_STREAM_TAKEN')
})
