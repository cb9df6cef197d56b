/** A client in wrong hands asks its vault for signature after signature, or just for everything at once. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RoomName } from '../../src/base/brand.ts'
import { must } from '../../src/base/result.ts'
import { encodeMessage } from '../../src/protocol/keyagreement/messages.ts'
import type { CallProgress, SessionId } from '../../src/vault/api/calls.ts'
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

test('a sealed call counts with each agreement: whoever holds both ends gets no more signatures by changing its keys, and an honest change comes later', async () => {
  const room = new VaultRoom()
  const vault = room.vault('Ann')
  const begin = async (): Promise<SessionId> => must(await vault.call('call.begin', { codec: 'g722', carriers: ['message'], anonymous: false })).session
  const step = async (session: SessionId, input: 'start' | 'rekey'): Promise<CallProgress> => must(await vault.call('call.step', { session, input, carrier: 'message' }))
  const hand = async (session: SessionId, message: Uint8Array, sealed = false): Promise<CallProgress> => must(await vault.call('call.step', { session, input: 'message', carrier: 'message', message, sealed }))
  const ends = [await begin(), await begin()] as const
  let agreed = 0
  const carry = async (from: 0 | 1, p: CallProgress): Promise<void> => {
    if (p.confirmed !== undefined) agreed++
    for (const m of p.send) await carry(from === 0 ? 1 : 0, await hand(ends[from === 0 ? 1 : 0], m))
  }
  await carry(0, await step(ends[0], 'start'))
  assert.equal(agreed, 2)
  /** Begun, or what was said to it. The host claims what it likes: that somebody has ended the change before. */
  const rekey = async (): Promise<string> => {
    const { refused, wakeInMs } = await step(ends[0], 'rekey')
    await hand(ends[0], encodeMessage({ type: 'abort', code: 'X' }), true)
    return refused[0]?.code ?? (wakeInMs === undefined ? 'nothing' : 'begun')
  }
  const said: string[] = []
  for (let i = 0; i < 40; i++) said.push(await rekey())
  assert.deepEqual([said.filter((s) => s === 'begun').length, said.at(-1)], [8, 'VAULT_BUSY'], 'one call alone')
  for (let i = 0; i < 2; i++) {
    await room.clock.advance(20_000)
    assert.equal(await rekey(), 'begun')
  }
  while (codeOf(await vault.call('notice.sign', { kind: 'block', target: 'ab'.repeat(32), reason: '' })) === 'accepted');
  assert.equal(await rekey(), 'VAULT_BUSY', 'all of them')
  await room.clock.advance(1000)
  assert.equal(await rekey(), 'begun')
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
