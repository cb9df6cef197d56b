/** The kit's other instruments, proved before anything is measured with them. */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { capture, payloads } from '../kit/capture.ts'
import { freePorts } from '../kit/free-ports.ts'
import { startBaresip } from '../kit/phones/baresip.ts'
import { callsAnswered, mustPass, runSipp } from '../kit/phones/sipp.ts'
import { silence } from '../kit/tones.ts'
import { writeWav } from '../kit/wav.ts'
import { needs } from './setup.ts'

test('sipp passes what baresip can and fails what it cannot', async (t) => {
  if (!needs(t, 'baresip', 'sipp')) return
  const folder = mkdtempSync(path.join(tmpdir(), 'stc-peers-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const microphone = path.join(folder, 'silence.wav')
  writeWav(microphone, silence(16000, 30))
  const bob = await startBaresip({ name: 'bob', codecs: ['g722', 'pcmu'], microphone, autoAnswer: true })
  t.after(() => bob.stop())
  const remote = { address: '127.0.0.1', port: bob.sipPort }
  for (const scenario of ['call', 'hold', 'delayed-offer', 'codecs']) await mustPass(scenario, { remote, service: 'bob' })
  const flood = await mustPass('options', { remote, service: 'bob', calls: 50, perSecond: 100 })
  assert.equal(callsAnswered(flood.messages), 50)
  const refused = await runSipp('update', { remote, service: 'bob' })
  assert.equal(refused.passed, false)
  assert.match(refused.errors, /501 Not Implemented/)
})

test('a capture has every datagram that passed, and only those asked for', async (t) => {
  if (!needs(t, 'tshark')) return
  const port = await freePorts(2)
  const to = createSocket('udp4').bind(port, '127.0.0.1')
  const from = createSocket('udp4')
  t.after(() => {
    to.close()
    from.close()
  })
  const tap = await capture(`udp port ${port}`)
  const all = new Promise<void>((resolve) => {
    let left = 100
    to.on('message', () => --left === 0 && resolve())
  })
  for (let i = 0; i < 100; i++) {
    from.send(Buffer.alloc(180, i), port, '127.0.0.1')
    from.send(Buffer.alloc(10), port + 1, '127.0.0.1')
  }
  await all
  const seen = await tap.stop()
  assert.equal(seen.length, 100)
  assert.deepEqual(seen.map((p) => p.payload[0]), Array.from({ length: 100 }, (_, i) => i))
  assert.ok(seen.every((p) => p.to === port && p.protocol === 'udp'))
  assert.equal(payloads(seen).length, 18_000)
})
