/** A member says that its keys are in an enclave. Nothing proves it: nobody is told so, and a room that asks for one does not take it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RoomName } from '../../src/base/brand.ts'
import { must } from '../../src/base/result.ts'
import type { KeyProtection } from '../../src/model/identity.ts'
import type { Vault } from '../../src/vault/api/calls.ts'
import { createVault } from '../../src/vault/inside/create.ts'
import { REALM } from '../kit/people.ts'
import { VaultRoom } from '../kit/vault-room.ts'

const base = { room: 'room-1' as RoomName, realm: REALM, hosts: [], admit: 'anchors', suite: 'x25519', codec: 'g722', forwarding: 'all', maximumMembers: 16, gatewaysAllowed: false } as const

/** Why Eve, who claims that of her keys, does not get into Ann's room; and what Ann sees of those who are in it. */
async function tries(minimumKeyProtection: KeyProtection, claimed: KeyProtection): Promise<{ refused: string[]; seen: unknown[] }> {
  const room = new VaultRoom()
  const vault = (name: string, keyProtection: KeyProtection): Vault => {
    const { chain, pkcs8 } = room.people.person(name)
    return must(createVault({ crypto: room.people.crypto, clock: room.clock }, { chain, pkcs8, anchors: [room.people.ca.certificate], realm: REALM, keyProtection }))
  }
  const [ann, eve] = [vault('Ann', 'process'), vault('Eve', claimed)]
  const { view } = must(await ann.call('room.create', { policy: { ...base, minimumKeyProtection }, generation: 1 }))
  const { keyPackage } = must(await eve.call('room.request', { room: base.room, suite: 'x25519' }))
  const made = must(await ann.call('room.propose', { session: view.session, adds: [{ id: 1, keyPackage }], removes: [] }))
  const after = must(await ann.call('room.confirm', { session: view.session })).view
  return { refused: made.refused.map((r) => r.code), seen: after.members.map((m) => m.keyProtection) }
}

test('an enclave without a quote is shown as a process, and counts as one', async () => {
  assert.deepEqual(await tries('in-process', 'enclave'), { refused: [], seen: ['process', 'process'] })
  assert.deepEqual(await tries('process', 'enclave'), { refused: [], seen: ['process', 'process'] })
})

test('a room that asks for more than somebody claims, or can show, refuses', async () => {
  assert.deepEqual(await tries('process', 'in-process'), { refused: ['MLS_NOT_ADMITTED'], seen: ['process'] })
  // Nor can anybody open a room that asks for what nobody can show yet.
  await assert.rejects(tries('enclave', 'enclave'), /MLS_NOT_ADMITTED/)
})
