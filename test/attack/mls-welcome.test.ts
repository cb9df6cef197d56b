/** Welcomes that were not asked for, come twice, lead elsewhere or carry more than they may. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RoomName } from '../../src/base/brand.ts'
import { concat } from '../../src/base/bytes.ts'
import { must } from '../../src/base/result.ts'
import { joinRoom } from '../../src/protocol/mls/begin.ts'
import { decodeWelcomeMessage, encodeWelcomeMessage } from '../../src/protocol/mls/codec.ts'
import { buildCommit } from '../../src/protocol/mls/commit-builder.ts'
import { EXTENSION } from '../../src/protocol/mls/extension-types.ts'
import { encodeRemovals } from '../../src/protocol/mls/removal.ts'
import { encodeStreams, signStream } from '../../src/protocol/mls/stream.ts'
import { ssrc } from '../../src/base/brand.ts'
import { createVault } from '../../src/vault/inside/create.ts'
import { codeOf } from '../kit/mls-attacker.ts'
import { ROOM, Stage } from '../kit/mls-room.ts'
import { REALM } from '../kit/people.ts'

async function invited(stage: Stage) {
  const [ann] = await stage.room('Ann')
  const ben = stage.player('Ben')
  const { bytes, own } = await stage.request(ben)
  const made = must(await ann!.group.propose([{ id: 1, keyPackage: bytes }], []))
  return { ann: ann!, ben, own, welcome: made.welcome! }
}
const asked = { room: ROOM, realm: REALM, suite: 'x25519' as const }

test('to a key package that was not made for this request', async () => {
  const stage = new Stage()
  const { ben, welcome } = await invited(stage)
  const { own } = await stage.request(ben)
  assert.equal(codeOf(await joinRoom(ben.world, { ...asked, own }, welcome)), 'MLS_WELCOME')
})

test('into another room than the one asked for', async () => {
  const stage = new Stage()
  const { ben, own, welcome } = await invited(stage)
  assert.equal(codeOf(await joinRoom(ben.world, { ...asked, room: 'room-2', own }, welcome)), 'MLS_WELCOME')
  assert.equal(codeOf(await joinRoom(ben.world, { ...asked, suite: 'x-wing', own }, welcome)), 'MLS_WELCOME')
})

test('a second one to the same request', async () => {
  const stage = new Stage()
  const owner = stage.people.person('Ann')
  const guest = stage.people.person('Ben')
  const vaultOf = (p: typeof owner) => must(createVault({ crypto: stage.crypto, clock: stage.clock }, { chain: p.chain, pkcs8: p.pkcs8, anchors: [stage.people.ca.certificate], realm: REALM }))
  const [ann, ben] = [vaultOf(owner), vaultOf(guest)]
  const policy = { room: ROOM as RoomName, realm: REALM, hosts: [], admit: 'anchors', suite: 'x25519', codec: 'g722', forwarding: 'all', maximumMembers: 16, gatewaysAllowed: false } as const
  const { view } = must(await ann.call('room.create', { policy, generation: 1 }))
  const request = must(await ben.call('room.request', { room: ROOM, suite: 'x25519' }))
  const made = must(await ann.call('room.propose', { session: view.session, adds: [{ id: 1, keyPackage: request.keyPackage }], removes: [] }))
  const again = must(await ann.call('room.propose', { session: view.session, adds: [{ id: 1, keyPackage: request.keyPackage }], removes: [] }))
  // Both at once, too: one wins.
  const both = await Promise.all([made, again].map((m) => ben.call('room.welcome', { session: request.session, welcome: m.welcome! })))
  assert.deepEqual(both.map(codeOf).sort(), ['MLS_WELCOME', 'accepted'])
  assert.equal(codeOf(await ben.call('room.welcome', { session: request.session, welcome: again.welcome! })), 'MLS_WELCOME')
})

test('with octets after its end, or any octet changed', async () => {
  const stage = new Stage()
  const { ben, own, welcome } = await invited(stage)
  assert.equal(codeOf(await joinRoom(ben.world, { ...asked, own }, concat(welcome, Uint8Array.of(0)))), 'MLS_MALFORMED')
  for (let at = 6; at < welcome.length; at += 97) {
    const bad = welcome.slice()
    bad[at]! ^= 1
    assert.equal((await joinRoom(ben.world, { ...asked, own }, bad)).ok, false)
  }
})

test('for the same member twice in one message', async () => {
  const stage = new Stage()
  const { ben, own, welcome } = await invited(stage)
  const decoded = must(decodeWelcomeMessage(welcome))
  const doubled = encodeWelcomeMessage({ ...decoded, secrets: [...decoded.secrets, ...decoded.secrets] })
  assert.equal(codeOf(await joinRoom(ben.world, { ...asked, own }, doubled)), 'MLS_WELCOME')
})

test('with another\'s stream, or extensions that do not belong there', async () => {
  const stage = new Stage()
  const [ann] = await stage.room('Ann')
  const ben = stage.player('Ben')
  const { own } = await stage.request(ben)
  const { suite, state } = ann!.group.snapshot
  const thief = stage.crypto.signatureKeyPair('ed25519')
  const stolen = encodeStreams([signStream(stage.crypto, ann!.group.groupId, 0, ssrc(5), thief.privateKey)])
  const none = encodeStreams([])
  for (const [extensions, code] of [
    [[{ extensionType: EXTENSION.streams, extensionData: stolen }], 'MLS_MESSAGE'],
    [[], 'MLS_EXTENSIONS'],
    [[{ extensionType: EXTENSION.streams, extensionData: none }, { extensionType: EXTENSION.streams, extensionData: none }], 'MLS_EXTENSIONS'],
    [[{ extensionType: EXTENSION.streams, extensionData: none }, { extensionType: 'external_pub' as const, extensionData: new Uint8Array(32) }], 'MLS_EXTENSIONS'],
  ] as const) {
    const built = await buildCommit(suite, state, [{ proposalType: 'add', add: { keyPackage: own.publicPackage } }], encodeRemovals([]), [...extensions])
    assert.equal(codeOf(await joinRoom(ben.world, { ...asked, own }, built.welcome!)), code)
  }
})
