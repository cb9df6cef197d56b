/** A client in wrong hands asks its vault for signature after signature, or just for everything at once. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RoomName } from '../../src/base/brand.ts'
import { CALLS, SIGNATURES } from '../../src/vault/inside/rates.ts'
import { codeOf } from '../kit/mls-attacker.ts'
import { VaultRoom } from '../kit/vault-room.ts'

test('signatures with the certificate\'s key are counted: after a burst they come slowly', async () => {
  const room = new VaultRoom()
  const vault = room.vault('Ann')
  const ask = async (): Promise<string> => {
    const r = await vault.call('room.request', { room: 'room-1' as RoomName, suite: 'x25519' })
    if (r.ok) await vault.call('room.end', { session: r.value.session })
    return r.ok ? 'signed' : r.fault.code
  }
  for (let i = 0; i < SIGNATURES.burst; i++) assert.equal(await ask(), 'signed')
  assert.equal(await ask(), 'VAULT_BUSY')
  assert.equal((await vault.pipe({ serverName: 'sip.test.example', protocols: [] }).secured).ok, false)
  await room.clock.advance(1000)
  for (let i = 0; i < SIGNATURES.perSecond; i++) assert.equal(await ask(), 'signed')
  assert.equal(await ask(), 'VAULT_BUSY')
})

test('everything else that the key signs counts too: notices, policies, decisions', async () => {
  const vault = new VaultRoom().vault('Ann')
  const ask = async (): Promise<string> => codeOf(await vault.call('notice.sign', { kind: 'block', target: 'ab'.repeat(32), reason: '' }))
  for (let i = 0; i < SIGNATURES.burst; i++) assert.equal(await ask(), 'accepted')
  for (const call of [ask, async () => codeOf(await vault.call('ring.sign', { room: 'x', to: 'ab'.repeat(32), id: 'ab' })), async () => codeOf(await vault.call('policy.decide', { room: 'x', decision: { act: 'lock' } })), async () => codeOf(await vault.call('policy.amend', { room: 'x', change: {} }))]) assert.equal(await call(), 'VAULT_BUSY')
})

test('a flood of calls is refused, and a calm client is served again', async () => {
  const room = new VaultRoom()
  const vault = room.vault('Ann')
  const ask = async (): Promise<string> => codeOf(await vault.call('room.confirm', { session: 77 }))
  for (let i = 0; i < CALLS.burst; i++) assert.equal(await ask(), 'VAULT_SESSION_UNKNOWN')
  assert.equal(await ask(), 'VAULT_BUSY')
  await room.clock.advance(100)
  assert.equal(await ask(), 'VAULT_SESSION_UNKNOWN')
})
