/** A client in wrong hands asks its vault for signature after signature, or just for everything at once. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RoomName } from '../../src/base/brand.ts'
import { must } from '../../src/base/result.ts'
import { encodeMessage } from '../../src/protocol/keyagreement/messages.ts'
import type { CallCarrier, CallProgress, SessionId } from '../../src/vault/api/calls.ts'
import { CALL_SIGNATURES, CALLS, SIGNATURES } from '../../src/vault/inside/rates.ts'
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

type Vault = ReturnType<VaultRoom['vault']>
const notice = async (vault: Vault): Promise<string> => codeOf(await vault.call('notice.sign', { kind: 'block', target: 'ab'.repeat(32), reason: '' }))
const begin = async (vault: Vault, carriers: readonly CallCarrier[] = ['message']): Promise<SessionId> => must(await vault.call('call.begin', { codec: 'g722', carriers, anonymous: false })).session
const start = async (vault: Vault, session: SessionId, input: 'start' | 'rekey' = 'start'): Promise<CallProgress> => must(await vault.call('call.step', { session, input, carrier: 'message' }))
const hand = async (vault: Vault, session: SessionId, message: Uint8Array, carrier: CallCarrier = 'message', sealed = false): Promise<CallProgress> => must(await vault.call('call.step', { session, input: 'message', carrier, message, sealed }))
/** Calls until none is left: how many those were. */
async function callFlood(vault: Vault): Promise<number> {
  for (let n = 0; n < 1000; n++) {
    const r = await vault.call('call.begin', { codec: 'g722', carriers: ['message'], anonymous: false })
    if (!r.ok) {
      assert.equal(r.fault.code, 'VAULT_BUSY')
      return n
    }
    await vault.call('call.end', { session: r.value.session })
  }
  assert.fail('calls without end')
}
/** Two calls of one vault with each other, with keys. */
async function sealed(vault: Vault): Promise<readonly [SessionId, SessionId]> {
  const ends = [await begin(vault), await begin(vault)] as const
  let agreed = 0
  const carry = async (to: 0 | 1, p: CallProgress): Promise<void> => {
    if (p.confirmed !== undefined) agreed++
    for (const m of p.send) await carry(to === 0 ? 1 : 0, await hand(vault, ends[to], m))
  }
  await carry(1, await start(vault, ends[0]))
  assert.equal(agreed, 2)
  return ends
}

test('a sealed call counts with each signature: whoever holds both ends gets no more of them by changing its keys, and an honest change comes later', async () => {
  const room = new VaultRoom()
  const vault = room.vault('Ann')
  const [call] = await sealed(vault)
  /** Begun, or what was said to it. The host claims what it likes: that somebody has ended the change before. */
  const rekey = async (): Promise<string> => {
    const { refused, wakeInMs } = await start(vault, call, 'rekey')
    await hand(vault, call, encodeMessage({ type: 'abort', code: 'X' }), 'message', true)
    return refused[0]?.code ?? (wakeInMs === undefined ? 'nothing' : 'begun')
  }
  assert.equal(await callFlood(vault), CALL_SIGNATURES.burst - 2)
  assert.equal(await rekey(), 'VAULT_BUSY', 'all of them')
  await room.clock.advance(1000)
  const said: string[] = []
  for (let i = 0; i < 40; i++) said.push(await rekey())
  assert.deepEqual([said.filter((s) => s === 'begun').length, said.at(-1)], [7, 'VAULT_BUSY'], 'one call alone')
  for (let i = 0; i < 2; i++) {
    await room.clock.advance(20_000)
    assert.equal(await rekey(), 'begun')
  }
})

test('who calls, and goes from carrier to carrier before there are keys, uses up nothing that handshakes and a host\'s acts need, nor they what calls need', async () => {
  const vault = new VaultRoom().vault('Ann')
  const standing = await begin(vault, ['message', 'in-band'])
  for (let call = 0; call < 40; call++) {
    const session = await begin(vault, ['message', 'in-band'])
    for (let i = 0; i < 12; i++) await hand(vault, session, encodeMessage({ type: 'commit', hash: new Uint8Array(32).fill(i) }), i % 2 === 0 ? 'in-band' : 'message')
    await vault.call('call.end', { session })
  }
  assert.equal(await callFlood(vault), CALL_SIGNATURES.burst - 41, 'each call is one signature, whatever it is told before there are keys')
  for (let i = 0; i < SIGNATURES.burst; i++) assert.equal(await notice(vault), 'accepted')
  assert.equal(await notice(vault), 'VAULT_BUSY')
  // A call that stands: the carrier it began over leads nowhere, and there is another.
  await hand(vault, standing, encodeMessage({ type: 'commit', hash: new Uint8Array(32) }), 'in-band')
  const other = await hand(vault, standing, encodeMessage({ type: 'commit', hash: new Uint8Array(32) }))
  assert.deepEqual([other.refused, other.failed, other.send.length], [[], undefined, 1])
})

test('calls have signatures left when the host has asked for all of its own; a chained call signs nothing and counts nowhere', async () => {
  const vault = new VaultRoom().vault('Ann')
  for (let i = 0; i < SIGNATURES.burst; i++) assert.equal(await notice(vault), 'accepted')
  assert.equal(await notice(vault), 'VAULT_BUSY')
  await sealed(vault)
  await callFlood(vault)
  for (const profile of [{ profile: 'chained' }, { anonymous: true }] as const) assert.equal(codeOf(await vault.call('call.begin', { codec: 'pcmu', carriers: ['in-band'], anonymous: false, ...profile })), 'accepted')
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
