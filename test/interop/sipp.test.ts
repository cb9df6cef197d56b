/** The SIP handset against exchanges written down message by message (SIPp, `sipp/*.xml`). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { must } from '../../src/base/result.ts'
import { createSipHandset } from '../../src/client/handset/sip/index.ts'
import { createNodeCrypto } from '../../src/crypto/node/index.ts'
import { realScheduler } from '../../src/net/scheduler.ts'
import { EchoClient } from '../kit/echo-client.ts'
import { freePorts } from '../kit/free-ports.ts'
import { callsAnswered, mustPass } from '../kit/phones/sipp.ts'
import { needs } from './setup.ts'

async function desk(t: TestContext): Promise<{ client: EchoClient; remote: { address: string; port: number } }> {
  const port = await freePorts(4)
  const handset = must(
    await createSipHandset({ line: 'desk', scheduler: realScheduler(), crypto: createNodeCrypto(), users: new Map(), bind: { address: '127.0.0.1', port }, transports: ['UDP', 'TCP'] }),
  )
  const client = new EchoClient(handset)
  t.after(() => client.stop())
  return { client, remote: { address: '127.0.0.1', port } }
}

const exchanges = [
  'register', 'call', 'hold', 'delayed-offer', 'prack', 'prack-late', 'session-timer', 'session-too-short', 'update', 'late-ack',
  'options', 'codecs', 'require-unknown', 'stray-bye', 'method-unknown', 'malformed',
]
for (const scenario of exchanges) {
  // SIPp knows a repetition for what it is over UDP alone.
  for (const transport of scenario === 'late-ack' ? (['udp'] as const) : (['udp', 'tcp'] as const)) {
    test(`${scenario} over ${transport}`, { timeout: 300_000 }, async (t) => {
      if (!needs(t, 'sipp')) return
      const { client, remote } = await desk(t)
      const { messages } = await mustPass(scenario, { remote, service: scenario === 'prack' ? 'slow' : '8100', transport })
      if (scenario === 'late-ack') assert.ok((messages.split('200 OK').length - 1) >= 3, messages)
      assert.deepEqual(client.calls, [])
    })
  }
}

test('cancel while it rings', { timeout: 300_000 }, async (t) => {
  if (!needs(t, 'sipp')) return
  const { client, remote } = await desk(t)
  await mustPass('cancel', { remote, service: 'ring' })
  await client.next('ended')
})

test('we hang up', { timeout: 300_000 }, async (t) => {
  if (!needs(t, 'sipp')) return
  const { client, remote } = await desk(t)
  const peer = mustPass('peer-hangs-up', { remote, service: '8100' })
  const { call } = await client.next('dial')
  client.hangup(call)
  await client.next('ended')
  await peer
})

test('a flood of OPTIONS is answered to the last, and a call goes on meanwhile', { timeout: 300_000 }, async (t) => {
  if (!needs(t, 'sipp')) return
  const { remote } = await desk(t)
  const [flood] = await Promise.all([
    mustPass('options', { remote, calls: 500, perSecond: 250 }),
    mustPass('call', { remote, service: '8100', calls: 5, perSecond: 2 }),
  ])
  assert.equal(callsAnswered(flood.messages), 500)
})
