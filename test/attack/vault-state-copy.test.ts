/** State restored from a copy would use nonces twice: the vault gives none out, and what a client can repeat is refused. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RoomName } from '../../src/base/brand.ts'
import { ssrc } from '../../src/base/brand.ts'
import { toHex } from '../../src/base/bytes.ts'
import { must } from '../../src/base/result.ts'
import { handlers } from '../../src/vault/inside/handlers/index.ts'
import { createVault } from '../../src/vault/inside/create.ts'
import { codeOf } from '../kit/mls-attacker.ts'
import { ROOM, Stage } from '../kit/mls-room.ts'
import { REALM } from '../kit/people.ts'

test('no call gives out or takes in a state', () => {
  assert.deepEqual(Object.keys(handlers).sort(), [
    'attestation.update', 'call.begin', 'call.end', 'call.state', 'call.step', 'hop.finish', 'hop.offer', 'identity.show', 'identity.verify', 'journal.append', 'journal.checkpoint', 'journal.open', 'journal.read', 'notice.known', 'notice.learn', 'notice.sign',
    'policy.amend', 'policy.decide', 'policy.draft', 'policy.forget', 'policy.known', 'policy.learn', 'revocation.update', 'ring.read', 'ring.sign',
    'room.abandon', 'room.act', 'room.amend', 'room.announce', 'room.apply', 'room.check', 'room.confirm', 'room.create', 'room.decide', 'room.end', 'room.knock', 'room.leave', 'room.message', 'room.propose', 'room.request',
    'room.say', 'room.settle', 'room.welcome',
  ])
})

test('no answer holds a secret, and no frame is sealed twice under one counter', async () => {
  const stage = new Stage()
  const person = stage.people.person('Ann')
  const vault = must(createVault({ crypto: stage.crypto, clock: stage.clock }, { chain: person.chain, pkcs8: person.pkcs8, anchors: [stage.people.ca.certificate], realm: REALM }))
  const policy = { room: ROOM as RoomName, realm: REALM, hosts: [], admit: 'anchors', suite: 'x25519', codec: 'g722', forwarding: 'all', maximumMembers: 16, gatewaysAllowed: false } as const
  const { view } = must(await vault.call('room.create', { policy, generation: 1 }))
  must(await vault.call('room.announce', { session: view.session, ssrc: ssrc(9) }))
  const frame = { ssrc: ssrc(9), timestamp: 160, data: Uint8Array.of(1, 2, 3) }
  const twice = await vault.frames({ op: 'seal', session: view.session, frames: [frame, frame] })
  assert.deepEqual(twice.frames.map((f) => f.fault), [undefined, undefined])
  assert.notEqual(toHex(twice.frames[0]!.data), toHex(twice.frames[1]!.data))
  // The same room made again, as after a crash: another group with other keys.
  const again = must(await vault.call('room.create', { policy, generation: 1 }))
  assert.notEqual(toHex(again.view.groupId), toHex(view.groupId))
  assert.notEqual(again.view.securityCode, view.securityCode)
  must(await vault.call('room.end', { session: view.session }))
  assert.equal(codeOf(await vault.call('room.announce', { session: view.session, ssrc: ssrc(9) })), 'VAULT_SESSION_UNKNOWN')
  const ended = await vault.frames({ op: 'seal', session: view.session, frames: [frame] })
  assert.deepEqual(ended.frames.map((f) => [f.fault, f.data.length]), [['VAULT_SESSION_UNKNOWN', 0]])
})
