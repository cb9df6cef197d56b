import assert from 'node:assert/strict'
import { test } from 'node:test'
import { must } from '../../../../src/base/result.ts'
import { encodeCbor } from '../../../../src/protocol/wire/cbor.ts'
import { decodeClientMessage, decodeServerMessage, encodeClientMessage, encodeServerMessage } from '../../../../src/protocol/wire/codec.ts'
import { COMMIT_LIMIT, EVIDENCE_LIMIT, KEY_PACKAGE_LIMIT, MESSAGE_LIMIT, ROOM_MESSAGE_LIMIT, WELCOME_LIMIT } from '../../../../src/protocol/wire/limits.ts'
import type { ClientMessage } from '../../../../src/protocol/wire/messages.ts'
import { clientSchemas, serverSchemas } from '../../../../src/protocol/wire/schemas.ts'
import { clientExamples, serverExamples } from './messages.ts'

test('every kind has an example here', () => {
  assert.deepEqual([...new Set(clientExamples.map((m) => m.k))].sort(), Object.keys(clientSchemas).sort())
  assert.deepEqual([...new Set(serverExamples.map((m) => m.k))].sort(), Object.keys(serverSchemas).sort())
})

test('every kind comes back as it was sent', () => {
  for (const m of clientExamples) assert.deepEqual(must(decodeClientMessage(must(encodeClientMessage(m)))), m)
  for (const m of serverExamples) assert.deepEqual(must(decodeServerMessage(must(encodeServerMessage(m)))), m)
})

test('each required field is required, and no field takes a value of another type', () => {
  const optional = new Set(['welcome', 'evidence', 'suite', 'forwarding', 'member'])
  for (const m of clientExamples) for (const field of Object.keys(m).filter((f) => f !== 'k')) {
    const { [field as 'k']: _, ...without } = m as ClientMessage & Record<string, unknown>
    const missing = decodeClientMessage(encodeCbor(without))
    if (!(optional.has(field) && m.k !== 'room-create') && `${m.k}.${field}` !== 'sip-cancel.reason') assert.ok(!missing.ok && missing.fault.code === 'CHANNEL_BAD_MESSAGE', `${m.k} without ${field}`)
    const wrong = decodeClientMessage(encodeCbor({ ...m, [field]: { nothing: true } }))
    assert.ok(!wrong.ok && wrong.fault.code === 'CHANNEL_BAD_MESSAGE', `${m.k} with a wrong ${field}`)
    assert.match(wrong.fault.message, new RegExp(`${m.k}\\.${field}`))
  }
})

test('unknown fields are ignored, unknown kinds are not', () => {
  assert.deepEqual(must(decodeClientMessage(encodeCbor({ k: 'ping', n: 4, later: [1, 2] }))), { k: 'ping', n: 4 })
  for (const k of ['room-burn', 'toString', '__proto__', 'constructor', 'pong']) {
    const r = decodeClientMessage(encodeCbor({ k, n: 1 }))
    assert.ok(!r.ok && r.fault.code === 'CHANNEL_UNKNOWN_KIND', k)
  }
  for (const v of [1, [], 'ping', null, new Uint8Array(3), {}, { k: 1 }]) {
    const r = decodeClientMessage(encodeCbor(v))
    assert.ok(!r.ok && r.fault.code === 'CHANNEL_BAD_MESSAGE')
  }
})

test('limits hold at their last octet', () => {
  const room = 'r'
  const sized: [number, (n: number) => unknown][] = [
    [COMMIT_LIMIT, (n) => ({ k: 'room-commit', room, generation: 1, epoch: 0, commit: new Uint8Array(n), adds: [], removes: [], refused: [] })],
    [WELCOME_LIMIT, (n) => ({ k: 'room-commit', room, generation: 1, epoch: 0, commit: new Uint8Array(1), welcome: new Uint8Array(n), adds: [], removes: [], refused: [] })],
    [KEY_PACKAGE_LIMIT, (n) => ({ k: 'room-join', room, generation: 1, keyPackage: new Uint8Array(n) })],
    [ROOM_MESSAGE_LIMIT, (n) => ({ k: 'room-message', room, epoch: 0, message: new Uint8Array(n) })],
    [EVIDENCE_LIMIT, (n) => ({ k: 'room-leave', room, evidence: new Uint8Array(n) })],
    [64, (n) => ({ k: 'room-open', room: 'a'.repeat(n) })],
  ]
  for (const [limit, make] of sized) {
    assert.ok(decodeClientMessage(encodeCbor(make(limit))).ok)
    const over = decodeClientMessage(encodeCbor(make(limit + 1)))
    assert.ok(!over.ok && over.fault.code === 'CHANNEL_BAD_MESSAGE')
  }
  const long = decodeClientMessage(new Uint8Array(MESSAGE_LIMIT + 1))
  assert.ok(!long.ok && long.fault.code === 'CHANNEL_TOO_LONG')
})

test('names of rooms are of few characters', () => {
  for (const room of ['', 'A', 'a b', 'ü', '../x', 'a\n']) assert.ok(!decodeClientMessage(encodeCbor({ k: 'room-open', room })).ok, room)
  for (const room of ['a', '0.1_b-c']) assert.ok(decodeClientMessage(encodeCbor({ k: 'room-open', room })).ok, room)
})

test('what we would refuse we do not send', () => {
  const r = encodeClientMessage({ k: 'room-open', room: 'NO' })
  assert.ok(!r.ok && r.fault.code === 'CHANNEL_BAD_MESSAGE')
})
