/** What comes back by itself, and what is gone when it is told to go. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { until, within } from '../kit/processes.ts'
import { conversation, hearEachOther, RealWorld } from '../kit/real-room.ts'

test('the server is started again: clients reconnect, rejoin and hear each other, in a room that is true', async (t) => {
  const w = await RealWorld.start(t)
  const [a, b] = await Promise.all([w.member('Ann', { hz: 500 }), w.member('Ben', { hz: 800 })])
  await conversation(a, b, w)
  const code = a.roster!.securityCode
  const { port } = w
  await w.server.close()
  await until(15_000, 'both to notice', () => (a.faults.length > 0 && b.faults.length > 0 ? true : undefined))
  assert.notEqual(a.roster!.phase, 'member')
  await w.open(port)
  await w.agreed([a, b], 20_000)
  await hearEachOther(a, b)
  // A restart joins anew: keys of before are not used again.
  assert.notEqual(a.roster!.securityCode, code)
  assert.deepEqual(a.roster!.members.map((m) => m.identity.subject).sort(), b.roster!.members.map((m) => m.identity.subject).sort())
})

test('a client that is stopped leaves with a word: the roster of the other follows at once', async (t) => {
  const w = await RealWorld.start(t)
  const [a, b] = await Promise.all([w.member('Ann', { hz: 500 }), w.member('Ben', { hz: 800 })])
  await conversation(a, b, w)
  await b.stop()
  await until(10_000, 'departure on the roster', () => (a.roster!.members.length === 1 ? true : undefined))
  assert.ok(a.notes.some((n) => n.startsWith('CLIENT_MEMBER_LEFT')), a.notes.join('; '))
  assert.ok(!a.notes.some((n) => n.startsWith('CLIENT_MEMBER_REMOVED')), a.notes.join('; '))
  await until(10_000, 'end of the session', async () => ((await w.server.status()).sessions === 1 ? true : undefined))
})

test('a client whose server takes no notice can be stopped all the same, soon', async (t) => {
  const silent = createServer().listen(0, '127.0.0.1')
  await once(silent, 'listening')
  t.after(() => silent.close())
  const w = await RealWorld.start(t)
  const m = await w.member('Ann', { server: { port: (silent.address() as { port: number }).port } })
  const [socket] = await within(20_000, 'connection', once(silent, 'connection'))
  const closed = once(socket as NodeJS.EventEmitter, 'close')
  ;(socket as { resume(): void }).resume()
  await within(20_000, 'end of the client', m.stop())
  await within(20_000, 'end of its connection', closed)
})
