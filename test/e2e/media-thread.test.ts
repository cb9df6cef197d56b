/** A media thread that dies or hangs takes its program with it, and only for a moment. */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import type { Fault } from '../../src/base/result.ts'
import { systemCalls } from '../../src/net/native/system.ts'
import { until } from '../kit/processes.ts'
import { conversation, hearEachOther, RealWorld } from '../kit/real-room.ts'
import { startClient, startServer, TestAuthority } from '../kit/stc.ts'
import '../kit/mortal-threads.ts'

test('the server says that it is broken; after another start its clients are back, under fresh keys, and hear each other', async (t) => {
  // What the thread that ended had open stays so until its process ends: here that goes on.
  const w = await RealWorld.start(t, {}, '127.0.0.1', 0)
  const [a, b] = await Promise.all([w.member('Ann', { hz: 500 }), w.member('Ben', { hz: 800 })])
  await conversation(a, b, w)
  const { port } = w
  // The number that the restart takes for media too: nobody else gets it meanwhile.
  const held = createSocket('udp4').bind(port, '127.0.0.1')
  await once(held, 'listening')
  const code = a.roster!.securityCode
  process.emit('SIGHUP')
  let fault: Fault | undefined
  void w.server.broken.then((f) => (fault = f))
  await until(10_000, 'the server to say so', () => fault)
  assert.equal(fault!.code, 'MEDIA_WORKER')
  assert.ok(w.log.some((l) => l.code === 'MEDIA_WORKER'))
  // What `stc server` and whoever watches over it do.
  await w.server.close()
  await new Promise<void>((resolve) => held.close(resolve))
  await w.open(port)
  await until(15_000, 'both to notice', () => (a.faults.length > 0 && b.faults.length > 0 ? true : undefined))
  await w.agreed([a, b], 20_000)
  await hearEachOther(a, b)
  assert.notEqual(a.roster!.securityCode, code)
})

test('`stc server` ends with a fault and an exit code that has it started again', { skip: process.platform === 'win32' ? 'no signals' : false }, async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'stc-e2e-'))
  const kit = new URL('../kit/mortal-threads.ts', import.meta.url).href
  const server = await startServer(folder, new TestAuthority(folder, 'ca').server(), {}, { NODE_OPTIONS: `--import ${kit}` })
  try {
    server.process.signal('SIGHUP')
    await until(15_000, 'the end', () => (server.process.ended ? true : undefined), server.process.tail)
    assert.equal(await server.process.exit, 1, server.process.tail())
    assert.match(server.process.output(), /The media thread ended.*\[MEDIA_WORKER\]/)
  } finally {
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  }
})

const hanging = (how: 'loop' | 'call'): NodeJS.ProcessEnv => ({ NODE_OPTIONS: `--import ${new URL('../kit/hanging-threads.ts', import.meta.url).href}`, STC_TEST_HANG: how })

test('programs whose media thread hangs notice it and end likewise, even when nothing ends the thread', { skip: systemCalls().ok ? false : 'no native calls to hang in' }, async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'stc-e2e-'))
  const authority = new TestAuthority(folder, 'ca')
  const papers = authority.server()
  const server = await startServer(folder, papers, {}, hanging('loop'))
  const stuck = await startServer(path.join(folder, 'stuck'), papers, {}, hanging('call'))
  const client = await startClient(folder, 'ann', server.port, authority.member('Ann'), { env: hanging('loop') })
  try {
    await client.shows(/connected to/)
    for (const { process } of [server, stuck, client]) process.signal('SIGHUP')
    await until(60_000, 'all to end', () => [server, stuck, client].every((x) => x.process.ended) || undefined, () => [server, stuck, client].map((x) => x.process.tail()).join('\n'))
    for (const { process } of [server, stuck, client]) assert.match(process.output(), /The media thread ended: it hung: no answer for 6 s.*\[MEDIA_WORKER\]/)
    assert.deepEqual(await Promise.all([server.process.exit, stuck.process.exit, client.process.exit]), [1, 'SIGKILL', 1])
  } finally {
    await Promise.all([client.stop(), server.stop(), stuck.stop()])
    rmSync(folder, { recursive: true, force: true })
  }
})
